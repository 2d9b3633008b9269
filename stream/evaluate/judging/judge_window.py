"""Judges a window: from the summed counts of its panes to a drift report.  Pure.

A report says of every column how many values it had and how far they are from the reference; what decides is marked by a
threshold (:mod:`stream.evaluate.columns.rules`).  States: a window whose panes do not reach back to its start is ``warming``, one
without events ``no_traffic``, a column without a reference ``no_reference``, one with fewer than 100 rows
``not_enough_data`` (and so is one that the calibrated test decides about, of a reference of fewer than 20 blocks), a feature whose
last value is older than promised ``stale`` and one with a measure beyond its threshold
``drift``; the first that holds, in this order, but for stale and drift, which the worse one (drift) settles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.reports import Column, Measure, Report, Source, State
from stream.evaluate.calibration.calibrated import Calibrated, Said, key_of, known_calibration, said_of, with_calibrated
from stream.evaluate.calibration.live_calibration import NOTHING, Live
from stream.evaluate.calibration.pooled import known_pooled, sources_of
from stream.evaluate.calibration.quality_limits import no_limits
from stream.evaluate.calibration.ranking import Ranked, ranked
from stream.evaluate.calibration.rhythms import hour_of
from stream.evaluate.charts.charts import Charts
from stream.evaluate.charts.freshness import is_stale
from stream.evaluate.charts.verdicts import chart_measures
from stream.evaluate.columns.measuring import (
    Held,
    Sizes,
    mean_of,
    measures_of,
    missing_measures,
    sizes_of,
    statistics_of,
)
from stream.evaluate.columns.places import places_of
from stream.evaluate.columns.rolling import Earlier, Rolled, rolled
from stream.evaluate.columns.rules import LEAST_ROWS, ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.panes.windows import WINDOWED
from stream.evaluate.quality.checks import quality_of
from stream.evaluate.quality.ids import id_measures
from stream.evaluate.quality.still import RULE as STUCK
from stream.evaluate.quality.still import still_measures
from stream.evaluate.verdicts.serving import serving_measures
from stream.state.layout import EVENTS, LATE
from stream.state.packing import Partial


@dataclass(frozen=True, eq=False, slots=True)
class Window:
    """``[start_ms, end_ms)`` of one stream of a model and the sum of its panes.

    ``complete``: the model's panes reach back to the start.  ``live``: what it is calibrated by where the reference cannot;
    ``earlier``: what its rolling columns are held against.
    """

    name: str
    start_ms: int
    end_ms: int
    total: Partial
    complete: bool
    live: Live = NOTHING
    earlier: Earlier | None = None

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def size(self) -> tuple[int, int]:
        """What its calibrated tests are kept under."""
        return key_of(self.length_ms, int(self.total.cells[EVENTS]))


def judge_window(watched: Watched, window: Window, *, seen_ms: int, charts: Charts | None = None) -> Report:
    """The report of a window; ``charts`` (at its end) add what they show, and which features are stale."""
    held = statistics_of(watched.yardstick, window.total) if window.complete else None
    columns = _columns(watched, window, held, charts=charts or Charts())
    sources = _sources(watched, window, held)
    quality = id_measures(watched, window.total) if window.complete else {}
    features = {place.name: column for place, column in columns if place.room == "features"}
    prediction = {place.name: column for place, column in columns if place.room == "prediction"}
    return Report(
        model=watched.model,
        stream=watched.stream,
        window=window.name,
        start=window.start_ms,
        end=window.end_ms,
        seen=seen_ms,
        state=_state(
            watched,
            window,
            [column.state for _, column in columns] + [one.state for one in sources.values()],
            beyond=any(one.exceeded for one in quality.values()),
        ),
        events=int(window.total.cells[EVENTS]),
        late=int(window.total.cells[LATE]),
        earlier=0 if window.earlier is None else window.earlier.events,
        reference=watched.layout.reference,
        layout=watched.layout.hash,
        generation=watched.generation,
        features=features,
        prediction=prediction,
        sources=sources,
        serving=serving_measures(watched, window.total),
        quality=quality,
        drift_score=_drift_score(watched, features),
        calibrated_from=window.live.awaited_ms,
    )


def is_calibrated(watched: Watched, window: Window) -> bool:
    """Whether the calibrated tests have a say: what producers predicted on, in a whole window of rows enough."""
    return watched.stream == "predictions" and window.complete and int(window.total.cells[EVENTS]) >= LEAST_ROWS


def _sources(watched: Watched, window: Window, held: Held | None) -> dict[str, Source]:
    if held is None or not is_calibrated(watched, window):
        return {}
    return sources_of(known_pooled(watched, window.name, window.length_ms), held.folded)


def _columns(watched: Watched, window: Window, held: Held | None, *, charts: Charts) -> list[tuple[Place, Column]]:
    places = places_of(watched, window.name, window.length_ms)
    sizes = sizes_of(watched.yardstick, window.total)
    tests = known_calibration(watched, window.size, window.live) if held and is_calibrated(watched, window) else None
    hour = hour_of(watched, window.start_ms)
    enough = {} if held is None or tests is None else _enough(said_of(tests, held.folded, hour=hour), places)
    budget = watched.monitor.budget
    ranks = ranked((place for _, place, _ in places), enough, rate=None if budget is None else budget.fdr)
    quality = _quality(watched, window, sizes, tests=tests, charts=charts) if window.complete else {}
    beside = _Beside(
        watched, sizes, window.total.sums.tolist(), held, charts, enough, _rolled(watched, window), ranks,
        window.live.far, quality,
    )  # fmt: skip
    return [
        (place, _column(beside, at, place, rules=rules))
        for at, place, rules in places
        if place.room == "features" or place.held != NOT_HELD or sizes.values[at]
    ]


def _quality(
    watched: Watched, window: Window, sizes: Sizes, *, tests: Calibrated | None, charts: Charts
) -> Mapping[int, dict[str, Measure]]:
    limits = no_limits(len(watched.yardstick.places)) if tests is None else tests.quality
    found = quality_of(
        watched.yardstick, watched.quality, window.total, sizes=sizes, limits=limits,
        panes=window.length_ms // watched.layout.pane_ms, alone=watched.stream == "features",
    )  # fmt: skip
    for at, stuck in still_measures(watched, charts).items():
        found.setdefault(at, {})[STUCK] = stuck
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Beside:
    """What all columns of a window are judged by; ``held`` is None where the window is not complete."""

    watched: Watched
    sizes: Sizes
    sums: list[int]
    held: Held | None
    charts: Charts
    said: Mapping[int, Said]
    rolled: Mapping[int, Rolled]
    ranks: Ranked
    far: frozenset[int]
    quality: Mapping[int, dict[str, Measure]]

    def awaits(self, place: Place, rules: ColumnRules) -> bool:
        """Whether a column's test waits for a quiet stretch; what lay far off for a whole stretch is waited for no more."""
        said = self.said.get(place.held)
        return rules.awaits and (said is None or not said.enough) and place.held not in self.far


