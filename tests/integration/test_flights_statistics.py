"""What the calibrated test says of the flights of 2013, and what a fixed threshold of PSI says beside it.

Seventeen features in hourly panes, January the reference (`tests.support.flights_drift`).  In January nothing has drifted but the
weather of its weeks, so its own windows say how often each view alarms for nothing; the year says what each finds, and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from detectors.quality.unseen import LEVEL
from tests.support.flights_drift import (
    DAY,
    FOUR_WEEKS,
    JANUARY,
    ONE_SOURCE,
    WEATHER,
    WEEK,
    YEAR,
    Feature,
    counted,
    first_below,
    p_of_january,
    p_of_year,
    pooled_p_of_january,
    pooled_p_of_year,
    psi_of_january,
)
from tests.support.flights_reports import weather_report
from tests.support.flights_rolling import psi_of_tail_numbers
from tests.support.flights_unseen import unseen_of
from tests.support.source import ROOT

#: A level at which five of January's 527 feature-days alarm; and what many people call drift by PSI.
STRICT, HIGH = 0.0135, 0.25
Features = Mapping[str, Feature]


@pytest.fixture(scope="module")
def features() -> Features:
    return counted()


def test_hourly_panes_of_a_year_hold_every_flight(features: Features) -> None:
    assert len(features) == 17
    assert {name: int(features[name].hours.sum()) for name in ("sched_min", "origin", "dest", "temp")} == {
        "sched_min": 336_776,
        "origin": 336_776,
        "dest": 336_776,
        "temp": 335_203,
    }


@pytest.mark.parametrize(
    ("length", "windows", "at_5_percent", "strict", "at_half_a_percent", "promised"),
    [(DAY, 527, 27, 5, 4, 0.06), (WEEK, 68, 7, 2, 2, 0.15)],
)
def test_windows_of_january_alarm_about_as_often_as_stated(
    features: Features,
    *,
    length: int,
    windows: int,
    at_5_percent: int,
    strict: int,
    at_half_a_percent: int,
    promised: float,
) -> None:
    p = np.concatenate([p_of_january(feature, length) for feature in features.values()])
    assert len(p) == windows
    assert [int((p < level).sum()) for level in (0.05, STRICT, 0.005)] == [at_5_percent, strict, at_half_a_percent]
    assert at_5_percent <= promised * windows


@pytest.mark.parametrize(("length", "windows", "high"), [(DAY, 527, 218), (WEEK, 68, 23)])
def test_a_fixed_threshold_of_psi_alarms_on_a_third_of_them_and_more(
    features: Features, length: int, windows: int, high: int
) -> None:
    psi = {name: psi_of_january(feature, length) for name, feature in features.items()}
    assert sum(map(len, psi.values())) == windows
    assert sum(int((one > HIGH).sum()) for one in psi.values()) == high


def test_by_psi_the_weather_of_each_day_of_january_is_drift(features: Features) -> None:
    days = {name: int((psi_of_january(features[name], DAY) > HIGH).sum()) for name in WEATHER}
    always = dict.fromkeys(("temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure"), 31)
    assert days == always | {"visib": 29, "precip": 0}
    honest = {name: int((p_of_january(features[name], DAY) < 0.05).sum()) for name in WEATHER}
    assert honest == dict(zip(WEATHER, (1, 2, 2, 3, 1, 3, 3, 3), strict=True))


@pytest.mark.parametrize(("length", "found"), [(DAY, (2, 217)), (WEEK, (2, 28))])
def test_the_weather_pooled_is_quiet_in_january(features: Features, length: int, found: tuple[int, int]) -> None:
    p = pooled_p_of_january([features[name] for name in ONE_SOURCE], length)
    assert (int((p < 0.05).sum()), p.size) == found


def test_temperature_is_found_by_the_pooled_test_in_spring_and_stays_found_until_autumn(features: Features) -> None:
    p = pooled_p_of_year({name: features[name] for name in ONE_SOURCE}, FOUR_WEEKS)
    assert (first_below(p["temp"], 0.05), first_below(p["temp"], STRICT)) == ("04-21", "05-12")
    from_spring = [value for day, value in p["temp"].items() if date(2013, 4, 21) <= day <= date(2013, 11, 24)]
    assert len(from_spring) == 218
    assert max(from_spring) < 0.05
    # Of the others, January's own weeks differ as much as its months do.
    strict = {name: sum(value < STRICT for value in one.values()) for name, one in p.items()}
    assert strict == dict(zip(ONE_SOURCE, (176, 0, 0, 0, 3, 0, 14), strict=True))


def test_a_report_says_that_temperature_moved_by_mid_june(features: Features) -> None:
    """What the demo's slow window of 672 hours says of its source; fixed thresholds decide there, so this stands beside."""
    february, june = (
        weather_report(date(2013, month, day)).sources["weather-feed"] for month, day in ((3, 1), (6, 15))
    )
    assert (sorted(june.features), june.feature, june.state) == (sorted(ONE_SOURCE), "temp", "ok")
    temp, by_hand = june.features["temp"], pooled_p_of_year({name: features[name] for name in ONE_SOURCE}, FOUR_WEEKS)
    assert temp.value == pytest.approx(1.746, abs=5e-4)  # sd upwards
    assert temp.p_value is not None
    assert temp.p_value == pytest.approx(by_hand["temp"][date(2013, 6, 15)], rel=0.15)
    assert temp.p_value < STRICT
    assert june.measures["shift_of_source"].value == pytest.approx(7 * temp.p_value)
    assert min(one.p_value or 0.0 for one in february.features.values()) > 0.05


