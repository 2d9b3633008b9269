"""A rolling column is held against an earlier window of its own stream, and by PSI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reports import Column
from stream.evaluate.columns.rolling import Earlier, ends_held_against
from stream.evaluate.columns.rules import ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.judging.window_verdicts import verdicts_of
from tests.support.judged import DAY, counted, monitor, watched, window

RANDOM = np.random.default_rng(20130201)
FEATURES = {
    "temp": FeatureMonitor(type="numeric", reference="rolling"),
    "dest": FeatureMonitor(type="categorical", reference="rolling", fixed={"psi": 0.5}),
    "tail": FeatureMonitor(type="categorical", hash=True, reference="rolling", null_threshold=0.3),
}
OF = watched(monitor(features=FEATURES, budget=BudgetMonitor(), windows={"day": DAY, "week": 7 * DAY}))


def planes(*, of: int = 64, rows: int = 800) -> dict[str, list[str]]:
    """Rows of a fleet in so many buckets of the hash."""
    return {"tail": [f"#{bucket}" for bucket in RANDOM.integers(0, of, rows)]}


def column(
    name: str, now: dict[str, Any], then: dict[str, Any], *, window_of: str = "day", complete: bool = True
) -> Column:
    made = window(OF, now, name=window_of)
    earlier = Earlier(counted(OF.layout, then).cells, complete)
    return judge_window(OF, replace(made, earlier=earlier), seen_ms=0).features[name]


def rules(of: Watched, name: str) -> ColumnRules:
    return next(rules for place, rules in zip(of.yardstick.places, of.rules, strict=True) if place.name == name)


def test_psi_decides_even_where_a_budget_is_stated() -> None:
    assert {name: rules(OF, name).names for name in FEATURES} == {
        "temp": ("psi",), "dest": ("psi",), "tail": ("psi", "missing")
    }  # fmt: skip
    assert [rules(OF, name).thresholds["psi"] for name in FEATURES] == [0.25, 0.5, 0.25]
    assert "psi|feature:m/tail||day" in keys_of(OF)


def test_a_fleet_like_the_one_of_a_week_before_is_ok_whatever_the_reference_held() -> None:
    found = column("tail", planes(), planes())
    psi = found.measures["psi"]
    assert (found.state, found.n, found.n_reference) == ("ok", 800, 800)
    assert psi.convention == "driftline, same hours a week before"
    assert psi.value is not None
    assert psi.expected is not None
    assert (psi.threshold, psi.exceeded) == (0.25, False)
    assert psi.value < 0.08
    assert psi.expected <= 0.05  # bins of forty rows of the smaller window at least
    assert column("tail", planes(), planes(), window_of="week").measures["psi"].convention == "driftline, window before"


def test_few_in_the_place_of_many_are_found_and_fire() -> None:
    now, then = planes(of=16), planes()
    found = column("tail", now, then)
    assert (found.state, found.measures["psi"].exceeded) == ("drift", True)
    made = replace(window(OF, now), earlier=Earlier(counted(OF.layout, then).cells, True))
    firing = [one for one in verdicts_of(judge_window(OF, made, seen_ms=0), OF) if one.state == "firing"]
    assert [(one.rule, one.subject, one.threshold) for one in firing] == [("psi", "feature:m/tail", 0.25)]


def test_numbers_and_names_are_compared_in_their_references_bins() -> None:
    temp, moved = RANDOM.uniform(0, 10, 800), RANDOM.uniform(3, 10, 800)
    same = column("temp", {"temp": temp}, {"temp": RANDOM.uniform(0, 10, 1000)})
    assert (same.state, same.n_reference, sorted(same.measures)) == ("ok", 1000, ["psi"])
    assert column("temp", {"temp": moved}, {"temp": temp}).state == "drift"
    new = {"dest": ["new"] * 400 + ["a"] * 400}  # never in the reference, and a week before as now
    assert column("dest", new, new).state == "ok"
    assert column("dest", new, {"dest": ["a"] * 800}).measures["psi"].exceeded


def test_rows_without_a_value_are_a_bin() -> None:
    held, half = {"tail": planes()["tail"]}, {"tail": [*planes()["tail"][:200], *[None] * 600]}
    assert column("tail", half, held).measures["psi"].exceeded


@pytest.mark.parametrize(
    ("rows", "complete", "state"), [(800, False, "warming"), (99, True, "not_enough_data"), (100, True, "ok")]
)
def test_an_earlier_window_that_is_short_decides_nothing(rows: int, complete: bool, state: str) -> None:
    found = column("tail", planes(), planes(rows=rows), complete=complete)
    assert (found.state, "psi" in found.measures) == (state, state == "ok")


def test_a_feature_that_appears_or_comes_back_is_held_against_nothing() -> None:
    none = {"tail": [*[None] * 701, *planes(rows=99)["tail"]]}
    found = column("tail", planes(), none)
    assert (found.state, found.n_reference, "psi" in found.measures) == ("not_enough_data", 99, False)
    assert column("tail", none, planes()).measures["psi"].exceeded  # it is gone


@pytest.mark.parametrize(
    ("starts", "length", "days"),
    [([0], 1, [8]), ([0], 7, range(8, 15)), ([0, 1], 2, [8, 9, 10]), ([0], 14, range(15, 29)), ([], 2, [])],
)
def test_which_windows_were_held_against_a_pane(starts: list[int], length: int, days: Sequence[int]) -> None:
    panes = [start * DAY for start in starts]
    found = ends_held_against(panes, length_ms=length * DAY, step_ms=DAY, zone="UTC", upto=99 * DAY)
    assert sorted(found) == [day * DAY for day in days]
    assert ends_held_against(panes, length_ms=length * DAY, step_ms=DAY, zone="UTC", upto=8 * DAY) == {
        end for end in found if end <= 8 * DAY
    }


def test_what_has_no_bins_of_its_own_is_without_a_reference() -> None:
    features = {"gust": FeatureMonitor(type="numeric", reference="rolling")}
    of = watched(monitor(features=features))
    assert not rules(of, "gust").rolling
    assert judge_window(of, window(of, {"gust": [1.0] * 200}), seen_ms=0).features["gust"].state == "no_reference"


def test_upstream_nothing_rolls() -> None:
    of = watched(monitor(features=FEATURES), stream="features")
    assert not any(rules.rolling for rules in of.rules)
