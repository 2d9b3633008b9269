"""The title of an incident: what is wrong, where, and the likely cause, within 80 characters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from alerting.cause import likely, rivals, stands_out
from alerting.incident import Incident, Member, RollUp
from alerting.lineage import is_host, is_source
from alerting.members import Members
from alerting.table import Summary
from schemas.alertmanager import ALERTMANAGER
from schemas.findings import Finding, Kind
from schemas.gpus import FLEET
from schemas.incidents import Cause

TITLE = 80
WORDS: dict[Kind, str] = {
    "drift": "drifted",
    "missing": "with missing values",
    "stale": "not fresh",
    "type": "of another type",
    "range": "out of range",
    "unseen": "with values never seen",
    "stuck": "stuck",
    "vanished": "vanished",
    "duplicates": "gets events twice",
    "skew": "not as in the feature store",
    "prediction_drift": "predictions drifted",
    "performance": "performs worse",
    "error": "fails",
    "latency": "slow",
    "no_traffic": "has no traffic",
    "burn": "spends its error budget",
    "release": "rolled back",
    "external": "at Alertmanager",
    "gpu": "needs a look",
    "mark": "changed",
}
#: Of the kind ``gpu`` what a rule found is said.
GPU_WORDS = {
    "gpu_memory": "memory nearly full",
    "gpu_temperature": "too hot",
    "gpu_throttled": "slowed down by heat or power",
    "gpu_lost": "lost",
    "gpu_ecc": "uncorrectable memory errors",
    "gpu_xid": "Xid",
    "gpu_silent": "not heard of",
}
#: Of a host's name: what is wrong is to be read, too.
LONGEST_PLACE = 40


def strongest(incident: Incident, count: int) -> list[Member]:
    """The worst members: first those with a say and not silenced, by severity, by strength, then by subject."""
    return [member for _, member in islice(incident.members.table.least(_RANK), count)]


def title_of(incident: Incident) -> str:
    """The title.

    >>> title_of(Incident("inc-1", "k", 0, 0))
    'inc-1'
    """
    if incident.rollup is not None:
        return _cut(_storm(incident.rollup))
    worst = strongest(incident, 1)
    if not worst:
        return incident.id
    first = worst[0].finding
    alike = incident.members.subjects_with(first.kind)
    what = _of_a_place(first) or f"{_what(worst[0], alike)} {WORDS[first.kind]}"
    return _cut(f"{what}{_from(incident, first.subject)}{_beside(incident.members, alike)}")


def _storm(rollup: RollUp) -> str:
    head = f"storm at {rollup.reach.receiver} ({rollup.reach.kind}): {rollup.taken} incidents"
    return f"{head}, {rollup.waiting} not told singly" if rollup.waiting else head


def _what(member: Member, alike: int) -> str:
    finding = member.finding
    if finding.feature is None:
        source = finding.subject.removeprefix("source:") if is_source(finding.subject) else None
        return finding.model if source is None else f"{finding.model}: {source}"
    return f"{finding.model}: {finding.feature}" if alike <= 1 else f"{finding.model}: {alike} features"


def _of_a_place(finding: Finding) -> str | None:
    """What is said of a GPU and of an alert; None of anything else."""
    if finding.kind == "external":
        about = f"{finding.about}: " if finding.about else ""
        return f"{about}{finding.rule} {WORDS['external']}"
    return _of_gpu(finding) if finding.kind == "gpu" else None


def _of_gpu(finding: Finding) -> str:
    """``GPU node-7/0: Xid 79``; of a whole host ``GPUs of node-7: not heard of``."""
    kind, _, place = finding.subject.partition(":")
    number = f" {finding.value:.0f}" if finding.rule == "gpu_xid" and finding.value is not None else ""
    whose = "GPU" if kind == "gpu" else "GPUs of"
    shown = place if len(place) <= LONGEST_PLACE else f"…{place[1 - LONGEST_PLACE :]}"
    return f"{whose} {shown}: {GPU_WORDS.get(finding.rule, WORDS['gpu'])}{number}"


def _from(incident: Incident, subject: str) -> str:
    """The likely cause where it is a source or a host; or that none stands out.  What the title is about is named in it already."""
    if not incident.causes:
        return ""
    if stands_out(incident.causes):
        cause = likely(incident)
        named = (is_source(cause) or is_host(cause)) and cause != subject
        return f", cause likely {cause.removeprefix('source:').replace('host:', 'host ', 1)}" if named else ""
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


def _beside(members: Members, alike: int) -> str:
    others = len(members.subjects) - alike
    models = len(members.by_model) - sum(name in members.by_model for name in (FLEET, ALERTMANAGER))
    if models > 1:
        return f" ({models} models)"
    return f" (+{others})" if others > 0 else ""


def _cut(text: str) -> str:
    return text if len(text) <= TITLE else text[: TITLE - 1] + "…"


Rank = tuple[bool, bool, str, float, str, str]


def _rank(member: Member) -> Rank:
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


_RANK: Summary[Member, Rank] = Summary("rank", _rank, min)
