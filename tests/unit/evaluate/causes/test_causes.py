"""What may have happened to a column that drifts: when it is looked for, what a report and a finding say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors.profile import build_reference, coded
from schemas.monitored import FeatureMonitor
from schemas.reports import Column, ColumnCause, Measure, Report
from stream.evaluate.causes.causes import MOST_AT_ONCE, Causes, Looked, due, told
from stream.evaluate.causes.signatures import found, plainly
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from tests.support.judged import DAY, HOUR, counted, monitor, watched, window

CELSIUS = np.random.default_rng(20130101).normal(15.0, 8.0, 4_000)
DEST = ["a", "b"] * 2_000
OF = watched(
    monitor(
        features={"temp": FeatureMonitor(type="numeric"), "dest": FeatureMonitor(type="categorical")},
        fixed={"psi": 0.25},
    ),
    of=build_reference("m", {"temp": CELSIUS, "dest": coded(DEST)}, score=np.linspace(0.0, 1.0, 4_000)),
)
TEMP = ("features", "temp")
FAHRENHEIT = 1.8 * CELSIUS[:1_000] + 32.0


def report_of(temp: Any, *, end: int = DAY, dest: Any = DEST) -> Report:
    return judge_window(OF, window(OF, {"temp": temp, "dest": dest[: len(temp)]}, end=end), seen_ms=0)


def looked_at(report: Report, temp: Any, causes: Causes) -> tuple[Report, Causes]:
    """The report with its causes, and what is remembered after it."""
    total = counted(OF.layout, {"temp": temp})
    wanted = due(report, causes, able=OF.explicable)
    return told(report, causes, found(OF, total, wanted, end_ms=report.end), able=OF.explicable)


def after_a_day(temp: Any, **changed: Any) -> tuple[Report, Causes]:
    """A day's window that begins to drift, and the next one, of the same rows."""
    _, causes = looked_at(report_of(temp, **changed), temp, Causes())
    return looked_at(report_of(temp, end=2 * DAY, **changed), temp, causes)


def test_a_change_of_unit_is_named_in_the_report_and_in_the_finding() -> None:
    report, _ = after_a_day(FAHRENHEIT)
    cause = report.features["temp"].cause
    assert cause is not None
    assert (cause.family, cause.parameters, cause.n, cause.at) == ("unit", {"unit": "degC->degF"}, 1_000, 2 * DAY)
    assert cause.words == "looks like °F sent where °C was: x -> 1.8 x + 32"
    assert cause.explained > 0.95
    (fired,) = [one for one in verdicts_of(report, OF) if one.state == "firing"]
    assert fired.evidence["cause"] == cause.words


def test_nothing_is_said_where_nothing_stands_out() -> None:
    odd = np.concatenate([CELSIUS[:500], CELSIUS[:250] + 60.0, CELSIUS[:250] * 9.0])
    report, causes = after_a_day(odd)
    assert report.features["temp"].state == "drift"
    assert report.features["temp"].cause is None
    assert causes.columns["day|86400000|features|temp"] == Looked(DAY, 2 * DAY)
    (fired,) = [one for one in verdicts_of(report, OF) if one.state == "firing"]
    assert "cause" not in fired.evidence


def test_a_value_of_the_feature_is_in_the_report_and_does_not_leave_with_a_finding() -> None:
    stuck = [7.25] * 500
    report, _ = after_a_day(stuck)
    cause = report.features["temp"].cause
    assert cause is not None
    assert (cause.words, plainly(cause)) == ("stuck at 7.25", "stuck at one value")
    (fired,) = [one for one in verdicts_of(report, OF) if one.state == "firing"]
    assert fired.evidence["cause"] == "stuck at one value"


def test_nothing_is_looked_for_where_nothing_drifts_and_of_names_and_other_streams() -> None:
    quiet = report_of(CELSIUS[:1_000])
    assert due(quiet, Causes(), able=OF.explicable) == []
    assert told(quiet, Causes(), {}, able=OF.explicable) == (quiet, Causes())
    new_names = report_of(CELSIUS[:1_000], dest=["c"] * 1_000)
    assert new_names.features["dest"].state == "drift"
    assert due(new_names, Causes(), able=OF.explicable) == []
    assert OF.explicable == {TEMP, ("prediction", "score")}
    assert watched(stream="features").explicable == frozenset()


def test_it_is_looked_at_once_a_window_can_be_full_of_it_and_then_seldom() -> None:
    """A day's window that is judged every hour."""
    causes, looks, said = Causes(), [], {}
    for end in range(DAY, 6 * DAY, HOUR):
        report = report_of(FAHRENHEIT, end=end)
        looks += [end - DAY] if due(report, causes, able=OF.explicable) else []
        report, causes = looked_at(report, FAHRENHEIT, causes)
        cause = report.features["temp"].cause
        said[end - DAY] = None if cause is None else cause.at - DAY
    assert looks == [DAY, 2 * DAY, 4 * DAY]
    assert {
        after: at for after, at in said.items() if at != max((each for each in looks if each <= after), default=None)
    } == {}


def test_a_column_that_recovered_is_forgotten_and_windows_do_not_know_of_each_other() -> None:
    _, causes = after_a_day(FAHRENHEIT)
    other = Causes({**causes.columns, "week|1|features|temp": Looked(1, 1)})
    well, left = told(report_of(CELSIUS[:1_000], end=DAY + HOUR), other, {}, able=OF.explicable)
    assert (well.features["temp"].cause, list(left.columns)) == (None, ["week|1|features|temp"])


def test_what_is_remembered_is_stored_as_it_is() -> None:
    _, causes = after_a_day(FAHRENHEIT)
    assert Causes.from_json(causes.to_json()) == causes
    assert Causes().to_json() == b"{}"


def test_of_many_columns_the_furthest_from_the_reference_are_looked_at_first() -> None:
    columns = {f"f{at}": Column("drift", 500, measures={"psi": Measure(float(at))}) for at in range(40)}
    report = Report(
        model="m", stream="predictions", window="day", start=0, end=DAY, seen=0, state="drift", events=500,
        features=columns,
    )  # fmt: skip
    able = frozenset(("features", name) for name in columns)
    _, begun = told(report, Causes(), {}, able=able)
    report = msgspec.structs.replace(report, start=DAY, end=2 * DAY)
    first = due(report, begun, able=able)
    assert first == [("features", f"f{at}") for at in range(39, 39 - MOST_AT_ONCE, -1)]
    _, causes = told(report, begun, dict.fromkeys(first), able=able)
    assert due(report, causes, able=able)[0] == ("features", f"f{39 - MOST_AT_ONCE}")


@pytest.mark.parametrize("field", ["sums", "outside"])
def test_counts_that_contradict_each_other_have_no_cause_and_stop_nothing(field: str) -> None:
    total = counted(OF.layout, {"temp": FAHRENHEIT})
    at = next(at for at, column in enumerate(OF.layout.numeric) if column.name == "temp")
    if field == "sums":
        total.extrema[2 * at : 2 * at + 2] = np.inf, -np.inf
    else:
        column, first = OF.layout.numeric[at], OF.layout.numeric_starts[at]
        total.cells[first + column.cells - 1] += 5
    said: Mapping[Any, ColumnCause | None] = found(OF, total, [TEMP], end_ms=DAY)
    assert said == {TEMP: None}
