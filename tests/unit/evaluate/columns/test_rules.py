"""Which rule decides about which column, by whose threshold, and how bad it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.findings import Severity
from schemas.monitored import ServingMonitor
from stream.evaluate.columns.rules import exceeds, undecided
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.verdicts import severity
from tests.support.judged import DAY, HOUR, monitor, watched, with_temp


def rules(of: Watched) -> dict[str, Mapping[str, float]]:
    places = zip(of.yardstick.places, of.rules, strict=True)
    return {place.name: dict(found.thresholds) for place, found in places if found.thresholds}


def test_without_a_word_the_rule_of_thumb_decides() -> None:
    assert rules(watched()) == {"temp": {"psi": 0.25}, "score": {"psi": 0.25}, "dest": {"psi": 0.25}}


def test_the_model_s_thresholds_apply_where_they_make_sense() -> None:
    found = rules(watched(monitor(fixed={"psi": 0.1, "ks_p": 0.01, "chi2_p": 0.02, "ks": 0.2, "kl": 3.0})))
    numeric = {"psi": 0.1, "ks": 0.2, "ks_p": 0.01}
    assert found == {"temp": numeric, "score": numeric, "dest": {"psi": 0.1, "chi2_p": 0.02}}


def test_a_feature_s_own_come_first() -> None:
    of = watched(with_temp(fixed={"ks": 0.3}).model_copy(update={"fixed": {"psi": 0.1}}))
    assert rules(of) == {"temp": {"ks": 0.3}, "score": {"psi": 0.1}, "dest": {"psi": 0.1}}


@pytest.mark.parametrize("fixed", [{"js": 0.1}, {"chi2_p": 0.01}])
def test_thresholds_that_cannot_decide_leave_it_to_the_next_level(fixed: dict[str, float]) -> None:
    of = watched(with_temp(fixed=fixed).model_copy(update={"fixed": {"ks": 0.3}}))
    assert rules(of) == {"temp": {"ks": 0.3}, "score": {"ks": 0.3}, "dest": {"psi": 0.25}}


def test_what_decides_nothing_yet_is_named() -> None:
    assert undecided({"kl": 1.0, "psi": 0.1, "ks": 0.1, "ks_p": 0.1, "chi2_p": 0.1, "wasserstein": 2.0}) == (
        "kl", "wasserstein",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "value", "beyond"),
    [("psi", 0.25, False), ("psi", 0.26, True), ("ks_p", 0.25, False), ("chi2_p", 0.2, True), ("psi", None, False)],
)
def test_a_threshold_itself_is_not_beyond(rule: str, value: float | None, beyond: bool) -> None:
    assert exceeds(rule, value, 0.25) is beyond


@pytest.mark.parametrize(
    ("rule", "value", "threshold", "importance", "found"),
    [
        ("psi", 0.5, 0.25, 0.1, "P1"),
        ("psi", 0.5, 0.25, 0.09, "P2"),
        ("psi", 0.49, 0.25, 0.9, "P2"),
        ("psi", 99.0, 0.25, None, "P2"),
        ("psi", 99.0, 0.25, 0.0, "P3"),
        ("ks_p", 0.0, 0.01, 0.9, "P2"),
        ("chi2_p", 0.0, 0.01, 0.9, "P2"),
        ("missing", 0.09, 0.0, 0.9, "P2"),
        ("missing", 0.1, 0.05, 0.9, "P1"),
        ("freshness", 14_400.0, 7_200.0, 0.3, "P1"),
    ],
)
def test_severity_of_a_feature(
    rule: str, value: float, threshold: float, importance: float | None, found: Severity
) -> None:
    assert severity.of_feature(rule, value, threshold, importance=importance) == found


@pytest.mark.parametrize(("value", "found"), [(0.99, "P2"), (1.0, "P1")])
def test_severity_of_what_the_model_says(value: float, found: Severity) -> None:
    assert severity.of_prediction("psi", value, 0.25) == found


def test_severity_of_serving() -> None:
    assert [severity.of_errors(ratio) for ratio in (0.06, 0.999, 1.0)] == ["P1", "P1", "P0"]
    assert [severity.of_latency(seconds, 0.5) for seconds in (0.51, 0.99, 1.0)] == ["P2", "P2", "P1"]


def test_every_key_that_is_judged_is_known() -> None:
    monitored = with_temp(slow_window_ms=28 * DAY, null_threshold=0.1, freshness_sla_ms=HOUR)
    of = watched(monitored.model_copy(update={"no_traffic_after_ms": HOUR}))
    assert sorted(keys_of(of)) == [
        "cusum|feature:m/temp||",
        "cusum|model:m||",
        "errors|model:m||",
        "freshness|feature:m/temp||",
        "latency|model:m||",
        "missing|feature:m/temp||day",
        "missing|feature:m/temp||slow",
        "no_traffic|model:m||",
        "psi|feature:m/dest||day",
        "psi|feature:m/temp||day",
        "psi|feature:m/temp||slow",
        "psi|model:m||day",
    ]
    assert keys_of(watched(monitor(), stream="features")) == frozenset()


def test_a_promise_that_is_taken_back_is_judged_no_more() -> None:
    def serving(**changed: Any) -> set[str]:
        keys = keys_of(watched(monitor(**changed)))
        return {rule for key in keys if (rule := key.partition("|")[0]) in ("errors", "latency", "no_traffic")}

    assert serving(no_traffic_after_ms=HOUR) == {"errors", "latency", "no_traffic"}
    assert serving() == {"errors", "latency"}
    assert serving(serving=ServingMonitor()) == {"errors"}
