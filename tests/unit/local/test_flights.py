"""The demo's flights are complete, in order, and on the right clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schemas.errors import DriftlineError
from stream.local import flights as subject


def instant(*when: int) -> int:
    """Epoch milliseconds of a time in UTC."""
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def row(flights: Any, flight: str) -> Any:
    (found,) = flights[flights["id"] == flight].itertuples()
    return found


def test_every_flight_is_predicted_and_the_known_ones_are_labelled(flights: Any) -> None:
    assert len(flights) == 336_776
    assert [flights["outcome"].notna().sum(), flights["outcome"].isna().sum()] == [327_346, 9_430]
    assert ((flights["arrival_ms"] > 0) == flights["outcome"].notna()).all()


def test_labelled_flights_of_a_month_are_counted_by_the_calendar_of_new_york(flights: Any) -> None:
    labelled = flights[flights["outcome"].notna()].groupby("month")["outcome"]
    sizes, rates = labelled.size(), labelled.mean().round(3)
    assert [sizes[month] for month in (1, 2, 7, 9, 12)] == [26_398, 23_611, 28_293, 27_010, 27_020]
    assert [rates[month] for month in (1, 2, 7, 9, 12)] == [0.227, 0.229, 0.315, 0.132, 0.326]


def test_by_utc_january_is_another_one(flights: Any) -> None:
    days = pd.to_datetime(flights["departure_ms"], unit="ms", utc=True)
    january = flights["outcome"].notna() & (days.dt.month == 1)
    # 84 of them leave on December 31's evening, which is January of the year after.
    assert [january.sum(), (january & (days.dt.year == 2013)).sum()] == [26_352, 26_268]


def test_eleven_destinations_come_after_january(flights: Any) -> None:
    january = flights["month"] == 1
    new = set(flights["dest"][~january]) - set(flights["dest"][january])
    assert sorted(new) == ["ABQ", "ACK", "ANC", "BGR", "CHO", "ILM", "LEX", "LGA", "MVY", "SBN", "TVC"]


def test_the_blizzard_kept_half_of_the_flights_on_the_ground(flights: Any) -> None:
    days = pd.to_datetime(flights["departure_ms"], unit="ms", utc=True).dt.tz_convert("America/New_York").dt.date
    outcomes = [flights["outcome"][days == date(2013, 2, day)] for day in (8, 9)]
    assert [(of.isna().sum(), len(of)) for of in outcomes] == [(475, 930), (393, 684)]


def test_without_the_origin_forty_eight_flights_share_a_name_and_a_day(flights: Any) -> None:
    names = flights["id"].str.replace("-(?:EWR|JFK|LGA)-", "-", regex=True)
    assert names.duplicated(keep=False).sum() == 48


def test_airports_without_a_zone_are_the_end_of_thousands_of_flights(flights: Any) -> None:
    assert flights["dest"].isin(subject.ZONES_LEFT_OUT).sum() == 7_602
    assert len(pd.read_csv(subject.data_folder() / "weather.csv")) == 26_115


def test_an_id_names_one_flight(flights: Any) -> None:
    assert flights["id"].is_unique
    assert flights["id"].iloc[0] == "UA1545-EWR-2013-01-01"


def test_flights_come_in_the_order_of_their_scheduled_departure(flights: Any) -> None:
    assert flights["departure_ms"].is_monotonic_increasing


def test_the_first_flight_is_the_one_of_the_published_example(flights: Any) -> None:
    first = row(flights, "UA1545-EWR-2013-01-01")
    assert (first.departure_ms, first.arrival_ms) == (1357035300000, 1357050600000)
    assert (first.temp, first.carrier, first.outcome, first.sched_min) == (39.02, "UA", 0.0, 315)
    assert np.isnan(first.wind_gust)


def test_exactly_the_features_of_the_monitors_file_are_there(flights: Any) -> None:
    assert len(subject.FEATURES) == 17
    assert set(subject.FEATURES) == {*subject.NUMERIC, *subject.CATEGORICAL}
    assert set(subject.FEATURES) <= set(flights.columns)


def test_a_flight_takes_at_least_its_time_in_the_air(flights: Any) -> None:
    """One row of the source contradicts itself; any wrong zone would give thousands."""
    raw = subject.read_flights(subject.data_folder())
    known = flights["outcome"].notna()
    left = flights["departure_ms"] + raw["dep_delay"] * 60_000
    beside_air = (flights["arrival_ms"] - left)[known] / 60_000 - raw["air_time"][known]
    assert (beside_air < 0).sum() == 1
    assert beside_air.max() == 235


@pytest.mark.parametrize("airport", ["BQN", "PSE", "SJU", "STT"])
def test_airports_without_a_zone_in_the_table_keep_atlantic_time_all_year(airport: str, flights: Any) -> None:
    there = flights[(flights["dest"] == airport) & flights["outcome"].notna()]
    hours = (there["arrival_ms"] - there["departure_ms"]).median() / 3_600_000
    assert 3.4 < hours < 4.0  # an hour off would be 2.9 at most or 4.4 at least


def test_clocks_that_change_on_the_way_are_read_at_the_arrival() -> None:
    left = np.array([instant(2013, 11, 3, 5, 50)])  # 01:50 in summer time, ten minutes before clocks go back
    arrived = subject.first_after(left, clock=np.array([430.0]), zone="America/New_York")
    assert arrived.tolist() == [instant(2013, 11, 3, 9, 30)]


def test_midnight_is_the_end_of_the_day_and_an_earlier_clock_is_tomorrow() -> None:
    left = np.array([instant(2013, 7, 2, 2, 0)] * 2)  # 22:00 on the first, in New York
    arrived = subject.first_after(left, clock=np.array([2400.0, 15.0]), zone="America/New_York")
    assert arrived.tolist() == [instant(2013, 7, 2, 4, 0), instant(2013, 7, 2, 4, 15)]


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "find_spec", lambda name: None)
    with pytest.raises(DriftlineError, match="extra `demo`"):
        subject.load_flights()
