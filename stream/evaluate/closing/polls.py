"""What one look at the partitions tells of one model's stream, and when what is concluded from it was decided.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stream.evaluate.closing.paces import models_here
from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import NO_REBUILD, PartitionState, Rebuild, stream_watermark, waited_for


@dataclass(frozen=True, eq=False, slots=True)
class Poll:
    """What one poll knows for one model: Redis' time and the stream's watermark, partitions and whether it is warming."""

    now: int
    watermark: int
    partitions: Sequence[PartitionState]
    warming: bool
    rebuild: Rebuild = NO_REBUILD


def watermarks(units: Iterable[Unit], partitions: Sequence[PartitionState]) -> dict[str, int]:
    """The stream's watermark for each model, worked out once for all of one lateness that wait for the same partitions."""
    lateness = {unit.model: unit.phase.watched.monitor.lateness_ms for unit in units}
    here = models_here(partitions)
    known: dict[tuple[str, int], int] = {}
    for model, ms in lateness.items():
        key = (model if model in here else "", ms)
        if key not in known:
            known[key] = stream_watermark(waited_for(partitions, key[0]), lateness_ms=ms)
    return {model: known[model if model in here else "", ms] for model, ms in lateness.items()}


def polls_of(
    units: Iterable[Unit], partitions: Sequence[PartitionState], *, now: int, state: tuple[bool, Rebuild]
) -> dict[str, Poll]:
    """What one look tells of each model, with what it tells of the whole stream."""
    marks = watermarks(units, partitions)
    return {model: Poll(now, watermark, partitions, *state) for model, watermark in marks.items()}


def seen_at(now_ms: int, *, lateness_ms: int, event_clock: bool) -> Callable[[int], int]:
    """When something complete at a time was decided: then and the lateness in a replay, else now.

    >>> seen_at(900, lateness_ms=5, event_clock=True)(100), seen_at(900, lateness_ms=5, event_clock=False)(100)
    (105, 900)
    """
    return (lambda at: at + lateness_ms) if event_clock else (lambda at: now_ms)
