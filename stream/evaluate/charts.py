"""Charts of pane means, and when each feature last had a value: what evaluation remembers from pane to pane.

A pane's mean of the score and of each numeric feature, in sd of pane means (:mod:`detectors.pane_means`), goes into a two-sided
CUSUM and an EWMA.  There is a chart where the reference has 20 panes in time order that make up the live ones.  Pure: charts
go in and come out; a pane that is not after the last one (a revised one) changes nothing.

Values are cut at 10 sd and sums at twice their limit, so one broken pane cannot hold a chart up for days: a CUSUM is back
below its limit at most 10 panes after full recovery, an EWMA after 26 (`MEMORY_PANES`).
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import cusum, ewma
from detectors.moments import STEPS
from detectors.pane_means import standardised
from stream.evaluate.measuring import Sizes
from stream.evaluate.yardstick import Yardstick
from stream.state.packing import Partial

Floats = NDArray[np.float64]

#: A pane's mean counts as at most so many sd.
CUT = 10.0
#: Sums are held at this many times their limit.
HELD_AT = 2.0
MEMORY_PANES = round((HELD_AT - 1.0) * cusum.LIMIT / cusum.SLACK)


class Charts(msgspec.Struct, frozen=True, kw_only=True):
    """The state after the pane that ended at ``at``; the lists have an entry a charted column, in the yardstick's order.

    ``layout`` is the hash of the layout that the lists belong to.  ``first`` is the start of the first pane ever seen,
    ``values`` the end of the last pane in which a feature had a value.  ``…_since`` is the end of the last pane at which
    the sum was 0.
    """

    layout: str = ""
    first: int | None = None
    at: int | None = None
    values: dict[str, int] = msgspec.field(default_factory=dict)
    smoothed: list[float] = []
    up: list[float] = []
    down: list[float] = []
    up_since: list[int] = []
    down_since: list[int] = []

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(stored: bytes) -> Charts:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return _DECODER.decode(stored)


_DECODER = msgspec.json.Decoder(Charts)


def stepped(
    charts: Charts, yardstick: Yardstick, partial: Partial, *, layout: str, span: tuple[int, int], sizes: Sizes
) -> Charts:
    """The charts after one more pane ``[start, end)``; those of another layout begin anew."""
    if charts.at is not None and span[1] <= charts.at:
        return charts
    charts = _begun(charts, yardstick, layout=layout, span=span)
    values = charts.values | {
        place.name: span[1]
        for at, place in enumerate(yardstick.places)
        if place.room == "features" and sizes.values[at]
    }  # fmt: skip
    return msgspec.structs.replace(
        _moved(charts, yardstick, partial, end=span[1], sizes=sizes), values=values, at=span[1]
    )


def _begun(charts: Charts, yardstick: Yardstick, *, layout: str, span: tuple[int, int]) -> Charts:
    count = len(yardstick.charted)
    first = span[0] if charts.first is None else min(charts.first, span[0])
    if charts.layout == layout and len(charts.up) == count:
        return charts if first == charts.first else msgspec.structs.replace(charts, first=first)
    zeros, begun = [0.0] * count, [span[0]] * count
    return Charts(
        layout=layout, first=first, at=charts.at, values=charts.values,
        smoothed=zeros, up=zeros, down=zeros, up_since=begun, down_since=begun,
    )  # fmt: skip


def _moved(charts: Charts, yardstick: Yardstick, partial: Partial, *, end: int, sizes: Sizes) -> Charts:
    if not len(yardstick.charted):
        return charts
    rows = np.array(sizes.values, dtype=np.int64)[yardstick.charted]
    x = _deviation(yardstick, partial, rows)
    filled = rows > 0
    up_before, down_before, smoothed = (np.array(each) for each in (charts.up, charts.down, charts.smoothed))
    sums = zip((up_before, down_before), cusum.step(up_before, down_before, x), strict=True)
    up, down = (np.where(filled, np.minimum(after, HELD_AT * cusum.LIMIT), before) for before, after in sums)
    return msgspec.structs.replace(
        charts,
        smoothed=np.where(filled, ewma.step(smoothed, x), smoothed).tolist(),
        up=up.tolist(),
        down=down.tolist(),
        up_since=np.where(up == 0.0, end, np.array(charts.up_since, dtype=np.int64)).tolist(),
        down_since=np.where(down == 0.0, end, np.array(charts.down_since, dtype=np.int64)).tolist(),
    )


def _deviation(yardstick: Yardstick, partial: Partial, rows: NDArray[np.int64]) -> Floats:
    """The pane's means in sd of pane means, cut; 0 where the pane has no value."""
    sums = partial.sums[yardstick.charted_sums].astype(np.float64)
    mean = sums / (STEPS * np.maximum(rows, 1))
    return np.clip(standardised(mean, rows, yardstick.between), -CUT, CUT)