def _enough(said: Mapping[int, Said], places: list[tuple[int, Place, ColumnRules]]) -> dict[int, Said]:
    """What is said of columns with values enough, that are held against the reference."""
    rolling = {place.held for _, place, rules in places if rules.rolling}
    return {at: one for at, one in said.items() if one.verdict.rows >= LEAST_ROWS and at not in rolling}


def _rolled(watched: Watched, window: Window) -> dict[int, Rolled]:
    if window.earlier is None:
        return {}
    windows, length = (window.total.cells, window.earlier), window.length_ms
    return {
        at: rolled(watched, place, rules, windows=windows, length_ms=length)
        for at, place, rules in places_of(watched, window.name, length)
        if rules.rolling
    }


def _column(beside: _Beside, at: int, place: Place, *, rules: ColumnRules) -> Column:
    values, missing = beside.sizes.values[at], beside.sizes.missing[at]
    rows, held, watched = values + missing, beside.held, beside.watched
    ratio = missing / rows if rows else None
    measures = dict(beside.quality.get(at, {}))
    said = beside.said.get(place.held)
    against = beside.rolled.get(at)
    if held is not None and rows >= LEAST_ROWS:
        if against is not None:
            measures = {**measures, **against.measures}
        elif place.held != NOT_HELD:
            measures = measures_of(place, rules, held, values=values) | measures
            if said is not None:
                measures = with_calibrated(measures, said)
        if rules.missing is not None:
            measures |= missing_measures(ratio, rules)
    state = _column_state(watched, place, measures, rows=None if held is None else rows, charts=beside.charts)
    undecided = rules.budgeted and not rules.thresholds and (said is None or not said.enough)
    if state == "ok" and (undecided or rules.describes):
        state = "not_enough_data"
    if against is not None and state in ("ok", "no_reference"):
        state = against.state
    if beside.charts.at is not None:
        measures |= chart_measures(watched, beside.charts, place)
    mean = mean_of(place, beside.sums, values)
    effective = None if said is None else said.verdict.effective_rows
    known = watched.yardstick.values_of(place) if against is None else against.values
    return Column(
        state,
        values,
        known,
        effective,
        ratio,
        mean,
        measures,
        q=beside.ranks.q.get(place.held),
        discovery=beside.ranks.is_discovery(place.held),
        awaits=beside.awaits(place, rules),
    )


def _column_state(
    watched: Watched, place: Place, measures: dict[str, Measure], *, rows: int | None, charts: Charts
) -> State:
    """``rows`` None: the window is not complete."""
    if rows is None:
        return "warming"
    for measure in measures.values():
        if measure.exceeded:
            return "drift"
    if place.room == "features" and is_stale(watched, charts, place.name):
        return "stale"
    if not rows:
        return "no_traffic"
    if place.held == NOT_HELD:
        return "no_reference"
    return "ok" if rows >= LEAST_ROWS else "not_enough_data"


def _state(watched: Watched, window: Window, columns: list[State], *, beyond: bool) -> State:
    """Of the whole window: what troubles any column, or all events (``beyond``); else ok where any is."""
    if not window.complete:
        return "warming"
    if not window.total.cells[EVENTS]:
        return "no_traffic"
    if watched.stream not in WINDOWED:
        return "ok"
    if beyond:
        return "drift"
    order: tuple[State, ...] = ("drift", "stale", "ok", "not_enough_data", "warming")
    return next((state for state in order if state in columns), "no_reference")


def _drift_score(watched: Watched, features: dict[str, Column]) -> float | None:
    """Share of the importance that is in drift, of the features that were judged; None where none is declared of them."""
    judged = (name for name, column in features.items() if column.state in ("ok", "drift", "stale"))
    weights = {name: watched.monitor.features[name].importance or 0.0 for name in judged}
    total = sum(weights.values())
    if not total:
        return None
    return sum(weight for name, weight in weights.items() if features[name].state == "drift") / total
