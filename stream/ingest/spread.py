"""Over how many panes and cells the events of one record spread, as the models in force count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.events import Event, FeatureValues, Rejected, Watermark
from schemas.timestamps import LATEST_MS
from stream.ingest.growth import MOST_PANES, check_cells, check_panes
from stream.ingest.shape import Shape
from stream.ingest.slab import Slab

Found = Sequence[Event | Rejected]


@dataclass(frozen=True, slots=True)
class Spread:
    """``numbers`` are those of the shapes by model, ``declared`` by feature."""

    shapes: tuple[Shape, ...]
    numbers: Mapping[str, int]
    declared: Mapping[str, tuple[int, ...]]

    def check(self, events: Found) -> None:
        """Refuse a record that spreads too far.

        :raises RejectedEvent: ``too_large``.
        """
        check_cells(self._cells(events))
        # So few events cannot fall into too many panes, but where many models declare a feature.
        if len(events) > MOST_PANES:
            check_panes(self._panes(events))

    def check_slabs(self, slabs: Sequence[Slab]) -> None:
        """The same for columns."""
        check_panes(sum(len(np.unique(slab.times // self.shapes[slab.shape].pane_ms)) for slab in slabs))

    def _cells(self, events: Found) -> int:
        values: Counter[str] = Counter()
        for event in events:
            if isinstance(event, FeatureValues):
                values[event.feature] += len(event.values)
        return sum(count * self._row_cells(feature) for feature, count in values.items())

    def _row_cells(self, feature: str) -> int:
        return sum(self.shapes[number].columns for number in self.declared.get(feature, ()))

    def _panes(self, events: Found) -> int:
        """Distinct (model, pane) that the events would be counted in; one integer each, as no pane is beyond LATEST_MS."""
        panes = (
            number * (LATEST_MS + 1) + event.timestamp_ms // self.shapes[number].pane_ms
            for event in events
            if not isinstance(event, Rejected | Watermark)
            for number in self._counted_in(event)
        )
        return len(np.unique(np.fromiter(panes, np.int64)))

    def _counted_in(self, event: Any) -> tuple[int, ...]:
        if isinstance(event, FeatureValues):
            return self.declared.get(event.feature, ()) if event.values else ()
        return (self.numbers[event.model],) if event.model in self.numbers else ()
