"""What an incident is called: a function of the finding that began it, so that every replay finds the same name."""

from __future__ import annotations

import hashlib

from alerting.draft import Draft
from schemas.findings import Finding


def incident_id(finding: Finding) -> str:
    """The id of an incident that a finding begins."""
    return f"inc-{hashlib.sha256(f'{finding.key}@{finding.at}'.encode()).hexdigest()[:10]}"


def unused_id(draft: Draft, finding: Finding) -> str:
    """The same, numbered where there is one of that name: of the same verdict, revised after it had ended, or split."""
    name = incident_id(finding)
    spare = (f"{name}-{number}" for number in range(2, 1_000_000))
    while name in draft.incidents:
        name = next(spare)
    return name
