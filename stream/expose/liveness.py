"""Whether a worker still does its work, decided from what is seen of it once a tick: three things that only a restart mends.

The event loop has hung, Kafka's consumer has ended, or nothing is stored although there is something to read.  Seconds are
counted in ticks that were really made: a process that was stopped for an hour and goes on has hung for one tick.

What no restart mends is no reason: while Redis or Kafka do not answer, before the first configuration, and while the
partitions that have something to read are held back, the count begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from faust.types import TP

TICK_S = 1.0
#: How often Kafka is asked for the ends of its logs, while nothing is stored.
ASK_EVERY_S = 5.0
#: What has ended and is still there after so long does not end by itself.
ENDED_FOR_S = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a partition stands: ``position`` is the next offset to read, ``stored`` the next to store."""

    position: int
    read: int
    stored: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What the event loop says of the worker: its partitions but those held back, and ``ended``: what ended under it.

    ``excused``: reading waits for something that a restart would wait for, too.
    """

    places: Mapping[TP, Place] = field(default_factory=dict)
    excused: bool = False
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen so far: for how long the loop was silent, something was ended, and what lags was not stored."""

    stored: Mapping[TP, int] = field(default_factory=dict)
    silent_s: float = 0.0
    ended_s: float = 0.0
    unasked_s: float = 0.0
    stuck_s: float = 0.0
    lag: int = 0


def silent(watch: Watch) -> Watch:
    """After a tick in which the event loop did not answer."""
    return replace(watch, silent_s=watch.silent_s + TICK_S)


def seen(watch: Watch, sight: Sight) -> Watch:
    """After a tick in which it said this.  What moved, or has nothing to wait for, begins anew."""
    stored = {tp: place.stored for tp, place in sight.places.items()}
    ended_s = watch.ended_s + TICK_S if sight.ended else 0.0
    if sight.excused or not stored or stored != watch.stored:
        return Watch(stored, ended_s=ended_s)
    stuck_s = watch.stuck_s + TICK_S if watch.lag else 0.0
    return replace(watch, silent_s=0.0, ended_s=ended_s, unasked_s=watch.unasked_s + TICK_S, stuck_s=stuck_s)


def asks(watch: Watch) -> bool:
    """Whether Kafka is to be asked for the ends of the logs now."""
    return watch.unasked_s >= ASK_EVERY_S


def told(watch: Watch, sight: Sight, ends: Mapping[TP, int]) -> Watch:
    """After Kafka said where these logs end; of a partition that is missing there, it did not say.

    >>> tp = TP("predictions", 0)
    >>> told(Watch(), Sight({tp: Place(position=7, read=7, stored=5)}), {tp: 10}).lag
    5
    """
    lag = sum(_lag(place, ends[tp]) for tp, place in sight.places.items() if tp in ends)
    return replace(watch, unasked_s=0.0, lag=lag, stuck_s=watch.stuck_s if lag else 0.0)


def verdict(watch: Watch, sight: Sight, *, patience_s: float) -> str:
    """Why the worker is to end; empty while it is not."""
    if watch.silent_s >= patience_s:
        return f"the event loop has not answered for {watch.silent_s:.0f} s"
    if watch.ended_s >= ENDED_FOR_S:
        return sight.ended
    if watch.stuck_s >= patience_s:
        return f"nothing was stored for {watch.stuck_s:.0f} s with {watch.lag} records to read, though Redis and Kafka answer"
    return ""


def _lag(place: Place, end: int) -> int:
    return max(0, end - place.position) + place.read - place.stored
