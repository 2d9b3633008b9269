"""Values of a feature store that came in events, as columns: many values of one feature cost no object a row.

Rows are as wide as the stream's widest model, a slab is as wide as its own: a record fills what ``check_cells`` has counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from schemas.events import FeatureValues
from stream.ingest import codes, marks
from stream.ingest.shape import Columns, Shape
from stream.ingest.slab import Floats, Slab
from stream.ingest.strict import category_of, number_of
from stream.transport import Record

#: Values of one feature from which on they are put into columns: fewer are cheaper as rows.
ENOUGH = 24


def together(events: Sequence[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Events that follow each other and have values of the same feature; every other one alone.  With the place of the first."""
    if len(events) == 1:
        yield 0, list(events)
        return
    for _, group in groupby(enumerate(events), _about):
        first, *others = group
        yield first[0], [first[1], *(event for _, event in others)]


def _about(placed: tuple[int, Any]) -> str | int:
    place, event = placed
    return event.feature if isinstance(event, FeatureValues) and event.values else place


def places(events: Sequence[Any], first: int | None) -> Sequence[int | None]:
    """Where in their record these stand, from ``first`` on; None of one that is all that its record holds."""
    return [None] if first is None else range(first, first + len(events))


def slab_of(events: Sequence[FeatureValues], number: int, shape: Shape, *, record: Record, first: int | None) -> Slab:
    """The values as one model counts them; ``first`` is the place of the first event in a record of several."""
    feature, values = events[0].feature, [value for event in events for value in event.values]
    lengths = [len(event.values) for event in events]
    path = f"features.{feature}"
    return Slab(
        number, record, np.repeat(np.array([event.timestamp_ms for event in events], np.int64), lengths),
        _numbers(values, path, shape.narrow), _numbers(values, path, shape.wide),
        tuple(list(map(category_of, values)) if path == other else codes.ABSENT for _, other in shape.categorical),
        chosen=None if first is None else np.repeat(np.array(places(events, first), np.int64), lengths),
        is_one=first is None,
    )  # fmt: skip


def _numbers(values: Sequence[Any], path: str, columns: Columns) -> Floats:
    found = np.full((len(columns), len(values)), marks.ABSENT_VALUE)
    for at, (_, other) in enumerate(columns):
        if path == other:
            found[at] = np.fromiter(map(number_of, values), np.float64, len(values))
    return found
