"""How a consumer group's leader shares out partitions: in turn, but for topics that one worker must have together.

Faust has aiokafka deal all partitions out in turn where no table has a standby.  In turn, ``findings`` and ``actions`` go to
different workers of two wherever the input topics between them have an even number of partitions, and then nobody owns the
incidents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

#: Topic to partitions, of one member.
Share = dict[str, list[int]]


class TogetherAssignor(RoundRobinPartitionAssignor):  # type: ignore[misc] # aiokafka ships no types
    """Every member has about as many partitions; the one with the fewest others has all of ``together``."""

    name = "together"
    together: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> dict[str, ConsumerProtocolMemberAssignment]:
        """By member, what it reads."""
        dealt = super().assign(cluster, members)
        shares = regrouped({member: dict(one.assignment) for member, one in dealt.items()}, cls.together)
        return {
            member: ConsumerProtocolMemberAssignment(cls.version, sorted(share.items()), b"")
            for member, share in shares.items()
        }


def regrouped(shares: Mapping[str, Share], together: frozenset[str]) -> dict[str, Share]:
    """The shares with all topics of ``together`` in one of them.

    >>> regrouped({"a": {"actions": [0], "serving": [0]}, "b": {"findings": [0]}}, frozenset({"actions", "findings"}))
    {'a': {'serving': [0]}, 'b': {'actions': [0], 'findings': [0]}}
    """
    kept = {member: {t: p for t, p in share.items() if t not in together} for member, share in shares.items()}
    moved: Share = {}
    for share in shares.values():
        for topic in together & share.keys():
            moved[topic] = sorted([*moved.get(topic, []), *share[topic]])
    chosen = min(kept, key=lambda member: (sum(map(len, kept[member].values())), member))
    kept[chosen] |= dict(sorted(moved.items()))
    return kept
