"""When the models of a stream are due, as far as their configurations say: worked out once while all stand where they are.

A look that finds nothing new must not go over every model: there are four a second, and a thousand models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import PartitionState, closed_before, stream_watermark, waited_for


@dataclass(frozen=True, slots=True)
class Pace:
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


def paces_of(units: Iterable[Unit]) -> Paces:
    """The paces of these units, as their next panes are watched."""
    units = list(units)
    monitors = {unit.model: (unit.phase.pane_ms, unit.phase.watched.monitor.lateness_ms) for unit in units}
    known = {pair: Pace(*pair) for pair in set(monitors.values())}
    of = {model: known[pair] for model, pair in monitors.items()}
    return Paces(of, frozenset(known.values()), tuple(unit for unit in units if unit.listens))


def models_here(partitions: Iterable[PartitionState]) -> frozenset[str]:
    """The models that wait for a partition which was put behind the others."""
    return frozenset().union(*(one.behind.here for one in partitions if one.behind is not None))


def _end(partitions: Sequence[PartitionState], pace: Pace) -> int:
    return closed_before(stream_watermark(partitions, lateness_ms=pace.lateness_ms), pane_ms=pace.pane_ms)
