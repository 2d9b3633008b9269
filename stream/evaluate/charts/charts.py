"""Charts of pane scores, and when each feature last had a value: what evaluation remembers from pane to pane.

A pane's value of each charted column (:mod:`stream.evaluate.columns.charted`) goes into two two-sided CUSUMs, one for shifts of
1 sd and one for small ones, and into an EWMA that describes.  Pure: charts go in and come out; a pane that is not after the last
one (a revised one) changes nothing.

A chart that is beyond its limit stays so until its sum is well below: at the limit itself noise would cross it again and again,
each time an alarm that no budget counted.  And a sum is held just above its limit, so that charts are clear soon after recovery,
however large the trouble was: within `MEMORY_PANES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import ewma
from detectors.budget.limits import SLACKS
from stream.evaluate.charts import named as named_charts
from stream.evaluate.charts import recent
from stream.evaluate.charts.limits import BACK, HELD, limits_of
from stream.evaluate.charts.named import Named
from stream.evaluate.charts.recent import Recent
from stream.evaluate.columns.counted import Counted
from stream.evaluate.columns.watched import Watched
from stream.state.packing import Partial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Panes from any trouble's end until each chart is clear, on average.
MEMORY_PANES = tuple(round((HELD + BACK) / slack) for slack in SLACKS)
#: (sides, 1), (charts, 1, 1): values count up and down, less each chart's slack.
_SIDES = np.array([[1.0], [-1.0]])
_SLACKS = np.array(SLACKS)[:, None, None]


class Still(msgspec.Struct, frozen=True, array_like=True):
    """A feature's value in every row of its newest panes: which, since the start of which pane, panes and rows."""

    value: float
    since: int
    panes: int
    rows: int


