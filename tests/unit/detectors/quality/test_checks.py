"""All checks of one feature together: which there are, and that each finds its own trouble and no other."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.profile import Panes, categorical_profile, coded, numeric_profile
from detectors.quality.checks import Names, Numbers, named_checks, numeric_checks
from detectors.quality.verdict import Verdict
from schemas.monitored import FeatureMonitor
from tests.support.caused import Floats, window_of

PANES = Panes(3_600_000, tuple(range(40)), np.arange(4_000) // 100)
RANDOM = np.random.default_rng(1)
NORMAL = numeric_profile(np.where(RANDOM.random(4_000) < 0.05, np.nan, RANDOM.normal(size=4_000)), PANES)
NAMED = categorical_profile(coded(["abcdefgh"[at % 8] for at in range(4_000)]), PANES)
NUMERIC, NAMES = FeatureMonitor(type="numeric", range=(-8.0, 8.0)), FeatureMonitor(type="categorical")
GOOD = np.clip(np.random.default_rng(2).normal(size=500), -3.0, 3.0)


def numbers(values: Floats = GOOD, **rows: int) -> Numbers:
    return Numbers(window_of(values, NORMAL), **{"missing": 25} | rows)


def failing(verdicts: tuple[Verdict, ...]) -> list[str]:
    return [verdict.check for verdict in verdicts if verdict.fails]


def test_the_checks_of_numbers_and_of_names() -> None:
    found = numeric_checks(NUMERIC, NORMAL, numbers(), length=4)
    assert [verdict.check for verdict in found] == [
        "missing", "nonfinite", "type", "outside", "constant", "vanished", "range",
    ]  # fmt: skip
    assert [verdict.n for verdict in found] == [525, 525, 525, 500, 500, 525, 500]
    assert {verdict.state for verdict in found} == {"ok"}
    named = named_checks(NAMES, NAMED, Names([60] * 8), length=4)
    assert [verdict.check for verdict in named] == ["missing", "type", "unseen", "vanished"]
    assert {verdict.state for verdict in named} == {"ok"}


@pytest.mark.parametrize(
    ("found", "checks"),
    [
        (numbers(missing=120), ["missing"]),
        (numbers(missing=20, nonfinite=5), ["nonfinite"]),
        (numbers(missing=24, wrong_type=1), ["type"]),
        (numbers(np.append(GOOD, [7.0] * 9)), ["outside"]),
        (numbers(np.append(GOOD, [9.0])), ["range"]),
        (numbers(np.full(500, 0.5)), ["constant"]),
        (numbers(np.empty(0), missing=500), ["missing", "vanished"]),
    ],
)
def test_each_trouble_of_numbers(found: Numbers, checks: list[str]) -> None:
    assert failing(numeric_checks(NUMERIC, NORMAL, found, length=4)) == checks


def test_each_trouble_of_names() -> None:
    assert failing(named_checks(NAMES, NAMED, Names([60] * 8, missing=30), length=4)) == ["missing"]
    assert failing(named_checks(NAMES, NAMED, Names([60] * 8, wrong_type=1), length=4)) == ["type"]
    assert failing(named_checks(NAMES, NAMED, Names([60] * 8, unseen=9), length=4)) == ["unseen"]
    assert failing(named_checks(NAMES, NAMED, Names([0] * 8, missing=500), length=4)) == ["missing", "vanished"]


def test_a_promise_stands_above_the_reference() -> None:
    lax = FeatureMonitor(type="numeric", null_threshold=0.5)
    [missing, *_] = numeric_checks(lax, NORMAL, numbers(missing=120), length=4)
    assert (missing.state, missing.threshold) == ("ok", 0.5)


def test_without_panes_rows_are_independent_and_unseen_names_have_no_limit() -> None:
    names = named_checks(
        NAMES, categorical_profile(coded(["a", "b"] * 500), None), Names([250, 250], unseen=9), length=4
    )
    assert {verdict.check: verdict.state for verdict in names}["unseen"] == "no_reference"
    plain = numeric_profile(RANDOM.normal(size=4_000), None)
    window = window_of(GOOD, plain)
    assert failing(numeric_checks(NUMERIC, plain, Numbers(window, missing=9), length=4)) == ["missing"]


def test_a_feature_without_an_event_has_no_traffic_and_fails_nothing() -> None:
    found = numeric_checks(NUMERIC, NORMAL, numbers(np.empty(0), missing=0), length=4)
    assert failing(found) == []
    assert {verdict.check: verdict.state for verdict in found}["vanished"] == "no_traffic"
