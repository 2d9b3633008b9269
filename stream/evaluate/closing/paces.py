"""When the models of a stream are due, as far as their configurations say: worked out once while all stand where they are.

A look that finds nothing new must not go over every model: there are four a second, and a thousand models.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import PartitionState, closed_before, stream_watermark, waited_for


class Pace(NamedTuple):
    """How long a model's panes are, and how long they wait for events."""

    pane_ms: int
    lateness_ms: int


@dataclass(frozen=True, eq=False, slots=True)
class Paces:
    """The pace of each model, those that there are, and the models whose silence is listened to."""

    of: Mapping[str, Pace]
    kinds: frozenset[Pace]
    listening: tuple[Unit, ...]

    def ends(self, partitions: Sequence[PartitionState]) -> frozenset[int]:
        """Up to where the models may be closed, each end once."""
        here = models_here(partitions).intersection(self.of)
        found = {_end(waited_for(partitions, model), self.of[model]) for model in here}
        others = frozenset(pace for model, pace in self.of.items() if model not in here) if here else self.kinds
        return frozenset(found | {_end(waited_for(partitions, ""), pace) for pace in others})


async def paces_of(units: Iterable[Unit], *, breath: Callable[[], Awaitable[None]]) -> Paces:
    """The paces of these units, as their next panes are watched."""
    of: dict[str, Pace] = {}
    listening: list[Unit] = []
    for unit in list(units):
        watched = unit.phase.watched
        of[unit.model] = Pace(watched.layout.pane_ms, watched.monitor.lateness_ms)
        if watched.monitor.no_traffic_after_ms is not None and unit.listens:
            listening.append(unit)
        await breath()
    return Paces(of, frozenset(of.values()), tuple(listening))


def models_here(partitions: Iterable[PartitionState]) -> frozenset[str]:
    """The models that wait for a partition which was put behind the others."""
    return frozenset().union(*(one.behind.here for one in partitions if one.behind is not None))


def _end(partitions: Sequence[PartitionState], pace: Pace) -> int:
    return closed_before(stream_watermark(partitions, lateness_ms=pace.lateness_ms), pane_ms=pace.pane_ms)
