"""From a verdict to the finding that leaves on Kafka.  Pure; no judgement is made here."""

from __future__ import annotations

from typing import Protocol

from schemas.findings import Finding, Onset, Severity
from stream.evaluate.verdicts.verdict import Verdict


class Named(Protocol):
    """What is judged, as far as a finding says it."""

    @property
    def model(self) -> str: ...


def finding_of(
    verdict: Verdict, watched: Named, *, rev: tuple[int, int], severity: Severity, onset: Onset, seen_ms: int
) -> Finding:
    """The finding of a verdict; ``rev`` is (end of what was judged, events in it).

    ``severity`` is the verdict's while it fires, and what was last told when it is over.
    """
    return Finding(
        key=verdict.key,
        rev=rev,
        state=verdict.state,
        model=watched.model,
        rule=verdict.rule,
        kind=verdict.kind,
        subject=verdict.subject,
        severity=severity,
        at=rev[0],
        seen=seen_ms,
        onset=onset,
        memory=verdict.memory,
        refresh_by=None if verdict.every is None else rev[0] + verdict.every,
        window=verdict.window,
        value=verdict.value,
        threshold=verdict.threshold,
        n=verdict.n,
        n_eff=verdict.n_eff,
        p=verdict.p,
        feature=verdict.feature,
        source=verdict.source,
        owner=verdict.owner,
        effect=verdict.effect,
        evidence=dict(verdict.evidence),
    )
