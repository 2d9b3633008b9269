"""What a closed pane adds to its model's cumulative sums: fields of the hash that its Prometheus series come from.

Pure.  ``increments`` is added (HINCRBY), ``latest`` is kept at its maximum.  A revised pane adds what it gained, so the sums
are those of all events counted, each once, whoever evaluated them and however often a pane was corrected.  A bin of a
measured column is named by what it holds, ``0.05..0.1`` for 0.05 < x <= 0.1: it counts by itself, and reads alike even where
a later release divides it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from detectors.moments import STEPS, scale_of
from stream.state.layout import CATEGORY_TAIL, EVENTS, SPECIALS, CategoricalColumn, Layout, NumericColumn
from stream.state.packing import Ints, Partial

#: Columns whose distribution is exported as a histogram.
MEASURED = ("latency_s", "input_tokens", "output_tokens")
STATUS = "status"

_MISSING = tuple(SPECIALS.index(kind) for kind in ("missing", "nan"))
_NAMED_TAIL = tuple(CATEGORY_TAIL.index(kind) for kind in ("other", "unseen"))


def increments(layout: Layout, old: Partial | None, new: Partial) -> dict[str, int]:
    """Fields and what to add to them, zeros left out, for a pane that held ``old`` (None: was not closed before).

    Fields begin with the stream.  ``events``; ``status:<status>``; per measured column ``<column>:<low>..<high>`` and
    ``<column>:sum/<parts>``, the fixed-point sum in units of ``1/parts``; per feature ``feature:<name>:n`` (values: finite
    numbers, names) and ``:missing`` (null, absent or NaN).
    """
    gained = new if old is None else Partial(new.cells - old.cells, new.sums - old.sums, new.extrema)
    fields = [("events", int(gained.cells[EVENTS])), *_counted(layout, gained)]
    return {f"{layout.stream}:{name}": amount for name, amount in fields if amount}


def latest(layout: Layout, new: Partial, pane_end: int) -> dict[str, int]:
    """Fields to be set to the greater of this and what they hold: ``last`` and ``feature:<name>:last``.

    The end (epoch ms) of the newest pane with an event, and with a value of the feature.
    """
    names = [name.removesuffix(":n") for name, amount in _counted(layout, new) if name.endswith(":n") and amount]
    found = [f"{name}:last" for name in names]
    heads = ["last"] if new.cells[EVENTS] else []
    return {f"{layout.stream}:{name}": pane_end for name in (*heads, *found)}


def bounds_of(edges: Sequence[float]) -> tuple[float, ...]:
    """The upper bounds that ``stream.state.columns.up_to`` made edges of.

    >>> bounds_of((0.10000000000000002, 0.25000000000000006))
    (0.1, 0.25)
    """
    return tuple(math.nextafter(edge, -math.inf) for edge in edges)


def bins(totals: Mapping[str, int], stream: str, *, column: str) -> dict[float, int]:
    """Counts of a measured column by their bins' upper bounds (infinity for the last), as they stand in the totals.

    >>> bins({"serving:latency_s:0.05..0.1": 3, "serving:latency_s:60..": 1}, "serving", column="latency_s")
    {0.1: 3, inf: 1}
    """
    prefix = f"{stream}:{column}:"
    found: dict[float, int] = {}
    for field, count in totals.items():
        if field.startswith(prefix) and ".." in field:
            high = field.rpartition("..")[2]
            bound = float(high) if high else math.inf
            found[bound] = found.get(bound, 0) + count
    return found


def total(totals: Mapping[str, int], stream: str, *, column: str) -> float:
    """The sum of a measured column, in its own unit.

    >>> total({"serving:latency_s:sum/4096": 2048}, "serving", column="latency_s")
    0.5
    """
    prefix = f"{stream}:{column}:sum/"
    return sum(count / int(field.removeprefix(prefix)) for field, count in totals.items() if field.startswith(prefix))


def _counted(layout: Layout, partial: Partial) -> Iterator[tuple[str, int]]:
    yield from _numeric(layout, partial)
    yield from _categorical(layout, partial.cells)


def _numeric(layout: Layout, gained: Partial) -> Iterator[tuple[str, int]]:
    for at, (column, first) in enumerate(zip(layout.numeric, layout.numeric_starts, strict=True)):
        cells = gained.cells[first : first + column.bins + len(SPECIALS)]
        if _is_feature(column):
            yield f"feature:{column.name}:n", int(cells[: column.bins].sum())
            yield f"feature:{column.name}:missing", sum(int(cells[column.bins + kind]) for kind in _MISSING)
        elif column.path in MEASURED:
            yield from zip(_bin_names(column), cells[: column.bins].tolist(), strict=True)
            yield f"{column.name}:sum/{_parts(column)}", int(gained.sums[2 * at])


def _categorical(layout: Layout, gained: Ints) -> Iterator[tuple[str, int]]:
    for column, first in zip(layout.categorical, layout.categorical_starts, strict=True):
        cells = gained[first : first + column.cells]
        tail = cells[column.bins :]
        if _is_feature(column):
            named = int(cells[: column.bins].sum()) + sum(int(tail[kind]) for kind in _NAMED_TAIL)
            yield f"feature:{column.name}:n", named
            yield f"feature:{column.name}:missing", int(tail[CATEGORY_TAIL.index("missing")])
        elif column.path == STATUS:
            names = (f"{STATUS}:{name}" for name in column.categories)
            yield from zip(names, cells[: column.bins].tolist(), strict=True)


def _is_feature(column: NumericColumn | CategoricalColumn) -> bool:
    return column.path.startswith("features.")


def _bin_names(column: NumericColumn) -> list[str]:
    ends = ["", *map(_text, bounds_of(column.edges)), ""]
    return [f"{column.name}:{low}..{high}" for low, high in pairwise(ends)]


def _text(bound: float) -> str:
    return str(int(bound)) if bound.is_integer() else repr(bound)


def _parts(column: NumericColumn) -> int:
    """How many steps of the fixed-point sum make one of the column's own unit; the fixed units divide ``STEPS``."""
    return int(STEPS / scale_of(column.sd))
