"""The title of an incident: what is wrong, where, and the likely cause, within 80 characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerting.cause import likely, rivals, stands_out
from alerting.incident import Incident, Member, RollUp
from alerting.lineage import is_source
from schemas.findings import Kind
from schemas.incidents import Cause

TITLE = 80
WORDS: dict[Kind, str] = {
    "drift": "drifted",
    "missing": "with missing values",
    "stale": "not fresh",
    "prediction_drift": "predictions drifted",
    "performance": "performs worse",
    "error": "fails",
    "latency": "slow",
    "no_traffic": "has no traffic",
    "mark": "changed",
}


def ranked(incident: Incident) -> list[Member]:
    """The members, the worst first: those with a say and not silenced, by severity, by strength, then by subject."""
    return sorted(incident.members.values(), key=_rank)


def title_of(incident: Incident) -> str:
    """The title.

    >>> title_of(Incident("inc-1", "k", 0, 0))
    'inc-1'
    """
    if incident.rollup is not None:
        return _cut(_storm(incident.rollup))
    members = ranked(incident)
    if not members:
        return incident.id
    first = members[0].finding
    alike = {m.finding.subject for m in members if m.finding.kind == first.kind and m.counts and m.silenced is None}
    what = f"{_what(members[0], len(alike))} {WORDS[first.kind]}"
    return _cut(f"{what}{_from(incident, first.subject)}{_beside(members, len(alike))}")


def _storm(rollup: RollUp) -> str:
    head = f"storm at {rollup.reach.receiver} ({rollup.reach.kind}): {rollup.taken} incidents"
    return f"{head}, {rollup.waiting} not told singly" if rollup.waiting else head


def _what(member: Member, alike: int) -> str:
    finding = member.finding
    if finding.feature is None:
        return finding.model
    return f"{finding.model}: {finding.feature}" if alike <= 1 else f"{finding.model}: {alike} features"


def _from(incident: Incident, subject: str) -> str:
    """The likely cause where it is a source; or that none stands out.  What the title is about is named in it already."""
    if not incident.causes:
        return ""
    if stands_out(incident.causes):
        cause = likely(incident)
        return f", cause likely {cause.removeprefix('source:')}" if is_source(cause) else ""
    names = ", ".join(" or ".join(one.node.partition(":")[2] for one in tied) for tied in _others(incident, subject))
    return f", cause unclear: {names}" if names else ", cause unclear"


def _others(incident: Incident, subject: str) -> Iterator[tuple[Cause, ...]]:
    """The first few beside what the title is about, up to ``unknown``: nothing behind that is worth a name."""
    for tied in rivals(incident.causes):
        if any(cause.node == "unknown" for cause in tied):
            return
        others = tuple(cause for cause in tied if cause.node != subject)
        if others:
            yield others


def _beside(members: Sequence[Member], alike: int) -> str:
    models = len({member.finding.model for member in members})
    others = len({member.finding.subject for member in members}) - alike
    if models > 1:
        return f" ({models} models)"
    return f" (+{others})" if others > 0 else ""


def _cut(text: str) -> str:
    return text if len(text) <= TITLE else text[: TITLE - 1] + "…"


def _rank(member: Member) -> tuple[bool, bool, str, float, str, str]:
    finding = member.finding
    excess = abs(finding.value / finding.threshold) if finding.value is not None and finding.threshold else 0.0
    return (
        not member.counts,
        member.silenced is not None,
        member.severity or finding.severity,
        -excess,
        finding.subject,
        finding.key,
    )
