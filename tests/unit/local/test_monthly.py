"""The monthly PSI from counts is the PSI of the rows, and the table says which months stand out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from detectors.edges import bin_of
from schemas.reference import CategoricalProfile, NumericProfile, Profile, Reference
from stream.local.model import Floats
from stream.local.monthly import SCORE, months, psi_of_month, psi_table
from stream.local.watched import january
from tests.support.flights_psi import psi_from_rows

HOUR_MS = 3_600_000
JULY = 7


@pytest.fixture(scope="module")
def year(flights: Any, scores: Floats) -> tuple[Any, Floats, Reference]:
    return flights, scores, january(flights, scores)


def counted(profile: Profile, values: Any) -> dict[str, Any]:
    """A column as `driftline counts` gives it, counted without any of the stream's code."""
    if isinstance(profile, CategoricalProfile):
        names = values.dropna().tolist()
        inside = {name: names.count(name) for name in profile.categories}
        return {"categories": inside, "other": 0, "unseen": len(names) - sum(inside.values())}
    return numbers(profile, values.to_numpy(dtype=float))


def numbers(profile: NumericProfile, values: Floats) -> dict[str, Any]:
    bins = bin_of(values[np.isfinite(values)], profile.edges)
    counts = np.bincount(bins, minlength=len(profile.counts)).tolist()
    return {"edges": list(profile.edges), "counts": counts}


@pytest.fixture(scope="module")
def july(year: tuple[Any, Floats, Reference]) -> dict[str, Any]:
    flights, scores, reference = year
    rows = flights[flights["month"] == JULY]
    assert reference.score is not None
    score = numbers(reference.score, scores[flights["month"] == JULY])
    features = {name: counted(profile, rows[name]) for name, profile in reference.features.items() if name != "tailnum"}
    features["tailnum"] = {"categories": {"#0": 10, "#1": 20}, "other": 0, "unseen": 0}
    return {"features": features, "prediction": {"score": score}}


def test_psi_from_counts_is_the_psi_of_the_rows(year: tuple[Any, Floats, Reference], july: dict[str, Any]) -> None:
    flights, scores, reference = year
    found = psi_of_month(reference, july)
    assert found.pop("tailnum") is None  # counted by a hash: other bins than the reference's
    assert found == pytest.approx(psi_from_rows(flights, scores, month=JULY), rel=1e-9, abs=1e-12)
    assert found["temp"] == pytest.approx(7.909, abs=6e-4)
    assert found[SCORE] == pytest.approx(3.322, abs=6e-4)


def test_counts_over_other_edges_are_refused(year: tuple[Any, Floats, Reference], july: dict[str, Any]) -> None:
    temp = {"edges": [0.0], "counts": [1, 2]}
    with pytest.raises(ValueError, match="other edges"):
        psi_of_month(year[2], july | {"features": {"temp": temp}})


def test_months_are_whole_hours_and_meet(year: tuple[Any, Floats, Reference]) -> None:
    spans = [(month.from_ms, month.to_ms) for month in months()]
    assert [month.name for month in months()][::11] == ["Jan", "Dec"]
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert all(start % HOUR_MS == 0 for start, _ in spans)
    departures = year[0]["departure_ms"]
    assert (spans[0][0] <= departures).all()
    assert (departures < spans[-1][1]).all()


def test_the_table_marks_what_passes_the_rule_of_thumb() -> None:
    console = Console(width=80, color_system="standard", force_terminal=True)
    with console.capture() as captured:
        console.print(psi_table({"Jan": {"temp": 0.0, SCORE: None}, "Feb": {"temp": 0.3, SCORE: 0.2}}))
    lines = captured.get().splitlines()
    assert any("temp" in line and "\x1b[1;31m0.30" in line for line in lines)
    assert any(SCORE in line and "–" in line and "\x1b[33m0.20" in line for line in lines)


def test_a_year_of_the_widest_numbers_fits_eighty_characters() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(psi_table({month.name: {"wind_speed": 12.34} for month in months()}))
    assert captured.get().count(" 12.3") == 12