@dataclass(frozen=True, eq=False, slots=True)
class Charts:
    """The state after the pane that ended at ``at``; columns are the charted ones of ``layout`` (its hash), in their order.

    ``first`` is the start of the first pane ever seen, ``values`` the end of the last pane in which a feature had a value.
    sums: (charts, up and down, columns); ``since``: values that each sum rests on, since it was last 0.
    beyond: (charts, columns) whether each alarms; ``began``: (charts, columns, from and to) when that which it found began.
    smoothed: (columns,) the EWMA; ``recent``: the newest values.
    still: features that hold one value (`stream.evaluate.quality.still`).
    panes: how many these charts have seen; ``named``: the charts that the file names, which are not stored but rebuilt.
    """

    layout: str = ""
    first: int | None = None
    at: int | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    sums: Floats = field(default_factory=lambda: np.zeros((len(SLACKS), 2, 0)))
    since: Ints = field(default_factory=lambda: np.zeros((len(SLACKS), 2, 0), dtype=np.int64))
    beyond: Bools = field(default_factory=lambda: np.zeros((len(SLACKS), 0), dtype=np.bool_))
    began: Ints = field(default_factory=lambda: np.zeros((len(SLACKS), 0, 2), dtype=np.int64))
    smoothed: Floats = field(default_factory=lambda: np.zeros(0))
    recent: Recent = field(default_factory=lambda: recent.begun(0))
    still: Mapping[str, Still] = field(default_factory=dict)
    panes: int = 0
    named: Named | None = None

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(
            _Stored(
                layout=self.layout, first=self.first, at=self.at, values=dict(self.values),
                smoothed=self.smoothed.tolist(), sums=self.sums.tolist(), since=self.since.tolist(),
                beyond=self.beyond.tolist(), began=self.began.tolist(), recent=self.recent.stored(),
                still=dict(self.still), panes=self.panes,
            )
        )  # fmt: skip

    @staticmethod
    def from_json(stored: bytes) -> Charts:
        """What ``to_json`` wrote; of an older form only what is known of freshness.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        found = _DECODER.decode(stored)
        known = Charts(layout=found.layout, first=found.first, at=found.at, values=found.values, still=found.still)
        sums = np.array(found.sums, dtype=np.float64)
        if sums.ndim != 3 or sums.shape[:2] != known.sums.shape[:2]:
            return replace(known, layout="")
        series = recent.recalled(found.recent, sums.shape[2])
        return replace(
            known, sums=sums, since=np.array(found.since, dtype=np.int64),
            beyond=np.array(found.beyond, dtype=np.bool_), began=np.array(found.began, dtype=np.int64),
            smoothed=np.array(found.smoothed, dtype=np.float64), recent=series,
            panes=found.panes or len(series.ends),
        )  # fmt: skip


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    layout: str = ""
    first: int | None = None
    at: int | None = None
    values: dict[str, int] = msgspec.field(default_factory=dict)
    smoothed: list[float] = []
    sums: list[list[list[float]]] = []
    since: list[list[list[int]]] = []
    beyond: list[list[bool]] = []
    began: list[list[list[int]]] = []
    recent: recent.Stored = recent.Stored()
    still: dict[str, Still] = msgspec.field(default_factory=dict)
    panes: int = 0


_DECODER = msgspec.json.Decoder(_Stored)


@dataclass(frozen=True, eq=False, slots=True)
class Stepped:
    """The charts after a pane, and how many values each column had in it; ``filled``: which had any."""

    charts: Charts
    rows: Ints
    filled: Bools


def stepped(
    charts: Charts, watched: Watched, counted: Counted, *, spans: Sequence[tuple[int, int]]
) -> Iterator[Stepped]:
    """The charts after each of some panes ``[start, end)``, in their order; those of another layout begin anew.

    What stands still is not among them: it is `stream.evaluate.quality.still`'s to say.
    """
    charts = _begun(charts, watched, start=spans[0][0])
    has_values, filled = counted.values > 0, counted.rows > 0
    if not len(watched.charted):
        for at, (_, end) in enumerate(spans):
            values = {**charts.values, **_seen(watched, has_values[at], end)}
            charts = replace(charts, values=values, at=end, still={})
            yield Stepped(charts, counted.rows[at], filled[at])
        return
    recents = charts.recent.thens([end for _, end in spans], counted.x, filled)
    moves = _SIDES * counted.x[:, None, None, :] - _SLACKS
    for at, (_, end) in enumerate(spans):
        values = {**charts.values, **_seen(watched, has_values[at], end)}
        pane = _Pane(end, values, counted.x[at], moves[at], None if filled[at].all() else filled[at])
        charts = _moved(charts, watched, pane, newest=recents[at])
        yield Stepped(charts, counted.rows[at], filled[at])


def _seen(watched: Watched, has_value: Bools, end: int) -> dict[str, int]:
    """The features with a value in a pane that ends here."""
    names = watched.feature_names
    if has_value.all():
        return dict.fromkeys([name for name in names if name is not None], end)
    pairs = zip(names, has_value.tolist(), strict=True)
    return {name: end for name, seen in pairs if seen and name is not None}


def revised(charts: Charts, watched: Watched, partial: Partial, *, end: int) -> Charts:
    """The charts with what a pane holds now that they have seen: sums go on, and what is rebuilt from the series is rebuilt."""
    if charts.layout != watched.layout.hash or not len(watched.charted):
        return charts
    (x,), (rows,) = watched.charted.values(partial.cells[np.newaxis])
    series = charts.recent.revised(end, x, rows > 0)
    return charts if series is charts.recent else replace(charts, recent=series, named=None)


def with_named(charts: Charts, watched: Watched) -> Charts:
    """The charts with those that the file names, rebuilt where they are not these."""
    if charts.layout != watched.layout.hash or named_charts.is_current(
        charts.named, panes=charts.panes, watched=watched
    ):
        return charts
    return replace(charts, named=named_charts.rebuilt(charts.recent, panes=charts.panes, watched=watched))


def _begun(charts: Charts, watched: Watched, *, start: int) -> Charts:
    count, layout = len(watched.charted), watched.layout.hash
    first = start if charts.first is None else min(charts.first, start)
    if charts.layout == layout and charts.sums.shape[2] == count:
        return charts if first == charts.first else replace(charts, first=first)
    return Charts(
        layout=layout, first=first, at=charts.at, values=charts.values,
        sums=np.zeros((len(SLACKS), 2, count)), since=np.zeros((len(SLACKS), 2, count), dtype=np.int64),
        beyond=np.zeros((len(SLACKS), count), dtype=np.bool_), began=np.zeros((len(SLACKS), count, 2), dtype=np.int64),
        smoothed=np.zeros(count), recent=recent.begun(count),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Pane:
    """What a pane brings: values by feature, those of the charts, what each sum moves by; ``filled`` None: all have one."""

    end: int
    values: Mapping[str, int]
    x: Floats
    moves: Floats
    filled: Bools | None


def _moved(charts: Charts, watched: Watched, pane: _Pane, *, newest: Recent) -> Charts:
    limits, filled = limits_of(watched), pane.filled
    sums = np.minimum(np.maximum(charts.sums + pane.moves, 0.0), limits.held[:, None])
    smoothed = ewma.step(charts.smoothed, pane.x)
    if filled is not None:
        sums, smoothed = np.where(filled, sums, charts.sums), np.where(filled, smoothed, charts.smoothed)
    highest = np.maximum(sums[:, 0], sums[:, 1])
    moved = Charts(
        layout=charts.layout,
        first=charts.first,
        at=pane.end,
        values=pane.values,
        sums=sums,
        since=(charts.since + (1 if filled is None else filled)) * (sums > 0.0),
        beyond=(highest > limits.at) | (charts.beyond & (highest > limits.clear)),
        began=charts.began,
        smoothed=smoothed,
        recent=newest,
        panes=charts.panes + 1,
    )
    moved = replace(moved, named=named_charts.then(charts.named, moved.recent, panes=moved.panes, watched=watched))
    new = moved.beyond & ~charts.beyond
    return _dated(moved, new, pane_ms=watched.layout.pane_ms) if new.any() else moved


def _dated(charts: Charts, new: Bools, *, pane_ms: int) -> Charts:
    """With the onsets of what charts found in this very pane."""
    began = charts.began.copy()
    for chart, column in np.argwhere(new).tolist():
        falling = bool(charts.sums[chart, 1, column] > charts.sums[chart, 0, column])
        began[chart, column] = charts.recent.onset(column, falling=falling, pane_ms=pane_ms)
    return replace(charts, began=began)