def test_alone_and_in_a_week_temperature_is_never_found(features: Features) -> None:
    """January holds two to four independent stretches of it: an honest test of a week cannot tell more."""
    assert first_below(p_of_year(features["temp"], WEEK), 0.05) is None


@pytest.mark.parametrize(
    ("name", "week", "four_weeks", "latest"),
    [
        ("dest", "04-12", "03-16", "04-15"),
        ("seats", "04-08", "03-20", "07-31"),
        ("plane_age", "05-07", "04-15", "07-31"),
    ],
)
def test_what_drifts_slowly_is_found(features: Features, *, name: str, week: str, four_weeks: str, latest: str) -> None:
    found = tuple(first_below(p_of_year(features[name], length), STRICT) for length in (WEEK, FOUR_WEEKS))
    assert found == (week, four_weeks)
    assert week <= latest


def test_destinations_and_seats_differ_in_every_week_from_may_on(features: Features) -> None:
    for name in ("dest", "seats"):
        weeks = [p for day, p in p_of_year(features[name], WEEK).items() if day >= date(2013, 5, 1)]
        assert len(weeks) == 245
        assert max(weeks) < 0.05, name


def test_a_fixed_threshold_of_psi_never_finds_these_and_calls_the_season_drift(features: Features) -> None:
    january, december = slice(0, JANUARY), slice(YEAR - JANUARY, YEAR)
    psi = {name: one.psi(one.hours[january], one.hours[december].sum(axis=0)) for name, one in features.items()}
    assert {name: round(psi[name], 3) for name in ("seats", "plane_age", "dest")} == {
        "seats": 0.037,
        "plane_age": 0.018,
        "dest": 0.082,
    }
    assert sorted(name for name, value in psi.items() if value > HIGH) == ["dewp", "humid", "pressure", "temp"]
    last = {name: [*p_of_year(features[name], FOUR_WEEKS).values()][-1] for name in ("seats", "plane_age", "dest")}
    assert max(last.values()) < 1e-7


def test_tail_numbers_are_quiet_in_february() -> None:
    """Planes that January's profile does not list: no week has more than January's may, nor a day at the level of a budget."""
    tail = unseen_of("tailnum")
    for length, level, most, allowed in ((WEEK, LEVEL, 0.1763, 0.1879), (DAY, 1e-5, 0.1945, 0.2130)):
        february = [share for day, share in tail.shares(length).items() if day <= date(2013, 3, 1)]
        assert round(max(february), 4) == most
        assert round(tail.limit(length, level=level).limit, 4) == allowed


def test_tail_numbers_against_an_earlier_window_show_the_blizzard_and_a_week_later_its_echo() -> None:
    days = psi_of_tail_numbers(days=1)
    found = [day for day, psi in days.items() if psi > HIGH]
    assert (len(days), round(float(np.median([*days.values()])), 3)) == (358, 0.051)
    assert [f"{day:%m-%d}" for day in found] == ["02-08", "02-09", "02-15", "02-16", "05-23", "12-10"]
    weeks = psi_of_tail_numbers(days=7)
    assert (len(weeks), round(max(weeks.values()), 3)) == (353, 0.229)


def test_destinations_that_january_never_held_are_found_on_their_first_day() -> None:
    dest = unseen_of("dest")
    shares, limit = dest.shares(DAY), dest.limit(DAY).limit
    assert limit == pytest.approx(8.950e-4, abs=5e-8)
    first = next(day for day, share in shares.items() if share > 0)
    assert (first, round(shares[first], 6)) == (date(2013, 3, 2), 0.001044)
    assert shares[first] > limit
    assert sum(share > limit for share in shares.values()) == 299


def test_the_table_of_both_views_in_the_documents_is_what_is_found(features: Features) -> None:
    text = (ROOT / "docs" / "statistics.md").read_text()
    table = text.split("<!-- both views -->\n")[1].split("\n\n")[0].splitlines()[2:]
    weather = pooled_p_of_year({name: features[name] for name in ONE_SOURCE}, FOUR_WEEKS)
    assert table == [_row(name, feature, pooled=weather.get(name, {})) for name, feature in features.items()]


def _row(name: str, feature: Feature, *, pooled: Mapping[date, float]) -> str:
    january = feature.hours[:JANUARY]
    july, december = (feature.hours[begin * DAY : (begin + 31) * DAY].sum(axis=0) for begin in (181, 334))
    days = (p_of_january(feature, DAY) < 0.05).sum(), (psi_of_january(feature, DAY) > HIGH).sum()
    years = p_of_year(feature, WEEK), p_of_year(feature, FOUR_WEEKS), pooled
    found = (first_below(p, STRICT) or "–" for p in years)
    psi = (f"{feature.psi(january, month):.2f}" for month in (july, december))
    return f"| {' | '.join([name, *map(str, days), *found, *psi])} |"
