"""The likely cause: a noisy-or over the nodes that can explain every finding of an incident, and ``unknown``.

A fault at a node reaches each watched node below it with probability ``REACH``; a node fires by itself with ``LEAK``.  What
fired raises a candidate; what is silent lowers it, but only by the chance that its rule would have spoken by now.  A finding
of the candidate's own raises it.  Wide nodes explain much and so begin lower, and each further edge costs a little: of two
sources that explain the same, the nearer one comes first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from alerting.draft import Draft
from alerting.incident import Incident, Member
from alerting.lineage import Lineage
from alerting.members import Subject
from alerting.table import Summary
from schemas.incidents import Cause

REACH, LEAK = 0.3, 0.05
#: A cause that the lineage does not know: how likely it is, and that it shows in a node.
UNKNOWN_PRIOR, UNKNOWN_REACH = 0.05, 0.1
EDGE = 0.8
OWN, OWN_PLAIN = 1.0, 1.0
#: Kinds that say at once that the node itself is at fault.
PLAIN = ("stale", "missing", "mark")
#: So many causes are kept.
SHOWN = 5
#: What is made of more nodes is looked at by itself.
FEW = 4
#: From here on a cause is named; from the second on where it is also so many times as probable as the next.
SURE, LIKELY, AHEAD = 0.5, 1 / 3, 2.0
#: So many are named where none is.
RIVALS = 3


def causes_of(incident: Incident, draft: Draft) -> tuple[Cause, ...]:
    """The most probable causes, the likeliest first; equal ones by name, with equal probabilities."""
    lineage, subjects = draft.policy.lineage, incident.members.subjects
    names = [name for name, _ in subjects.summed(_fired(lineage)).values()]
    scores = {"unknown": math.log(UNKNOWN_PRIOR) + len(subjects) * math.log(UNKNOWN_REACH / LEAK)}
    for node, below in explained(incident, draft).items():
        own = subjects.get(node)
        hops = 0 if own is not None else _hops(node, names, lineage)
        count = sum(below.values()) + (own is not None)
        score = _prior(node, hops, lineage) + count * math.log(REACH / LEAK)
        score += 0.0 if own is None else _own(incident.members[own.keys[-1]])
        _, hi = incident.anchor[node]
        scores[node] = score + sum(
            _silence(node, model, below[model], since=hi, draft=draft) for model in _models(node, lineage)
        )
    return _normal(scores)


def explained(incident: Incident, draft: Draft) -> dict[str, Counter[str | None]]:
    """By candidate, how many subjects below it fired, by model."""
    lineage = draft.policy.lineage
    fired = incident.members.subjects.summed(_fired(lineage))
    found = {node: Counter[str | None]() for node in incident.anchor}
    for node, below in found.items():
        for (model, _), (name, count) in fired.items():
            if name != node and node in lineage.above(name):
                below[model] += count
    return found


#: (model, what it is made of) → (one of the subjects that are made of the same, how many there are).
Fired = dict[tuple[str | None, str | tuple[str, ...]], tuple[str, int]]


def _fired(lineage: Lineage) -> Summary[Subject, Fired]:
    """The subjects that fired, those of a model together that are made of the same few: all of them have the same causes."""

    def of(subject: Subject) -> Fired:
        parents = tuple(lineage.parents_of(subject.name))
        made_of = parents if len(parents) <= FEW else subject.name
        return {(lineage.model_of.get(subject.name), made_of): (subject.name, 1)}

    def join(parts: Sequence[Fired]) -> Fired:
        all_of: Fired = {}
        for part in parts:
            for kind, (name, count) in part.items():
                known = all_of.get(kind)
                all_of[kind] = (name, count) if known is None else (known[0], known[1] + count)
        return all_of

    return Summary("fired", of, join, by=lineage)


def likely(incident: Incident) -> str:
    """The causes that share the first place, as one text.

    >>> likely(Incident("a", "k", 0, 0, causes=(Cause("source:a", 0.4), Cause("source:b", 0.4), Cause("unknown", 0.2))))
    'source:a or source:b'
    """
    first = incident.causes[0].probability if incident.causes else 0.0
    return " or ".join(cause.node for cause in incident.causes if cause.probability == first)


def stands_out(causes: Sequence[Cause]) -> bool:
    """Whether the first is probable enough to be told as the cause; a tie is not.

    >>> stands_out([Cause("source:a", 0.56), Cause("source:b", 0.44)]), stands_out([Cause("a", 0.4), Cause("b", 0.1)])
    (True, True)
    >>> stands_out([Cause("a", 0.4), Cause("b", 0.3)]), stands_out([Cause("a", 0.21), Cause("b", 0.04)])
    (False, False)
    """
    if not causes:
        return False
    first, second = causes[0].probability, causes[1].probability if len(causes) > 1 else 0.0
    return first > second and (first >= SURE or (first >= LIKELY and first >= AHEAD * second))


def rivals(causes: Sequence[Cause]) -> list[tuple[Cause, ...]]:
    """The first few, those that are as probable as each other together; none of a tie that is not known whole.

    >>> [len(tied) for tied in rivals([Cause("m", 0.2), *(Cause(name, 0.1) for name in "abcd")])]
    [1]
    """
    tied = [tuple(group) for _, group in groupby(causes, key=lambda cause: cause.probability)]
    whole = tied if len(causes) < SHOWN else tied[:-1]
    found: list[tuple[Cause, ...]] = []
    for group in whole:
        if sum(map(len, found)) + len(group) > RIVALS:
            break
        found.append(group)
    return found


def doubtful(causes: Sequence[Cause]) -> str:
    """The first few with their probabilities, where none stands out.

    >>> doubtful([Cause("source:a", 0.4), Cause("source:b", 0.4), Cause("unknown", 0.2)])
    'source:a or source:b 40 % each, unknown 20 %'
    >>> doubtful([Cause("model:m", 0.21), *(Cause(f"feature:m/{name}", 0.0449) for name in "abcd")])
    'model:m 21 %, others at most 4 % each'
    """
    found = rivals(causes)
    said = [" or ".join(cause.node for cause in tied) + _chance(tied[0], len(tied)) for tied in found]
    rest = causes[sum(map(len, found)) :]
    if rest:
        said.append(f"others at most{_chance(rest[0], len(rest) + 1)}")
    return ", ".join(said)


def _chance(cause: Cause, tied: int) -> str:
    return f" {cause.probability:.0%}".replace("%", " %") + (" each" if tied > 1 else "")


def _hops(node: str, fired: Iterable[str], lineage: Lineage) -> int:
    ways = (lineage.above(subject).get(node) for subject in fired)
    return min((way.hops for way in ways if way is not None), default=0)


def _prior(node: str, hops: int, lineage: Lineage) -> float:
    return -0.5 * math.log(1 + len(lineage.below(node))) + hops * math.log(EDGE)


def _own(member: Member) -> float:
    return OWN + (OWN_PLAIN if member.finding.kind in PLAIN else 0.0)


def _models(node: str, lineage: Lineage) -> Iterable[str]:
    return lineage.monitored_below(node)


def _silence(node: str, model: str, fired: int, *, since: int, draft: Draft) -> float:
    """What the silent nodes of one model below a candidate say against it; ``since``: by when it must have begun."""
    lineage = draft.policy.lineage
    silent = max(0, lineage.monitored_below(node)[model] - fired)
    waited = max(0, draft.clock(model) - since)
    spoken = 1 - math.exp(-waited / max(1, lineage.delays.get(model, 1)))
    return silent * math.log(1 - REACH * spoken)


def _normal(scores: dict[str, float]) -> tuple[Cause, ...]:
    top = max(scores.values())
    weights = {node: math.exp(score - top) for node, score in scores.items()}
    total = sum(weights.values())
    found = (Cause(node, round(weight / total, 3)) for node, weight in weights.items())
    return tuple(sorted(found, key=lambda cause: (-cause.probability, cause.node))[:SHOWN])
