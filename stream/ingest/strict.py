"""From an event of the strict contract to the same row of values that the fast path reads.

What the fast path cannot carry, an event may hold all the same: NaN, infinities, a feature of the wrong type.  Such values
become marks that are counted by kind; the rest of the event counts as usual.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from schemas.events import FeatureValues, Label, Prediction, Serving
from stream.ingest import codes, marks
from stream.ingest.shape import Columns, Shape

ModelEvent = Prediction | Label | Serving


@dataclass(frozen=True, slots=True)
class Row:
    """One row of values in a shape's column order, and what of the event nobody declared."""

    narrow: tuple[float | None, ...]
    wide: tuple[float | None, ...]
    categorical: tuple[Any, ...]
    unknown_features: int = 0
    unknown_keys: int = 0


def row_of(event: ModelEvent, shape: Shape) -> Row:
    """The row of a prediction, label or serving event."""
    return Row(
        tuple(number_of(_value(event, path)) for _, path in shape.narrow),
        tuple(number_of(_value(event, path)) for _, path in shape.wide),
        tuple(category_of(_value(event, path)) for _, path in shape.categorical),
        unknown_features=len(undeclared_features(event, shape)),
        unknown_keys=len(event.unknown_keys),
    )


def undeclared_features(event: ModelEvent, shape: Shape) -> list[str]:
    """Features of the event that the model's monitors do not list."""
    declared = shape.features
    return [name for name in event.features if name not in declared] if isinstance(event, Prediction) else []


def rows_of(event: FeatureValues, shape: Shape) -> Iterable[Row]:
    """One row a value of a feature store's event; every other column is absent, not missing."""
    path = f"features.{event.feature}"
    narrow = _only(path, shape.narrow, map(number_of, event.values), absent=marks.ABSENT_VALUE)
    wide = _only(path, shape.wide, map(number_of, event.values), absent=marks.ABSENT_VALUE)
    named = _only(path, shape.categorical, map(category_of, event.values), absent=codes.ABSENT)
    # What is the same for every value has no end.
    return [Row(one, two, three) for _, one, two, three in zip(event.values, narrow, wide, named, strict=False)]


def _only(path: str, columns: Columns, values: Iterable[Any], *, absent: Any) -> Iterable[tuple[Any, ...]]:
    """Of each value a tuple of these columns, which has it where ``path`` is; the same one for all where it is nowhere."""
    row = [absent] * len(columns)
    held = [at for at, (_, other) in enumerate(columns) if other == path]
    return _each(values, row, held) if held else repeat(tuple(row))


def _each(values: Iterable[Any], row: list[Any], held: Sequence[int]) -> Iterable[tuple[Any, ...]]:
    for value in values:
        for at in held:
            row[at] = value
        yield tuple(row)


def number_of(value: Any) -> float | None:
    """The value of a numeric column, or the mark of what it is instead; null is missing.

    >>> number_of(3), number_of(None), number_of(10**400)
    (3.0, None, inf)
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return marks.WRONG_VALUE
    return marks.NAN_VALUE if value != value else _float(value)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def category_of(value: Any) -> Any:
    """The value of a categorical column; what cannot be a category becomes a mark."""
    return value if value is None or isinstance(value, str | int | float) else codes.WRONG_TYPE


def _value(event: ModelEvent, path: str) -> Any:
    holder, _, name = path.rpartition(".")
    if path.startswith("features."):
        features: Mapping[str, Any] = getattr(event, "features", {})
        return features.get(path.removeprefix("features."))
    return getattr(event, name if holder else path, None)
