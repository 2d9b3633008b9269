"""What a closed pane adds to its model's cumulative sums: fields of the hash that its Prometheus series come from.

Pure.  ``increments`` are added (HINCRBY), ``latest`` is kept at its maximum.  A revised pane adds what it gained, so the sums
are those of all events counted, each once, whoever evaluated them and however often a pane was corrected.  A bin of a
measured column is named by what it holds, ``0.05..0.1`` for 0.05 < x <= 0.1: it counts by itself, and reads alike even where
a later release divides it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from detectors.moments import STEPS, scale_of
from stream.state.bulk import CELLS_AT_ONCE
from stream.state.layout import CATEGORY_TAIL, EVENTS, SPECIALS, CategoricalColumn, Layout, NumericColumn
from stream.state.packing import Ints, Partial

#: Columns whose distribution is exported as a histogram.
MEASURED = ("latency_s", "input_tokens", "output_tokens")
STATUS = "status"

#: Behind a numeric column's bins: rows without a number.  Behind the categories: values by other names, then none.
_MISSING = len(("missing", "nan"))
_NAMED = len(("other", "unseen"))
assert SPECIALS[:_MISSING] == ("missing", "nan")
assert CATEGORY_TAIL[: _NAMED + 1] == ("other", "unseen", "missing")


class Sums:
    """What panes that were closed for the first time add up to: worked out and named for all of them together."""

    def __init__(self, summed: Summed) -> None:
        self._summed = summed
        self._panes: list[tuple[int, Partial]] = []
        self._amounts: Ints | None = None
        self._ends: Ints | None = None

    def add(self, pane: Partial, *, pane_end: int) -> None:
        """One more pane; they come in the order of their ends."""
        self._panes.append((pane_end, pane))
        if len(self._panes) * len(pane.cells) >= CELLS_AT_ONCE:
            self._add_up()

    def told(self) -> tuple[dict[str, int], dict[str, int]]:
        """As ``Summed.increments`` of all the panes, and as ``Summed.latest``: by field the end of the last pane that has it."""
        self._add_up()
        if self._amounts is None or self._ends is None:
            return {}, {}
        return self._summed.named(self._amounts), self._summed.last_of(self._ends)

    def _add_up(self) -> None:
        if not self._panes:
            return
        amounts, ends = self._of_one() if len(self._panes) == 1 else self._of_all()
        self._amounts = amounts if self._amounts is None else self._amounts + amounts
        self._ends = ends if self._ends is None else np.maximum(self._ends, ends)
        self._panes.clear()

    def _of_one(self) -> tuple[Ints, Ints]:
        """A live model closes one pane at a time."""
        ((end, pane),) = self._panes
        amounts = self._summed.amounts(pane)
        return amounts, np.where(amounts, end, 0)

    def _of_all(self) -> tuple[Ints, Ints]:
        found = self._summed.amounts_of([pane for _, pane in self._panes])
        ends = np.array([[end] for end, _ in self._panes])
        return found.sum(axis=0), np.where(found, ends, 0).max(axis=0)


class Summed:
    """Which sums a layout's panes add to: found out once, so that a block of panes costs a few passes of numpy.

    Every field counts a run of neighbouring cells, but those of ``sum/``.
    """

    def __init__(self, layout: Layout) -> None:
        runs = list(_runs(layout))
        self._names = [f"{layout.stream}:{name}" for name, _, _ in runs]
        self._starts = np.array([start for _, start, _ in runs], np.int64)
        self._ends = np.array([end for _, _, end in runs], np.int64)
        sums = list(_sums(layout))
        self._cells = layout.cells
        self._names += [f"{layout.stream}:{name}" for name, _ in sums]
        self._sums = np.array([at for _, at in sums], np.int64)
        self._lasts = {
            at: f"{name.removesuffix(':n')}:last" for at, name in enumerate(self._names) if name.endswith(":n")
        }
        self._lasts[0] = f"{layout.stream}:last"

    def increments(self, old: Partial | None, new: Partial) -> dict[str, int]:
        """Fields and what to add to them, zeros left out, for a pane that held ``old`` (None: was not closed before).

        Fields begin with the stream.  ``events``; ``status:<status>``; per measured column ``<column>:<low>..<high>`` and
        ``<column>:sum/<parts>``, the fixed-point sum in units of ``1/parts``; per feature ``feature:<name>:n`` (values:
        finite numbers, names) and ``:missing`` (null, absent or NaN).
        """
        amounts = self.amounts(new)
        return self.named(amounts if old is None else amounts - self.amounts(old))

    def latest(self, new: Partial, pane_end: int) -> dict[str, int]:
        """Fields to be set to the greater of this and what they hold: ``last`` and ``feature:<name>:last``.

        The end (epoch ms) of the newest pane with an event, and with a value of the feature.
        """
        return self.last_of(np.where(self.amounts(new), pane_end, 0))

    def begun(self) -> Sums:
        """The sums of no pane."""
        return Sums(self)

    def amounts(self, pane: Partial) -> Ints:
        """How much of each field is in a pane, in the order that ``named`` knows."""
        upto = np.empty(self._cells + 1, np.int64)
        upto[0] = 0
        pane.cells.cumsum(out=upto[1:])
        return np.concatenate((upto[self._ends] - upto[self._starts], pane.sums[self._sums]))

    def amounts_of(self, panes: Sequence[Partial]) -> Ints:
        """The same of some panes, a row for each."""
        upto = np.zeros((len(panes), self._cells + 1), np.int64)
        np.cumsum(np.stack([pane.cells for pane in panes]), axis=1, out=upto[:, 1:])
        sums = np.stack([pane.sums for pane in panes])[:, self._sums]
        return np.concatenate([upto[:, self._ends] - upto[:, self._starts], sums], axis=1)

    def named(self, amounts: Ints) -> dict[str, int]:
        """Amounts by the names of their fields, zeros left out."""
        return {name: amount for name, amount in zip(self._names, amounts.tolist(), strict=True) if amount}

    def last_of(self, ends: Ints) -> dict[str, int]:
        """For each field the end of the last pane that has it (0: none has), by the names that such ends are kept under."""
        found = ends.tolist()
        return {name: found[at] for at, name in self._lasts.items() if found[at]}


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


def _runs(layout: Layout) -> Iterator[tuple[str, int, int]]:
    """(field, first cell, the one behind the last), the events first."""
    yield "events", EVENTS, EVENTS + 1
    for column, first in zip(layout.numeric, layout.numeric_starts, strict=True):
        end = first + column.bins
        if _is_feature(column):
            yield f"feature:{column.name}:n", first, end
            yield f"feature:{column.name}:missing", end, end + _MISSING
        elif column.path in MEASURED:
            for at, name in enumerate(_bin_names(column), start=first):
                yield name, at, at + 1
    for named, first in zip(layout.categorical, layout.categorical_starts, strict=True):
        end = first + named.bins
        if _is_feature(named):
            yield f"feature:{named.name}:n", first, end + _NAMED
            yield f"feature:{named.name}:missing", end + _NAMED, end + _NAMED + 1
        elif named.path == STATUS:
            for at, status in enumerate(named.categories, start=first):
                yield f"{STATUS}:{status}", at, at + 1


def _sums(layout: Layout) -> Iterator[tuple[str, int]]:
    """(field, which of a partial's sums)."""
    for at, column in enumerate(layout.numeric):
        if column.path in MEASURED and not _is_feature(column):
            yield f"{column.name}:sum/{_parts(column)}", 2 * at


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
