"""The same flights replayed twice: the same incidents, ids, causes, times and numbers, and the same told; nobody real is reached.

Six weeks, in which the weather drifts from the first day and February's blizzard keeps the large planes on the ground.  The
whole year does the same (``docs/measurements.md``); it takes two minutes a time.
"""

from __future__ import annotations

import pandas as pd
import pytest
from rich.console import Console

from stream.local.demo import Summary, replayed
from stream.local.model import Floats

SIX_WEEKS = 39_000


@pytest.fixture(scope="module")
def scored(flights: pd.DataFrame, scores: Floats) -> tuple[pd.DataFrame, Floats]:
    return flights.head(SIX_WEEKS), scores[:SIX_WEEKS]


@pytest.fixture(scope="module")
def twice(scored: tuple[pd.DataFrame, Floats]) -> tuple[Summary, Summary]:
    flights, scores = scored
    quiet = Console(quiet=True)
    found = []
    for _ in range(2):
        with replayed(flights, scores, console=quiet) as (summary, _):
            found.append(summary)
    return found[0], found[1]


@pytest.mark.slow
def test_incidents_are_the_same_to_the_last_digit(twice: tuple[Summary, Summary]) -> None:
    first, second = twice
    assert first.incidents
    assert first.incidents == second.incidents


@pytest.mark.slow
def test_whoever_is_told_is_told_the_same(twice: tuple[Summary, Summary]) -> None:
    first, second = twice
    assert first.told.pages
    assert (first.told.pages, first.told.roots) == (second.told.pages, second.told.roots)


@pytest.mark.slow
def test_weather_is_one_incident_and_planes_another(twice: tuple[Summary, Summary]) -> None:
    causes = {one.cause: one for one in twice[0].incidents if one.rule == "psi"}
    weather, planes = causes["source:weather-feed"], causes["source:fleet-registry"]

    assert len([one for one in twice[0].incidents if one.cause == "source:weather-feed"]) == 1
    assert all("/seats" not in subject and "/plane_age" not in subject for subject in weather.subjects)
    assert "feature:flight-delay/seats" in planes.subjects
    assert not [subject for subject in planes.subjects if subject in weather.subjects]
