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
#: From here on a cause is named; from the second on where it is also so many times as probable as the next.
SURE, LIKELY, AHEAD = 0.5, 1 / 3, 2.0
#: So many are named where none is.
RIVALS = 3


def causes_of(incident: Incident, draft: Draft) -> tuple[Cause, ...]:
    """The most probable causes, the likeliest first; equal ones by name, with equal probabilities."""
    lineage = draft.policy.lineage
    fired = {member.finding.subject: member for member in incident.members.values()}
    fired_by_model = {node: lineage.model_of.get(node) for node in fired}
    scores = {"unknown": math.log(UNKNOWN_PRIOR) + len(fired) * math.log(UNKNOWN_REACH / LEAK)}
    for node, (_, hi) in incident.anchor.items():
        below = Counter(
            model for subject, model in fired_by_model.items() if node in lineage.above(subject) and subject != node
        )
        explained = sum(below.values()) + (node in fired)
        score = _prior(node, fired, lineage) + explained * math.log(REACH / LEAK) + _own(fired.get(node))
        scores[node] = score + sum(
            _silence(node, model, below[model], since=hi, draft=draft) for model in _models(node, lineage)
        )
    return _normal(scores)


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


def _prior(node: str, fired: Iterable[str], lineage: Lineage) -> float:
    ways = (lineage.above(subject).get(node) for subject in fired)
    hops = min((way.hops for way in ways if way is not None), default=0)
    return -0.5 * math.log(1 + len(lineage.below(node))) + hops * math.log(EDGE)


def _own(member: Member | None) -> float:
    if member is None:
        return 0.0
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
