"""Which stretch of a model's own stream its columns are calibrated by, where the reference cannot.  Pure.

A reference without time order, of fewer than twenty panes, or of panes that do not make up the window, says what shares to expect
and not how far honest windows wander.  That is asked of the stream: it is cut into stretches of at least a hundred panes (and of
twenty windows, or days where windows are longer), one after the other from its first pane on; one with days without events goes on
until it holds twenty with some.  Each column takes the first in which it was quiet: near the reference by the rule of thumb, and
its halves alike (`detectors.calibration.live`).  A window is judged by stretches that ended before it began.

Every half year the search begins anew, half a year back: so all of it depends on panes that are still kept, and whoever evaluates,
in a replay or after a restart, finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors import psi_of_columns
from detectors.calibration.blocks import LEAST_BLOCKS
from detectors.calibration.calibrate import Calibration, Window, scale_of
from detectors.calibration.live import calibrate_live, is_quiet
from stream.evaluate.columns.measuring import folded_of
from stream.evaluate.columns.rules import RULE_OF_THUMB
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.panes.tiers import DAY_MS, rows_a_day
from stream.state.packing import Partial

Ints = NDArray[np.int64]

PANES, AGAIN_MS = 100, 180 * DAY_MS


@dataclass(frozen=True, slots=True)
class Stretch:
    """``[start_ms, end_ms)`` of the stream, how many values were counted in it, and the held columns that are calibrated by it.

    ``far``: those that lay far from the reference in all of it, by the rule of thumb.
    """

    start_ms: int
    end_ms: int
    counted: int
    held: tuple[int, ...]
    far: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """(rows, folded bins) of a stretch, each row ``row_ms`` long."""

    row_ms: int
    folded: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Live:
    """What windows are calibrated by beside the reference; ``rows`` of each stretch where tests are to be made.

    ``awaited_ms``: the end of the first window that may be calibrated so, while none can.
    """

    stretches: tuple[Stretch, ...] = ()
    rows: tuple[Rows, ...] = ()
    awaited_ms: int | None = None

    def of(self, held: int) -> Rows | None:
        """What a held column is calibrated by."""
        found = (rows for stretch, rows in zip(self.stretches, self.rows, strict=True) if held in stretch.held)
        return next(found, None)

    @property
    def far(self) -> frozenset[int]:
        """The held columns that lay far from the reference in a whole stretch: that is no chance of a window."""
        return frozenset(held for stretch in self.stretches for held in stretch.far)


NOTHING = Live()


@dataclass(slots=True)
class Search:
    """How far the stretches from ``first_ms`` on were looked at, and which were of use; the next one begins at ``since_ms``."""

    first_ms: int
    upto_ms: int
    since_ms: int
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def settled(self) -> set[int]:
        """The held columns that have their stretch."""
        return {held for stretch in self.stretches for held in stretch.held}


def wants_live(watched: Watched, length_ms: int) -> bool:
    """Whether the reference cannot calibrate windows of a length by itself."""
    reference = watched.reference
    if reference.pane_ms is None or length_ms % reference.pane_ms:
        return bool(reference.rows)
    return len(reference.pane_starts or ()) < LEAST_BLOCKS


def stretch_ms(pane_ms: int, *, window_ms: int, row_ms: int) -> int:
    """The length of a stretch: whole rows.

    >>> [stretch_ms(3_600_000, window_ms=hours * 3_600_000, row_ms=3_600_000) // 3_600_000 for hours in (3, 24, 168)]
    [100, 480, 480]
    """
    wanted = max(PANES * pane_ms, LEAST_BLOCKS * min(window_ms, DAY_MS), LEAST_BLOCKS * row_ms)
    return -(-wanted // row_ms) * row_ms


def first_start(begun_ms: int, window_start_ms: int, *, span_ms: int, row_ms: int) -> int:
    """Where the stretches begin that a window may be calibrated by."""
    again_ms = max(AGAIN_MS, 2 * span_ms)
    times = max(0, (window_start_ms - begun_ms) // again_ms - 1)
    return -(-(begun_ms + times * again_ms) // row_ms) * row_ms


def folded_rows(watched: Watched, rows: Mapping[int, Partial], span: tuple[int, int], *, row_ms: int) -> Rows:
    """The rows of a span in the yardstick's folded bins; those that hold no event are 0."""
    table = np.zeros(((span[1] - span[0]) // row_ms, len(watched.yardstick.folded)), np.int64)
    for start, row in rows.items():
        table[(start - span[0]) // row_ms] = folded_of(watched.yardstick, row)
    return Rows(row_ms, table)


def is_filled(rows: Rows, *, window_ms: int) -> bool:
    """Whether a stretch holds the twenty blocks that a test needs; days without events are none."""
    return _blocks(rows.folded, rows, window_ms=window_ms) >= LEAST_BLOCKS


def far_columns(watched: Watched, rows: Rows) -> tuple[int, ...]:
    """The held columns that lie far from the reference in a stretch as a whole."""
    yardstick = watched.yardstick
    psi, _ = psi_of_columns.driftline(yardstick.folded, rows.folded.sum(axis=0), yardstick.starts)
    return tuple(held for held, value in enumerate(psi.tolist()) if value > RULE_OF_THUMB["psi"])


def quiet_columns(watched: Watched, rows: Rows, *, window_ms: int, but: Iterable[int]) -> tuple[int, ...]:
    """The held columns for which a stretch was quiet, but those that have one."""
    yardstick = watched.yardstick
    near = set(range(len(yardstick.profiles))) - {*far_columns(watched, rows), *but}
    places = (place for place in yardstick.places if place.held in near)
    return tuple(place.held for place in places if _is_quiet(watched, place, rows, window_ms=window_ms))


def live_test(watched: Watched, place: Place, rows: Rows, *, window_ms: int, values: float) -> Calibration | None:
    """The test of a column for windows of so many values."""
    reference = watched.yardstick.folded[watched.yardstick.bins_in(place)]
    window = _window(rows, window_ms=window_ms, values=values)
    return calibrate_live(reference, _values(watched, place, rows), window, ordered=place.number is not None)


def _is_quiet(watched: Watched, place: Place, rows: Rows, *, window_ms: int) -> bool:
    counts = _values(watched, place, rows)
    if _blocks(counts, rows, window_ms=window_ms) < LEAST_BLOCKS:
        return False
    window = _window(rows, window_ms=window_ms, values=float(counts.sum(axis=1).mean()))
    return is_quiet(counts, window, ordered=place.number is not None)


def _blocks(counts: Ints, rows: Rows, *, window_ms: int) -> int:
    """Of a stretch cut for such windows, those that hold a value."""
    scale, _ = scale_of(counts.astype(np.float64), _window(rows, window_ms=window_ms, values=0.0))
    return scale.blocks


def _values(watched: Watched, place: Place, rows: Rows) -> Ints:
    return rows.folded[:, watched.yardstick.bins_in(place)]


def _window(rows: Rows, *, window_ms: int, values: float) -> Window:
    return Window(window_ms // rows.row_ms, values, day=rows_a_day(rows.row_ms))
