"""Who may write a partition's state, and from where it is read: what the store says, and what is decided from it.

``resume`` is the pure decision of an assignment: given what is stored, what Kafka has and what the group committed, where
to read from, and what has happened to the log or the store in between (every hole of ``reference/path.md`` §8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Happened = Literal["retention", "recreated", "truncated", "emptied"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """A counter and a random token, compared for equality: a fail-over may roll the counter back, never the token."""

    number: str
    token: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What the offset hash of a partition says; ``next_offset`` None: nothing was ever stored.

    ``incarnation`` counts how often the topic was created anew; panes of earlier ones are kept apart from new ones.
    """

    next_offset: int | None
    clock: int | None
    closed: int | None
    topic_id: str | None
    incarnation: int


@dataclass(frozen=True, slots=True)
class Log:
    """What Kafka says of a partition; ``topic_id`` and ``committed`` are None where the broker does not tell."""

    start: int
    end: int
    topic_id: str | None
    committed: int | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Read from ``offset``; ``lost`` records were deleted unread; ``happened`` names why this is no plain continuation."""

    offset: int
    incarnation: int
    clock: int | None
    closed: int | None
    lost: int = 0
    happened: Happened | None = None


def resume(stored: Stored, log: Log) -> Resume:
    """Where to read a partition from.

    >>> resume(Stored(100, 7, None, "a", 0), Log(start=250, end=900, topic_id="a", committed=100))
    Resume(offset=250, incarnation=0, clock=7, closed=None, lost=150, happened='retention')
    >>> resume(Stored(1000, 7, None, "a", 0), Log(start=0, end=100, topic_id="b", committed=None)).offset
    0
    """
    if stored.next_offset is None:
        return _from_nothing(stored, log)
    if _is_recreated(stored, log):
        return Resume(log.start, stored.incarnation + 1, None, None, happened="recreated")
    if stored.next_offset > log.end:
        return Resume(log.end, stored.incarnation, stored.clock, stored.closed, happened="truncated")
    if stored.next_offset < log.start:
        lost = log.start - stored.next_offset
        return Resume(
            log.start, stored.incarnation, stored.clock, stored.closed, lost=lost, happened="retention"
        )  # fmt: skip
    return Resume(stored.next_offset, stored.incarnation, stored.clock, stored.closed)


def _from_nothing(stored: Stored, log: Log) -> Resume:
    """From the log's start; Redis was emptied where the group had read: beyond that start, or up to what retention passed since."""
    if not log.committed or log.committed == log.start:
        return Resume(log.start, stored.incarnation, None, None)
    lost = max(log.start - log.committed, 0)
    return Resume(log.start, stored.incarnation, None, None, lost=lost, happened="emptied")


def _is_recreated(stored: Stored, log: Log) -> bool:
    """By its id; where that is not known, by a position beyond the end, at which Kafka would let us wait for ever.

    The same topic with a shorter log has lost its newest records (an unclean election): what is left of it was counted.
    """
    if stored.topic_id is None or log.topic_id is None:
        return (stored.next_offset or 0) > log.end
    return stored.topic_id != log.topic_id
