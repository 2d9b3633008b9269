"""An address whose secret changed gets another chance: a token that was revoked is usually replaced a moment later.

What was given up is given up under a secret (its fingerprint).  Under another one the entry is open again, and the register
closes the difference as ever: it tells what is true by now, and takes it back from the fallback once that is confirmed.
"""

from __future__ import annotations

from dataclasses import replace

from alerting.draft import Draft
from alerting.entry import Entry
from alerting.history import noted


def renewed(draft: Draft, entry: Entry, secret: str) -> bool:
    """Whether the entry's address has another secret in the policy than that under which it failed."""
    now = draft.policy.secret_of(entry.address)
    return now not in ("", secret)


def renew(draft: Draft) -> None:
    """Try again what was given up under a secret that is not in force any more."""
    for entry in list(draft.entries.values()):
        if entry.failed is not None and renewed(draft, entry, entry.failed_under):
            draft.entry(replace(entry, failed=None, failed_under=""))
            text = f"{entry.receiver} ({entry.kind}) is tried again: its secret has changed"
            draft.incident(noted(draft.incidents[entry.incident], draft.now, text))
            draft.touch([entry.incident])
