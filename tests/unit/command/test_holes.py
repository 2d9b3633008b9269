"""Holes of a stretch: what retention took while it was read is counted, the ends of transactions are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from confluent_kafka import Message

from stream.command.stretches import Holes


class At:
    """A message's place."""

    def __init__(self, partition: int, offset: int) -> None:
        self._partition, self._offset = partition, offset

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset


def deleted(stretch: tuple[int, int], came: list[int], *, begins: int) -> int:
    holes = Holes({("t", 0): stretch, ("t", 1): (0, 5)})
    messages: list[Any] = [At(1, offset) for offset in range(5)] + [At(0, offset) for offset in came]
    assert len(list(holes.seen(cast("Iterator[Message]", iter(messages))))) == len(messages)
    return holes.deleted({0: (begins, 100), 1: (0, 5)})


def test_what_was_cut_off_while_it_was_read_is_counted() -> None:
    assert deleted((10, 20), [*range(10, 20)], begins=0) == 0
    assert deleted((10, 20), [*range(10, 20)], begins=15) == 0, "it was read before"
    assert deleted((10, 20), [10, 11, 16, 17, 18, 19], begins=16) == 4
    assert deleted((10, 20), [], begins=30) == 10, "nothing was left of it"
    assert deleted((10, 20), [14, 15, 16, 17, 18, 19], begins=12) == 2, "of the hole what the log does not begin with"


def test_where_a_transaction_ends_nothing_was_deleted() -> None:
    assert deleted((10, 20), [10, 11, 13, 14, 15, 16, 17, 18], begins=10) == 0
