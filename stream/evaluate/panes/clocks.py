"""How far a stream is complete, from what the offset hashes of *all* its partitions say.  Pure.

A partition that no worker has taken yet is in the topic all the same, and holds the watermark back: their number comes from
Kafka.  Where every partition is idle nobody knows more than before; the watermark is then the slowest partition's, which is
never beyond one that was told earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stream.state.behind import Behind, behind_of
from stream.state.watermarks import UNREAD, PartitionClock, partition_watermark

#: Fields of an offset hash that evaluation reads.
FIELDS = (
    "clock",
    "closed",
    "idle",
    "sealed",
    "revisions",
    "incarnation",
    "state",
    "warming_until",
    "next",
    "rebuild_to",
    "quiet_to",
    "idle_ms",
    "behind",
)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Whether an emptied Redis is being filled again, and up to when what is judged was judged before that was over."""

    running: bool = False
    quiet_to: int = UNREAD


NO_REBUILD = Rebuild()


def together(several: Iterable[Rebuild]) -> Rebuild:
    """Of several streams, or partitions of one."""
    found = list(several)
    return Rebuild(any(one.running for one in found), max((one.quiet_to for one in found), default=UNREAD))


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One partition as evaluation sees it; ``sealed`` is UNREAD before the first seal.

    Of what an emptied Redis had counted, ``unread`` records are still to come; ``taken``: somebody reads it, or did.
    """

    clock: PartitionClock
    sealed: int = UNREAD
    revisions: int = 0
    incarnation: int = 0
    warming: bool = False
    warming_until: int | None = None
    rebuild: Rebuild = NO_REBUILD
    unread: int = 0
    taken: bool = False
    #: It waits behind others, which need not wait for it.
    behind: Behind | None = None


UNTOUCHED = PartitionState(PartitionClock())


def state_of(values: Sequence[bytes | None]) -> PartitionState:
    """What the fields of an offset hash say, in the order of ``FIELDS``.

    One that was idle when it was put behind the others is not idle: it is not fetched, so its worker hears no more of its end.
    """
    found: Mapping[str, bytes | None] = dict(zip(FIELDS, values, strict=True))
    sealed, to, quiet = _number(found["sealed"]), _number(found["rebuild_to"]), _number(found["quiet_to"])
    behind = behind_of(found["behind"])
    return PartitionState(
        PartitionClock(
            _number(found["clock"]),
            _number(found["closed"]),
            idle=found["idle"] == b"1" and behind is None,
            idle_ms=_number(found["idle_ms"]),
        ),
        sealed=UNREAD if sealed is None else sealed,
        revisions=_number(found["revisions"]) or 0,
        incarnation=_number(found["incarnation"]) or 0,
        warming=found["state"] == b"warming" and to is None,
        warming_until=_number(found["warming_until"]),
        rebuild=Rebuild(to is not None, UNREAD if quiet is None else quiet),
        unread=max(0, to - (_number(found["next"]) or 0)) if to is not None else 0,
        taken=found["next"] is not None,
        behind=behind,
    )


def stream_watermark(partitions: Sequence[PartitionState], *, lateness_ms: int) -> int:
    """The minimum over all partitions that are not idle, or over all where every one is; UNREAD without any.

    >>> busy, idle = PartitionState(PartitionClock(10_000)), PartitionState(PartitionClock(4_000, idle=True))
    >>> stream_watermark([busy, idle], lateness_ms=1_000), stream_watermark([idle, idle], lateness_ms=1_000)
    (9000, 3000)
    >>> stream_watermark([busy, UNTOUCHED], lateness_ms=1_000) == UNREAD
    True
    """
    active = [partition for partition in partitions if not partition.clock.idle] or partitions
    return min((partition_watermark(one.clock, lateness_ms=lateness_ms) for one in active), default=UNREAD)


def rebuilt_to(partitions: Sequence[PartitionState], *, lateness_ms: int) -> int | None:
    """Up to when all that an emptied Redis had counted is counted again; None: it is not yet, or one is not seen to be idle.

    Where every partition is idle, one in which there is no event any more says nothing: the others are counted all the same.

    >>> read = PartitionState(PartitionClock(10_000, idle=True), taken=True)
    >>> gone = PartitionState(PartitionClock(idle=True), taken=True)
    >>> [rebuilt_to(found, lateness_ms=1_000) for found in ([read, gone], [gone], [read, UNTOUCHED])]
    [9000, 0, None]
    """
    if any(one.unread or not one.taken for one in partitions):
        return None
    watermark = stream_watermark(partitions, lateness_ms=lateness_ms)
    if watermark > UNREAD:
        return watermark
    if not all(one.clock.idle for one in partitions):
        return None
    return max(0, *(partition_watermark(one.clock, lateness_ms=lateness_ms) for one in partitions))


def waited_for(partitions: Sequence[PartitionState], model: str) -> Sequence[PartitionState]:
    """The partitions that a model waits for: all but those that are put behind the others and hold nothing of it."""
    found = [one for one in partitions if one.behind is None or model in one.behind.here]
    return found or partitions


def closed_before(watermark: int, *, pane_ms: int) -> int:
    """The end of the last pane that the watermark has passed; UNREAD stays UNREAD.

    >>> closed_before(7_199_999, pane_ms=3_600_000)
    3600000
    """
    return watermark if watermark == UNREAD else watermark - watermark % pane_ms


def _number(value: bytes | None) -> int | None:
    """A topic that was made anew has empty texts where clocks were."""
    return int(value) if value else None
