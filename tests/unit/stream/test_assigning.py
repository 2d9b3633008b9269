"""Sharing partitions out: in turn, and what belongs together to one worker, however many there are."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from stream.assigning import TogetherAssignor

INPUTS = {"predictions": 4, "serving": 4, "features": 4, "labels": 4}
OURS = {"actions": 1, "findings": 1}


class Cluster:
    """A broker's topics and how many partitions each has."""

    def __init__(self, **topics: int) -> None:
        self._topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._topics[topic])) if topic in self._topics else None


def assigned(workers: int, **topics: int) -> dict[str, dict[str, list[int]]]:
    """By worker, topics and partitions."""
    members = {f"w{n}": ConsumerProtocolMemberMetadata(0, [*INPUTS, *OURS], b"") for n in range(workers)}
    cluster: Any = Cluster(**topics)
    return {member: dict(one.assignment) for member, one in TogetherAssignor.assign(cluster, members).items()}


@pytest.fixture(autouse=True)
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TogetherAssignor, "together", frozenset(OURS))


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize("features", [0, 1, 4, 5])
def test_one_worker_has_all_that_belongs_together_and_every_partition_has_one_worker(
    workers: int, features: int
) -> None:
    found = assigned(workers, **(INPUTS | OURS | {"features": features}))
    assert [set(OURS) & share.keys() for share in found.values()].count(set(OURS)) == 1
    assert sum(bool(set(OURS) & share.keys()) for share in found.values()) == 1
    dealt = sorted((topic, p) for share in found.values() for topic, parts in share.items() for p in parts)
    wanted = INPUTS | OURS | {"features": features}
    assert dealt == sorted((topic, p) for topic, count in wanted.items() for p in range(count))


def test_workers_have_about_as_many_partitions_each() -> None:
    found = assigned(3, **INPUTS, **OURS)
    assert sorted(sum(map(len, share.values())) for share in found.values()) == [5, 6, 7]


def test_an_input_without_metadata_is_left_out() -> None:
    assert assigned(2, actions=1, findings=1) == {"w0": {"actions": [0], "findings": [0]}, "w1": {}}
