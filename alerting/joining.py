"""Where a finding belongs: an incident whose fault can explain it, or one of its own.

Only onsets are compared, never the times of detection, so slow detectors do not matter.  In order:

1. subject: a further window or rule of a symptom that is in an incident already joins that one (decision 8); the anchor
   becomes the intersection where the onsets overlap, and stays where they do not;
2. onset: a shared candidate whose interval overlaps; the anchor becomes the intersection, at least two panes wide;
3. tail: a gap of at most half the finding's own onset width; the anchor stays;
4. continuation, P2 and P3 only: same class, a shared source with at least three subjects, and a later onset;
5. none: a new incident.

That a model has no traffic is an alert of its own: it joins other silences only, and nothing else joins it.

A model is downstream of all its features, so sharing a model never joins two sources: candidates are upstream of what fired.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerting.draft import Draft
from alerting.incident import Incident, Interval, JoinedBy
from alerting.lineage import Lineage, is_source
from alerting.members import Subject
from alerting.stopped import is_silence
from alerting.table import Summary
from schemas.findings import KIND_CLASS, Finding

#: So many subjects below a source make a later one a continuation.
CONTINUATION = 3
#: The floor of an anchor, in panes: an estimate has tails, and an anchor that shrinks to a point keeps the next one out.
FLOOR = 2
#: At most so many related incidents are named.
LINKS = 5

Anchor = Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding goes: ``incident`` is None for a new one; ``links`` are others that it could have belonged to."""

    incident: str | None
    anchor: dict[str, Interval]
    joined_by: JoinedBy
    links: tuple[str, ...] = ()


def candidates(finding: Finding, draft: Draft) -> dict[str, Interval]:
    """When a cause at each node above the finding must have begun, to explain its onset."""
    slack = draft.policy.timings.slack
    lo, hi = finding.onset.lo - slack, finding.onset.hi + slack
    above = draft.policy.lineage.above(finding.subject)
    return {node: (lo - path.hi, hi - path.lo) for node, path in above.items()}


def place_of(finding: Finding, draft: Draft) -> Place:
    """The finding's place among the incidents that live."""
    possible = candidates(finding, draft)
    sharing = _ordered(_sharing(possible, draft))
    near = [incident for incident in sharing if is_silence(incident) == (finding.kind == "no_traffic")]
    found = _by_subject(finding, possible, draft) or _by_onset(finding, possible, near, draft=draft)
    found = found or _by_continuation(finding, possible, near, lineage=draft.policy.lineage)
    if found is not None:
        return found
    return Place(None, possible, "first", tuple(i.id for i in sharing if _same_source(i.anchor, possible))[:LINKS])


def _ordered(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda incident: (-len(incident.members), incident.opened, incident.id))


def _sharing(possible: Anchor, draft: Draft) -> list[Incident]:
    by_node = draft.before.index.by_node
    names = frozenset[str]().union(*(by_node.get(node, frozenset()) for node in possible))
    return [draft.incidents[name] for name in names if not draft.incidents[name].overflow]


def _by_onset(finding: Finding, possible: Anchor, near: list[Incident], *, draft: Draft) -> Place | None:
    floor = _floor(finding, draft)
    tail = (finding.onset.hi - finding.onset.lo) // 2
    overlapping = [(incident, _overlap(incident.anchor, possible, floor)) for incident in near]
    fitting = [(incident, anchor) for incident, anchor in overlapping if anchor]
    if fitting:
        (incident, anchor), *others = fitting
        return Place(incident.id, anchor, "onset", tuple(other.id for other, _ in others)[:LINKS])
    for incident in near:
        if any(
            _gap(interval, possible[node]) <= tail for node, interval in incident.anchor.items() if node in possible
        ):
            return Place(incident.id, incident.anchor, "tail")
    return None


def _floor(finding: Finding, draft: Draft) -> int:
    return FLOOR * draft.policy.lineage.panes.get(finding.model, 0)


def _overlap(anchor: Anchor, possible: Anchor, floor: int) -> dict[str, Interval]:
    """The candidates that still explain everything, each interval the intersection and at least ``floor`` wide."""
    shared = ((node, interval, possible[node]) for node, interval in anchor.items() if node in possible)
    return {node: _floored(old, new, floor) for node, old, new in shared if _gap(old, new) <= 0}


def _floored(old: Interval, new: Interval, floor: int) -> Interval:
    lo, hi = max(old[0], new[0]), min(old[1], new[1])
    if hi - lo >= floor:
        return lo, hi
    middle = (lo + hi) // 2
    return max(old[0], middle - floor // 2), min(old[1], middle + floor // 2)


def _gap(old: Interval, new: Interval) -> int:
    """How far two intervals are apart; 0 or less: they overlap."""
    return max(old[0], new[0]) - min(old[1], new[1])


def _by_subject(finding: Finding, possible: Anchor, draft: Draft) -> Place | None:
    """Looked for among all incidents of the model: an anchor may have left a member's own nodes behind."""
    names = draft.before.index.by_model.get(finding.model, frozenset())
    silent = finding.kind == "no_traffic"
    known = (draft.incidents[name] for name in names)
    homes = _ordered(one for one in known if is_silence(one) == silent and _says(one, finding))
    if not homes:
        return None
    home = homes[0]
    return Place(home.id, _overlap(home.anchor, possible, _floor(finding, draft)) or dict(home.anchor), "subject")


def _says(incident: Incident, finding: Finding) -> bool:
    """Whether a member that has a say is about the same subject and of the same class."""
    return any(
        member.counts and _class(member.finding) == _class(finding)
        for member in incident.members.about(finding.subject)
    )


def _by_continuation(finding: Finding, possible: Anchor, near: list[Incident], *, lineage: Lineage) -> Place | None:
    if finding.severity < "P2":
        return None
    for incident in near:
        shared = (node for node in incident.anchor if node in possible and is_source(node))
        if _class(finding) in incident.classes and any(
            _continues(finding, incident, node, lineage=lineage) for node in shared
        ):
            return Place(incident.id, incident.anchor, "continuation")
    return None


def _continues(finding: Finding, incident: Incident, source: str, *, lineage: Lineage) -> bool:
    if finding.onset.hi < incident.anchor[source][0]:
        return False
    return incident.members.subjects.summed(_below(lineage)).get(source, 0) >= CONTINUATION


def _below(lineage: Lineage) -> Summary[Subject, Counter[str]]:
    """By source, of how many of the subjects it is upstream."""

    def of(subject: Subject) -> Counter[str]:
        return Counter(node for node in lineage.above(subject.name) if is_source(node))

    return Summary("below", of, lambda parts: sum(parts, Counter()), by=lineage)


def _same_source(anchor: Anchor, possible: Anchor) -> bool:
    return any(is_source(node) and node in possible for node in anchor)


def _class(finding: Finding) -> str:
    return KIND_CLASS[finding.kind]
