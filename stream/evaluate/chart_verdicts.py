"""What charts say: one verdict a charted column by its CUSUM, at P3, and a description of both charts for reports.  Pure.

**Why P3, and only by default.**  The limits (h = 5; L = 2.814) promise one false alarm in 465 and 500 values that do not hang
together.  Panes of live data do: a day's rhythm or a front of weather alarms many times oftener.  So a chart never pages; it
is information, and where the feature or the model sets ``fixed`` thresholds its owner has said what decides: there it only
describes.  The two charts find the same shifts, so the EWMA never decides and stands in the CUSUM's evidence.

**Onset.**  The change is taken to have begun after the last pane at which the alarming sum was 0, but a sum often falls back
to 0 once more after a small change: simulated, a step of 1 sd lies after that pane in 64 of 100 alarms, and in 96 if the
interval begins 8 panes before it (0.75 sd: 79; 2 sd: 100).  So it does.  A ramp may have begun earlier still.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors import cusum, ewma
from schemas.findings import Effect, Onset
from schemas.reports import Measure
from stream.evaluate import severity
from stream.evaluate.charts import MEMORY_PANES, Charts
from stream.evaluate.measuring import Sizes
from stream.evaluate.verdict import Verdict
from stream.evaluate.watched import Watched
from stream.evaluate.yardstick import Place

RULE = "cusum"
#: The interval of an onset begins so many panes before the last zero, and then holds a step of 1 sd so often.
ONSET_PANES, ONSET_COVERAGE = 8, 0.95
CUSUM = f"k {cusum.SLACK:g}, h {cusum.LIMIT:g}, sd of pane means"
EWMA = f"lambda {ewma.WEIGHT:g}, L {ewma.WIDTH:g}, asymptotic limits"


def decides(watched: Watched, place: Place) -> bool:
    """Whether a column's chart may say something by itself: nobody has set fixed thresholds for it."""
    feature = watched.monitor.features.get(place.name) if place.room == "features" else None
    return watched.stream == "predictions" and not watched.monitor.fixed and not (feature and feature.fixed)


def chart_verdicts(watched: Watched, charts: Charts, sizes: Sizes, *, span: tuple[int, int]) -> Iterator[Verdict]:
    """One verdict for each charted column that has a value in the pane ``[start, end)`` and whose chart decides."""
    for at, number in enumerate(watched.yardstick.charted.tolist()):
        place = watched.yardstick.places[number]
        if sizes.values[number] and decides(watched, place):
            yield _verdict(watched, place, charts, at=at, n=sizes.values[number], span=span)


def chart_measures(watched: Watched, charts: Charts, place: Place) -> dict[str, Measure]:
    """Both charts of a column as they stand: CUSUM's greater sum, the EWMA; nothing where it has none."""
    if charts.layout != watched.layout.hash:
        return {}
    at = watched.yardstick.chart_of(place)
    if at is None:
        return {}
    decided, sum_ = decides(watched, place), max(charts.up[at], charts.down[at])
    return {
        RULE: Measure(sum_, CUSUM, threshold=cusum.LIMIT if decided else None, exceeded=decided and sum_ > cusum.LIMIT),
        "ewma": Measure(charts.smoothed[at], EWMA),
    }


def _verdict(watched: Watched, place: Place, charts: Charts, *, at: int, n: int, span: tuple[int, int]) -> Verdict:
    upward = charts.up[at] >= charts.down[at]
    value = charts.up[at] if upward else charts.down[at]
    since = charts.up_since[at] if upward else charts.down_since[at]
    feature = watched.monitor.features[place.name] if place.room == "features" else None
    return Verdict(
        rule=RULE,
        kind="drift" if feature else "prediction_drift",
        subject=watched.subject_at(place),
        state="firing" if value > cusum.LIMIT else "ok",
        severity=severity.OF_CHART,
        start_ms=span[0],
        memory=MEMORY_PANES * watched.layout.pane_ms,
        every=watched.pane_every_ms,
        value=value,
        threshold=cusum.LIMIT,
        n=n,
        feature=place.name if feature else None,
        source=feature.source if feature else None,
        owner=watched.owner_of(place.name if feature else None),
        onset=Onset(since - ONSET_PANES * watched.layout.pane_ms, span[1], ONSET_COVERAGE),
        effect=Effect(importance=feature.importance if feature else None),
        evidence={"direction": "up" if upward else "down", "ewma": charts.smoothed[at], "ewma_limit": ewma.limit()},
    )
