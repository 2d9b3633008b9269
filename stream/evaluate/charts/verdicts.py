"""What charts say: a verdict for each that alarms, that the others are clear, and both CUSUMs and the EWMA for reports.  Pure.

**By the budget** a chart decides like the calibrated test: its limit keeps to its share of the rate, so what it finds is worth as
much.  A sum says nothing of size, so that is told by the EWMA, freed of what it holds of the time before: the shift of the middle
in sd of a normal column.  A PSI of such a shift is about its square, and by that square it is as heavy as a PSI would be.

**Elsewhere** the limits promise one false alarm in 465 values that do not hang together, and nobody asked for it: the first chart
is information (P3).  Where thresholds are fixed its owner has said what decides: there it only describes.

**Onset.**  An interval that holds it 95 times in 100, of a step and of a ramp (:mod:`detectors.charts.onset`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from detectors import ewma
from detectors.budget.limits import SLACKS
from detectors.charts import onset
from schemas.findings import Effect, Onset, Severity
from schemas.reports import Measure
from stream.evaluate.charts.charts import MEMORY_PANES, Charts, Stepped
from stream.evaluate.charts.limits import limits_of
from stream.evaluate.charts.named_verdicts import named_measures
from stream.evaluate.columns.charted import RULES
from stream.evaluate.columns.rules import RULE_OF_THUMB
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Clear, Verdict

CUSUMS = tuple(f"k {slack:g}, long-run sd of panes" for slack in SLACKS)
EWMA = f"lambda {ewma.WEIGHT:g}, limit {ewma.limit():.3f} (L {ewma.WIDTH:g}), long-run sd of panes"


def chart_verdicts(watched: Watched, stepped: Stepped, *, span: tuple[int, int]) -> Iterator[Verdict | Clear]:
    """Of the charts that decide and whose column has a value in the pane ``[start, end)``: those that alarm, and the others."""
    said = limits_of(watched).decide & stepped.filled
    if not said.any():
        return
    firing, keys = said & stepped.charts.beyond, watched.chart_keys
    for chart, column in np.argwhere(firing).tolist() if firing.any() else ():
        yield _verdict(watched, stepped, (chart, column), span=span)
    yield Clear(
        tuple(keys[at] for at in np.flatnonzero(said & ~firing).tolist()),
        span[0],
        lambda key: _verdict(watched, stepped, divmod(keys.index(key), len(watched.charted)), span=span),
    )


def budgeted_in(watched: Watched, stepped: Stepped) -> int:
    """How many charts the budget judged in the pane."""
    if watched.monitor.budget is None:
        return 0
    return len(SLACKS) * int(np.count_nonzero(limits_of(watched).budgeted & stepped.filled))


def chart_measures(watched: Watched, charts: Charts, place: Place) -> dict[str, Measure]:
    """The charts of a column as they stand: of each CUSUM the greater sum, and the EWMA; nothing where it has none."""
    at = None if charts.layout != watched.layout.hash else watched.charted.of(place)
    if at is None:
        return {}
    found = {rule: _measure(watched, charts, (chart, at)) for chart, rule in enumerate(RULES)}
    return {**found, "ewma": Measure(float(charts.smoothed[at]), EWMA), **named_measures(watched, charts, at)}


def _measure(watched: Watched, charts: Charts, which: tuple[int, int]) -> Measure:
    chart, column = which
    limits = limits_of(watched)
    decides, limit = bool(limits.decide[chart, column]), float(limits.at[chart, column])
    return Measure(
        float(charts.sums[chart, :, column].max()),
        _convention(chart, limit),
        threshold=limit if decides else None,
        exceeded=decides and bool(charts.beyond[chart, column]),
    )


@lru_cache(maxsize=4_096)
def _convention(chart: int, limit: float) -> str:
    return f"{CUSUMS[chart]}, limit {limit:.3g}"


def _verdict(watched: Watched, stepped: Stepped, which: tuple[int, int], *, span: tuple[int, int]) -> Verdict:
    (chart, column), charts = which, stepped.charts
    place = watched.yardstick.places[watched.charted.numbers[column]]
    feature = watched.monitor.features[place.name] if place.room == "features" else None
    side = int(charts.sums[chart, :, column].argmax())
    firing, shift = bool(charts.beyond[chart, column]), _shift(watched, charts, which, side=side)
    low, high = charts.began[chart, column].tolist()
    return Verdict(
        rule=RULES[chart],
        kind="drift" if feature else "prediction_drift",
        subject=watched.subject_at(place),
        state="firing" if firing else "ok",
        severity=_severity(watched, place, shift) if limits_of(watched).budgeted[column] else severity.OF_CHART,
        start_ms=span[0],
        memory=MEMORY_PANES[chart] * watched.layout.pane_ms,
        every=watched.pane_every_ms,
        value=float(charts.sums[chart, side, column]),
        threshold=float(limits_of(watched).at[chart, column]),
        n=int(stepped.rows[column]),
        feature=place.name if feature else None,
        source=feature.source if feature else None,
        owner=watched.owner_of(place.name if feature else None),
        onset=Onset(low, high, onset.COVERAGE) if firing else None,
        effect=Effect(importance=feature.importance if feature else None),
        evidence={
            "direction": ("up", "down")[side],
            "shift": shift,
            "ewma": float(charts.smoothed[column]),
            "ewma_limit": ewma.limit(),
        },
    )


def _shift(watched: Watched, charts: Charts, which: tuple[int, int], *, side: int) -> float:
    """By how many sd of a normal column the middle has moved since the alarming sum was last 0."""
    chart, column = which
    weight = 1.0 - (1.0 - ewma.WEIGHT) ** max(int(charts.since[chart, side, column]), 1)
    sd = np.sqrt(watched.charted.variance[column])
    return float(charts.smoothed[column] / weight * sd)


def _severity(watched: Watched, place: Place, shift: float) -> Severity:
    """A shift of d sd has a PSI of about d squared: heavy by the rule of thumb."""
    threshold = RULE_OF_THUMB["psi"]
    if place.room == "prediction":
        return severity.of_prediction("psi", shift * shift, threshold)
    importance = watched.monitor.features[place.name].importance
    return severity.of_feature("psi", shift * shift, threshold, importance=importance)
