"""The title of an incident: what is wrong, where, and the likely cause, within 80 characters."""

from __future__ import annotations

from collections.abc import Sequence

from alerting.cause import likely
from alerting.incident import Incident, Member
from alerting.lineage import is_source
from schemas.findings import Kind

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
    members = ranked(incident)
    if not members:
        return incident.id
    first = members[0].finding
    alike = {m.finding.subject for m in members if m.finding.kind == first.kind and m.counts and m.silenced is None}
    return _cut(f"{_what(members[0], len(alike))} {WORDS[first.kind]}{_from(incident)}{_beside(members, len(alike))}")


def _what(member: Member, alike: int) -> str:
    finding = member.finding
    if finding.feature is None:
        return finding.model
    return f"{finding.model}: {finding.feature}" if alike <= 1 else f"{finding.model}: {alike} features"


def _from(incident: Incident) -> str:
    """The likely cause where it is a source that stands out; a feature's own name is in the title already."""
    cause = likely(incident)
    return f", cause likely {cause.removeprefix('source:')}" if is_source(cause) and " or " not in cause else ""


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
