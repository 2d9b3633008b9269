"""A small model to judge: its reference over 40 days of hourly panes, its monitor, and panes of rows without any stream.

``temp`` is the numeric column of ``NUMBERS`` (2 000 rows), ``dest`` the categorical one; ``tail`` is counted by a hash and so
has no reference.  Rows are counted here in the plainest way, apart from how ingest does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.edges import bin_of
from detectors.moments import quantise
from detectors.outside import outside_keys
from detectors.profile import build_reference, coded, panes_of
from detectors.value_buckets import bucket_of
from schemas.monitored import FeatureMonitor, ModelMonitor, PredictionMonitor, ServingMonitor
from schemas.names import Stream
from schemas.reference import Reference
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window
from stream.state.columns import layouts_of
from stream.state.layout import CATEGORY_TAIL, EVENTS, HASH_BUCKETS, LATE, SPECIALS, Layout
from stream.state.packing import Partial, empty

Floats = NDArray[np.float64]
Rows = Mapping[str, Any]

HOUR = 3_600_000
DAY = 24 * HOUR
PANES = 40 * 24

TEMP: Floats = np.asarray(((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10, dtype=np.float64)
NOW: Floats = np.asarray(((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5, dtype=np.float64)
DEST = ["a"] * 700 + ["b"] * 250 + ["c"] * 49 + ["d"]
DEST_NOW = ["a"] * 330 + ["b"] * 140 + ["c"] * 20 + ["e"] * 10
SCORE: Floats = np.asarray((np.arange(1, 2001) * 0.4142135623730951) % 1, dtype=np.float64)

#: What an event calls the column.
PATHS = {
    "perplexity": "perplexity",
    "score": "prediction.score",
    "label": "prediction.label",
    "status": "status",
    "latency_s": "latency_s",
}


def reference() -> Reference:
    """2 000 rows, about two in each hour, whose order is not that of their values."""
    times = np.arange(2000, dtype=np.int64) * (PANES * HOUR // 2000)
    return build_reference(
        "m", {"temp": TEMP, "dest": coded(DEST * 2)}, panes=panes_of(times, pane_ms=HOUR), score=SCORE
    )  # fmt: skip


REFERENCE = reference()


def monitor(**changed: Any) -> ModelMonitor:
    features = {
        "temp": FeatureMonitor(type="numeric", source="weather", importance=0.3, owner="data"),
        "dest": FeatureMonitor(type="categorical", importance=0.1),
        "tail": FeatureMonitor(type="categorical", hash=True, importance=0.0),
    }
    fields: dict[str, Any] = {
        "pane_ms": HOUR, "windows": {"day": DAY}, "step_ms": DAY, "lateness_ms": 0, "revise_within_ms": DAY,
        "reference": Path("m.json"), "owner": "ml", "features": features,
        "prediction": PredictionMonitor(kind="binary", classes=("no", "yes"), positive="yes"),
        "serving": ServingMonitor(error_rate=0.05, latency_p95_ms=500),
    }  # fmt: skip
    return ModelMonitor(**fields | changed)


def with_temp(**changed: Any) -> ModelMonitor:
    """The monitor with something else declared of ``temp``."""
    before = monitor()
    temp = before.features["temp"].model_copy(update=changed)
    return before.model_copy(update={"features": {**before.features, "temp": temp}})


def watched(
    monitored: ModelMonitor | None = None, *, stream: Stream = "predictions", of: Reference = REFERENCE
) -> Watched:
    monitored = monitored or monitor()
    layout = layouts_of("m", monitored, of, digest="f" * 64)[stream]
    return Watched("m", stream, layout, monitored, of, {}, 7)


def counted(layout: Layout, rows: Rows, *, late: int = 0) -> Partial:
    """The counts of rows given by column; None is missing.  Columns that are not given count nothing."""
    partial = empty(layout.cells, len(layout.numeric))
    partial.cells[EVENTS] = max((len(values) for values in rows.values()), default=0)
    partial.cells[LATE] = late
    for number, (column, first) in enumerate(zip(layout.numeric, layout.numeric_starts, strict=True)):
        if column.path == PATHS.get(column.name, f"features.{column.name}"):
            _count_numbers(partial, rows.get(column.name, ()), number=number, first=first, layout=layout)
    for named, first in zip(layout.categorical, layout.categorical_starts, strict=True):
        for value in rows.get(named.name, ()):
            known = [*named.categories, *(f"#{bucket}" for bucket in range(named.buckets))]
            tail = named.bins + CATEGORY_TAIL.index("missing" if value is None else "unseen")
            partial.cells[first + (known.index(value) if value in known else tail)] += 1
    return partial


def window(
    of: Watched, rows: Rows, *, name: str = "day", end: int = DAY, late: int = 0, complete: bool = True
) -> Window:
    """A window that ends at ``end``, of the length that the monitor gives it."""
    length = of.monitor.windows.get(name, 28 * DAY)
    return Window(name, end - length, end, counted(of.layout, rows, late=late), complete)


def _count_numbers(partial: Partial, values: Sequence[Any], *, number: int, first: int, layout: Layout) -> None:
    column = layout.numeric[number]
    finite = np.array([value for value in values if value is not None], dtype=np.float64)
    np.add.at(partial.cells, first + bin_of(finite, column.edges), 1)
    partial.cells[first + column.bins + SPECIALS.index("missing")] += len(values) - len(finite)
    if len(finite):
        q = quantise(finite, mean=column.mean, sd=column.sd)
        partial.sums[2 * number : 2 * number + 2] = q.sum(), (q * q).sum()
        partial.extrema[2 * number : 2 * number + 2] = finite.min(), finite.max()
    if column.detailed:
        behind = first + column.bins + len(SPECIALS)
        keys = outside_keys(finite, minimum=column.minimum, maximum=column.maximum, sd=column.sd)
        np.add.at(partial.cells, behind + bucket_of(finite), 1)
        np.add.at(partial.cells, behind + HASH_BUCKETS + keys[keys >= 0], 1)
