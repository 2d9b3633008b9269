"""Puts models over their quota behind the others, as :mod:`stream.ingest.quota` decides: what is theirs is not read for a while.

From then until it is read to its end, a partition's hash says for which models it waits and which it holds (``behind``), so
that the watermarks of all others need not wait for it.  Where no model has a quota, nothing is counted and nothing is looked at.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from faust.types import TP

from stream.ingest.block import Block
from stream.ingest.follow import Follower
from stream.ingest.intake import Intake
from stream.ingest.quota import Order, Reading, looked
from stream.ingest.tables import StreamTables
from stream.ingest.tenure import Tenure
from stream.state.behind import MOST_HERE, Behind
from stream.state.patience import Patience
from stream.state.store import PaneStore

Ints = npt.NDArray[np.int64]

#: How often it is looked: others wait for so long at most before what is over its quota goes behind them.
LOOK_S = 0.25
#: Events of the feature store are of no model: whoever declares a feature counts them.
OF_MODELS = ("predictions", "labels", "serving")


class Queue:
    """``run_once`` looks and holds; ``order`` is what was decided last."""

    def __init__(
        self, store: PaneStore, intake: Intake, follower: Follower, *, patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.order = Order()
        self._store, self._intake, self._follower, self._patiently = store, intake, follower, patience
        self._clock, self._looked_at = clock, clock()
        self._quotas: Mapping[str, float] = {}
        self._names: dict[StreamTables, tuple[Ints, tuple[str, ...]]] = {}
        #: Rows since the last look, by the number of their model.
        self._counted: dict[tuple[Tenure, StreamTables], Ints] = {}
        #: Who held each partition at the last look.
        self._seen: dict[TP, Tenure] = {}
        self._ends: dict[TP, int] = {}
        self._told: dict[Tenure, Behind] = {}

    async def run_once(self) -> None:
        """Look once."""
        self._agree(self._follower.quotas)
        if not (self._quotas or self._told or self.order.behind):
            return
        now = self._clock()
        counted = self._taken()
        tenures = dict(self._intake.ownership.tenures)
        self.order = looked(
            self._kept(tenures), counted, self._readings(tenures), quotas=self._quotas, seconds=now - self._looked_at
        )
        self._looked_at, self._seen = now, tenures
        self._intake.hold("quota", self.order.behind)
        await self._tell(tenures)

    def note(self, block: Block, tables: StreamTables) -> None:
        """These rows were counted."""
        if block.tenures and block.tenures[0].stream not in OF_MODELS:
            return
        numbers, names = self._numbered(tables)
        width = len(names) + 1
        found = np.bincount(block.tenure * width + numbers[block.layout], minlength=len(block.tenures) * width)
        found = found.reshape(-1, width)
        found[:, -1] += np.bincount(block.sampled, minlength=len(block.tenures))  # samples of GPUs wait as models do
        for tenure, counts in zip(block.tenures, found, strict=True):
            place = tenure, tables
            before = self._counted.get(place)
            self._counted[place] = counts if before is None else before + counts

    def _taken(self) -> dict[TP, Counter[str | None]]:
        """What was counted since the last look, by partition and model; it is forgotten here, and what has ended is left out."""
        counted, self._counted = self._counted, {}
        found: dict[TP, Counter[str | None]] = defaultdict(Counter)
        for (tenure, tables), counts in counted.items():
            names: tuple[str | None, ...] = (*self._numbered(tables)[1], None)
            for number in np.flatnonzero(counts).tolist() if tenure.live else ():
                found[tenure.tp][names[number]] += int(counts[number])
        return found

    def _kept(self, tenures: Mapping[TP, Tenure]) -> Order:
        """What was decided last, but for the mixes of partitions taken anew: whom they hold is not known before they are read."""
        same = {tp: mix for tp, mix in self.order.mixes.items() if self._seen.get(tp) is tenures.get(tp)}
        return replace(self.order, mixes=same)

    def _agree(self, quotas: Mapping[str, float]) -> None:
        """Follow the quotas in force; what models have used stays."""
        if quotas is not self._quotas:
            self._quotas, self._names, self._counted = quotas, {}, {}
            self._intake.counter.counted = self.note if quotas else None

    def _numbered(self, tables: StreamTables) -> tuple[Ints, tuple[str, ...]]:
        """The number of each layout's model among those with a quota, which are named; all others have the one behind them."""
        known = self._names.get(tables)
        if known is None:
            models = [layout.model for layout in tables.layouts]
            names = tuple(sorted(self._quotas.keys() & set(models)))
            of = {name: number for number, name in enumerate(names)}
            known = self._names[tables] = np.array([of.get(model, len(names)) for model in models], np.int64), names
        return known

    def _readings(self, tenures: Mapping[TP, Tenure]) -> dict[TP, Reading]:
        """One that runs ahead waits for itself."""
        found: dict[TP, Reading] = {}
        ahead = self._intake.held("ahead")
        for tp, tenure in tenures.items():
            end = tenure.read + (0 if tp in ahead else self._intake.unread(tenure) or 0)
            found[tp] = Reading(tenure.read, end, self._ends.get(tp, 0))
        self._ends = {tp: reading.end for tp, reading in found.items()}
        return found

    async def _tell(self, tenures: Mapping[TP, Tenure]) -> None:
        """Say of each partition that is behind whom it waits for and whom it holds; no more once it is read to its end."""
        self._told = {tenure: said for tenure, said in self._told.items() if tenure.live}
        for tp, tenure in tenures.items():
            before = self._told.get(tenure)
            said = self._said(tp, tenure, before)
            if said != before and await self._patiently(partial(self._write, tenure, said)):
                if said is None:
                    del self._told[tenure]
                else:
                    self._told[tenure] = said

    def _said(self, tp: TP, tenure: Tenure, before: Behind | None) -> Behind | None:
        held = tp in self.order.behind
        if not held and (before is None or not self._intake.unread(tenure)):
            return None
        waits = frozenset(self.order.mixes[tp].models.keys() & self.order.models) if held else frozenset()
        models = waits or (before.models if before else waits)
        return Behind(models, models | tenure.models) if len(tenure.models) <= MOST_HERE else None

    async def _write(self, tenure: Tenure, said: Behind | None) -> bool:
        fields = {"behind": said.to_text() if said else ""}
        return await self._store.resume(tenure.stream, tenure.partition, epoch=tenure.epoch, fields=fields)
