"""How features are: what a report says of each, who is asked, and which are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.quality.health import health, unhealthy
from detectors.quality.rows import wrong_type
from schemas.monitored import FeatureMonitor, ModelMonitor
from schemas.reports import Column, Measure, Report, State

MONITOR = ModelMonitor(
    pane_ms=60_000, windows={"day": 86_400_000}, step_ms=60_000, lateness_ms=0, revise_within_ms=0, reference=Path("r.json"),
    owner="ml-flights",
    features={
        "temp": FeatureMonitor(type="numeric", owner="data-platform", importance=0.3),
        "dewp": FeatureMonitor(type="numeric", importance=0.2),
        "dest": FeatureMonitor(type="categorical", importance=0.1),
        "wind": FeatureMonitor(type="numeric"),
        "new": FeatureMonitor(type="numeric"),
    },
)  # fmt: skip
BEYOND = {"psi": Measure(0.4, threshold=0.25, exceeded=True), "ks": Measure(0.2)}


def report(state: State = "ok", **columns: Column) -> Report:
    return Report(
        model="m", stream="predictions", window="day", start=0, end=86_400_000, seen=0, state=state, events=1_000,
        features=columns,
    )  # fmt: skip


def column(state: State, **measures: Measure) -> Column:
    return Column(state=state, n=1_000, measures=measures)


def test_a_feature_is_as_its_column_and_its_owner_is_asked() -> None:
    found = health("temp", MONITOR, report(temp=column("drift", **BEYOND)))
    assert (found.state, found.why, found.owner, found.well) == ("drift", ("psi",), "data-platform", False)
    assert found.monitor == MONITOR.features["temp"]


def test_a_feature_without_an_owner_is_its_models() -> None:
    found = health("dewp", MONITOR, report(dewp=column("ok")))
    assert (found.state, found.owner, found.well) == ("ok", "ml-flights", True)


def test_a_feature_that_nobody_declared_is_not_registered() -> None:
    found = health("humid", MONITOR, report())
    assert (found.state, found.monitor, found.owner, found.well) == ("not_registered", None, "ml-flights", False)


def test_a_declared_feature_that_never_came_has_no_traffic() -> None:
    assert health("wind", MONITOR, report(temp=column("ok"))).state == "no_traffic"


def test_a_check_that_fails_is_a_reason() -> None:
    good = report(temp=column("ok"))
    assert health("temp", MONITOR, good, verdicts=[wrong_type(0, 9)]).state == "ok"
    found = health("temp", MONITOR, good, verdicts=[wrong_type(1, 9)])
    assert (found.state, found.why) == ("drift", ("type",))
    both = health("temp", MONITOR, report(temp=column("drift", **BEYOND)), verdicts=[wrong_type(1, 9)])
    assert both.why == ("psi", "type")


@pytest.mark.parametrize("state", ["warming", "not_enough_data"])
def test_what_passes_by_itself_is_not_listed(state: State) -> None:
    assert unhealthy(report(state, **{name: column(state) for name in MONITOR.features}), MONITOR) == []


def test_of_a_window_that_is_warming_nothing_is_said_yet() -> None:
    assert unhealthy(report("warming"), MONITOR, verdicts={"temp": [wrong_type(1, 9)]}) == []


def test_the_list_the_worst_first_then_the_most_important() -> None:
    judged = report(
        temp=column("stale"), dewp=column("drift", **BEYOND), dest=column("drift", **BEYOND), wind=column("ok"),
        new=column("no_reference"),
    )  # fmt: skip
    found = unhealthy(judged, MONITOR, sent=["temp", "zeta", "alpha"])
    assert [(one.feature, one.state) for one in found] == [
        ("dewp", "drift"),
        ("dest", "drift"),
        ("temp", "stale"),
        ("new", "no_reference"),
        ("alpha", "not_registered"),
        ("zeta", "not_registered"),
    ]
