"""Tail numbers of 2013 as a rolling column sees them: PSI of each window of whole days (UTC) against an earlier one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from schemas.monitored import FeatureMonitor
from stream.evaluate.columns.rolling import Earlier, earlier_span, rolled
from stream.ingest.codes import bucket_of
from stream.local.flights import load_flights
from tests.support.judged import DAY, monitor, watched


def psi_of_tail_numbers(*, days: int) -> dict[date, float]:
    """By the last day of each window of so many days."""
    of = watched(monitor(features={"tail": FeatureMonitor(type="categorical", hash=True, reference="rolling")}))
    place, rules = next(one for one in zip(of.yardstick.places, of.rules, strict=True) if one[0].name == "tail")
    flights: Any = load_flights()
    first = int(flights["departure_ms"].min()) // DAY
    cells = np.zeros((int(flights["departure_ms"].max()) // DAY - first + 1, of.layout.cells), np.int64)
    for day, tail in zip((flights["departure_ms"] // DAY).tolist(), flights["tailnum"].tolist(), strict=True):
        at = bucket_of(tail, 64) if isinstance(tail, str) else place.values_end - place.first
        cells[day - first, place.first + at] += 1
    found = {}
    for end in range(days, len(cells) + 1):
        begin, stop = (at // DAY for at in earlier_span((end - days) * DAY, end * DAY))
        if begin >= 0:
            windows = cells[end - days : end].sum(axis=0), Earlier(cells[begin:stop].sum(axis=0), True)
            measures = rolled(of, place, rules, windows=windows, length_ms=days * DAY).measures
            if "psi" in measures:  # 1 January 2014 by UTC holds the last few flights of the year
                found[datetime.fromtimestamp((first + end - 1) * DAY / 1000, UTC).date()] = measures["psi"].value or 0.0
    return found
