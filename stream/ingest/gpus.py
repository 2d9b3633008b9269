"""Samples of GPUs on their way to Redis: kept until they are stored, which is before the offset behind them is.

A kill in between has them read and stored again, which changes nothing (:mod:`stream.state.gpus`).  Of each GPU and minute only
the newest waits, and no more than ``MOST_WAITING`` in all.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from redis.exceptions import ResponseError

from schemas.gpus import Sample, Sampled
from stream.state.gpus import MINUTE, GpuStore
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: A producer may make a name of anything, and a checkpoint may be long in coming.
MOST_WAITING = 50_000


@dataclass(slots=True, eq=False)
class GpuTally:
    """What became of samples, for metrics: ``left_out`` are values, by reason; ``dropped`` whole samples without room."""

    samples: int = 0
    dropped: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


class GpuSamples:
    """``add`` as they are counted; ``settle`` returns once everything added before is stored."""

    def __init__(self, store: GpuStore, *, patience: Patience) -> None:
        self.tally = GpuTally()
        self._store, self._patiently = store, patience
        self._waiting: dict[tuple[str, int], Sample] = {}

    def add(self, found: Sequence[Sampled]) -> None:
        """Keep these; returns at once."""
        for one in found:
            self.tally.samples += 1
            self.tally.left_out.update(one.left_out)
            self._keep(one.sample)

    async def settle(self) -> None:
        """Store what waits, for as long as it takes."""
        waiting, self._waiting = self._waiting, {}
        by_gpu: dict[str, list[Sample]] = {}
        for sample in waiting.values():
            by_gpu.setdefault(sample.name, []).append(sample)
        if not by_gpu:
            return
        try:
            refused = await self._patiently(lambda: self._written(by_gpu))
        except BaseException:
            for sample in waiting.values():
                self._keep(sample)
            raise
        self.tally.dropped += sum(len(by_gpu[name]) for name in refused)

    async def _written(self, samples: Mapping[str, Sequence[Sample]]) -> Collection[str]:
        """What was not taken.  A key that is something else is no outage: no event of a model waits until it is removed."""
        try:
            return await self._store.write(samples)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            log.error("samples of GPUs are given up: %s", error)
            return samples.keys()

    def _keep(self, sample: Sample) -> None:
        place = sample.name, sample.timestamp // MINUTE
        known = self._waiting.get(place)
        if known is None and len(self._waiting) >= MOST_WAITING:
            self.tally.dropped += 1
        elif known is None or _order(sample) > _order(known):
            self._waiting[place] = sample


def _order(sample: Sample) -> tuple[int, bytes]:
    """As Redis orders them."""
    return sample.timestamp, sample.to_json()
