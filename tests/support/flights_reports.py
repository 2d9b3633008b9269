"""What a report of the demo's model says of the weather: windows of four weeks, January the reference, counted from the rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import numpy as np

from detectors.profile import build_reference, panes_of
from schemas.monitored import FeatureMonitor
from schemas.reports import Report
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.local.flights import load_flights
from tests.support.flights_drift import BEGIN_MS, FOUR_WEEKS, HOUR_MS, JANUARY, WEATHER
from tests.support.judged import DAY, counted, monitor, watched


def weather_report(upto: date) -> Report:
    """Of the four weeks before a day begins in New York's winter."""
    of, flights = _watched(), _flights()
    end = int(datetime(upto.year, upto.month, upto.day, tzinfo=UTC).timestamp()) * 1000 + 5 * HOUR_MS
    begin = end - FOUR_WEEKS * HOUR_MS
    at = flights["departure_ms"].to_numpy()
    there = (at >= begin) & (at < end)
    rows = {name: _values(flights[name].to_numpy(np.float64)[there]) for name in WEATHER}
    return judge_window(of, Window("weeks", begin, end, counted(of.layout, rows), complete=True), seen_ms=end)


@cache
def _watched() -> Watched:
    flights = _flights()
    january = flights["departure_ms"].to_numpy() < BEGIN_MS + JANUARY * HOUR_MS
    columns = {name: flights[name].to_numpy(np.float64)[january] for name in WEATHER}
    panes = panes_of(flights["departure_ms"].to_numpy()[january], pane_ms=HOUR_MS)
    reference = build_reference("m", columns, panes=panes)
    features = {name: FeatureMonitor(type="numeric", source="weather-feed", fixed={"psi": 0.25}) for name in WEATHER}
    return watched(monitor(features=features, windows={"weeks": 28 * DAY}), of=reference)


@cache
def _flights() -> Any:
    return load_flights()


def _values(column: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in column]
