"""What is compared between serving and store, what a window says of it, and how far a comparison is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.monitored import ModelMonitor
from schemas.names import Stream
from schemas.reports import Report
from stream.evaluate.closing.unit import Phase, phase_of
from stream.evaluate.skew.columns import Both, promise_of
from stream.evaluate.skew.judging import Window, judge_skew, verdicts_of
from stream.evaluate.verdicts.verdict import Verdict
from tests.support.judged import DAY, REFERENCE, TEMP, Rows, counted, monitor, watched, with_temp

#: Hundred values of each tenth of the reference.
PLAIN: Rows = {"temp": [float(value) for value in sorted(TEMP)[::2]]}
#: The same, a reference's sd higher.
HIGHER: Rows = {"temp": [value + 3.0 for value in PLAIN["temp"]]}


def both(monitored: ModelMonitor | None = None) -> Both:
    def phase(stream: Stream) -> Phase:
        return phase_of(watched(monitored, stream=stream), until_ms=None)

    return Both(phase("predictions"), phase("features"))


def judged(served: Rows, stored: Rows, *, of: Both | None = None, complete: bool = True) -> Report:
    of = of or both()
    sides = counted(of.served.watched.layout, served), counted(of.stored.watched.layout, stored)
    return judge_skew(of, Window("day", 0, DAY, *sides, complete), seen_ms=7)


def said(report: Report, of: Both | None = None) -> dict[str, Verdict]:
    found = (verdict.whole() for verdict in verdicts_of(report, of or both()))
    return {verdict.feature or "": verdict for verdict in found}


def test_features_of_both_streams_are_compared_over_the_same_bins() -> None:
    found = both()
    assert [(one.name, one.ordered, one.alike) for one in found.columns] == [
        ("dest", False, True), ("tail", False, True), ("temp", True, True),
    ]  # fmt: skip
    for one in found.columns:
        assert len(one.served.begins) == len(one.stored.begins)
        assert set(one.served.begins - one.served.place.first) == set(one.stored.begins - one.stored.place.first)
    assert found.keys == {f"skew|feature:m/{name}||day" for name in ("dest", "tail", "temp")}


def test_every_statistic_of_a_window_has_its_number() -> None:
    report = judged(HIGHER, PLAIN)
    column = report.features["temp"]
    assert (report.stream, report.state, report.events, column.state) == ("skew", "drift", 2000, "drift")
    assert (column.n, column.n_reference, column.missing_ratio) == (1000, 1000, 0.0)
    measure = column.measures["skew"]
    assert (measure.threshold, measure.exceeded) == (0.1, True)
    assert measure.expected == pytest.approx(9 * 2 / 1000)
    assert measure.p_value is not None
    assert measure.p_value < 1e-30
    assert column.mean == pytest.approx(column.measures["mean_upstream"].value or 0.0, abs=3.01)
    assert (column.mean or 0.0) - (column.measures["mean_upstream"].value or 0.0) == pytest.approx(3.0, abs=1e-3)


def test_the_reference_takes_no_part_beside_its_bins() -> None:
    report = judged(HIGHER, HIGHER)
    assert report.state == "ok"
    assert report.features["temp"].measures["skew"].value == 0.0


def test_rows_without_a_value_are_told_beside_and_decide_nothing() -> None:
    """A store that sends values only, and requests in which there is none."""
    report = judged({"temp": [*PLAIN["temp"], *[None] * 1000]}, {"temp": [*PLAIN["temp"], *[None] * 250]})
    column = report.features["temp"]
    assert (column.state, column.measures["skew"].value) == ("ok", 0.0)
    assert (column.missing_ratio, column.measures["missing_upstream"].value) == (0.5, 0.2)


def test_names_are_compared_and_so_are_those_that_are_counted_by_a_hash() -> None:
    sent: Rows = {"dest": ["a", "b"] * 300, "tail": [f"#{at % 64}" for at in range(640)]}
    same = judged(sent, sent)
    assert {name: column.state for name, column in same.features.items()} == {"dest": "ok", "tail": "ok"}
    other = judged({"dest": ["a"] * 500 + ["b"] * 100, "tail": [f"#{at % 8}" for at in range(640)]}, sent)
    assert {name: column.state for name, column in other.features.items()} == {"dest": "drift", "tail": "drift"}


@pytest.mark.parametrize(
    ("served", "stored", "state"),
    [
        ({"temp": [1.0] * 99}, {"temp": [1.0] * 500}, "not_enough_data"),
        ({"temp": [1.0] * 500}, {"temp": [1.0] * 99}, "not_enough_data"),
        ({"dest": ["a"] * 500}, {"temp": [1.0] * 500}, "no_traffic"),
    ],
)
def test_states_of_a_side_with_too_little(served: Rows, stored: Rows, state: str) -> None:
    report = judged(served, stored)
    assert report.features["temp"].state == state
    assert {verdict.state for verdict in said(report).values()} == {"no_data"}


def test_a_feature_that_the_store_does_not_send_is_left_out_and_ends_what_was_found_of_it() -> None:
    report = judged({**PLAIN, "dest": ["a"] * 1000}, PLAIN)
    assert set(report.features) == {"temp"}
    assert {name: verdict.state for name, verdict in said(report).items()} == {
        "temp": "ok", "dest": "no_data", "tail": "no_data",
    }  # fmt: skip


@pytest.mark.parametrize(("served", "stored"), [({}, PLAIN), (PLAIN, {})])
def test_a_window_in_which_a_side_has_no_event_has_no_traffic(served: Rows, stored: Rows) -> None:
    report = judged(served, stored)
    assert report.state == "no_traffic"
    assert said(report)["temp"].state == "no_data"


def test_a_window_that_begins_before_a_side_says_nothing() -> None:
    report = judged(HIGHER, PLAIN, complete=False)
    assert (report.state, report.features["temp"].state, report.features["temp"].measures) == ("warming", "warming", {})
    assert said(report) == {}


def test_panes_of_two_references_are_never_compared() -> None:
    found = both()
    layout = replace(found.stored.watched.layout, reference="0" * 64)
    elsewhere = replace(found.stored, watched=replace(found.stored.watched, layout=layout))
    of = Both(found.served, elsewhere)
    report = judged(HIGHER, PLAIN, of=of)
    assert (report.state, report.features["temp"].state, report.features["temp"].measures) == ("warming", "warming", {})
    assert said(report, of) == {}


@pytest.mark.parametrize(
    ("skew", "importance", "severity"),
    [(None, 0.3, "P3"), (0.1, 0.3, "P2"), (0.1, None, "P2"), (0.1, 0.05, "P3"), (0.1, 0.0, "P3"), (5.0, 0.3, "P3")],
)
def test_it_pages_nobody_but_where_a_promise_is_far_from_kept(
    skew: float | None, importance: float | None, severity: str
) -> None:
    of = both(with_temp(skew=skew, importance=importance))
    verdict = said(judged(HIGHER, PLAIN, of=of), of)["temp"]
    assert (verdict.severity, verdict.threshold) == (severity, 0.1 if skew is None else skew)
    assert (verdict.kind, verdict.owner, verdict.source) == ("skew", "data", "weather")


def test_what_is_switched_off_is_not_compared() -> None:
    of = both(with_temp(skew="off"))
    assert [one.name for one in of.columns] == ["dest", "tail"]
    assert promise_of(of.stored.watched, "temp") is None
    assert "temp" not in judged(HIGHER, PLAIN, of=of).features


def test_a_feature_without_bins_is_not_compared() -> None:
    """Of one that the reference does not hold nothing is counted but how many values there are."""
    other: dict[str, Any] = dict(monitor().features)
    found = both(monitor(features={**other, "gust": other["temp"]}))
    assert "gust" not in REFERENCE.features
    assert "gust" not in [one.name for one in found.columns]
