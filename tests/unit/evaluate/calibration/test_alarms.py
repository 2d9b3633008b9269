"""What each judgement adds to the alarms that the budget allows, and which findings are alarms that began."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from detectors.budget.division import MONTH_MS
from detectors.profile import build_reference, coded, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reports import Report
from stream.evaluate.calibration.alarms import PARTS, begun, expected, expected_of_charts
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import judged
from stream.evaluate.verdicts.standing import Standing, conclude
from tests.support.judged import DAY, HOUR, Floats, counted, monitor, watched, window

ROWS, HOURS = 20, 40 * 24
RANDOM = np.random.default_rng(20130505)
TEMP = RANDOM.normal(50.0, 10.0, ROWS * HOURS)
DEST = RANDOM.choice(["a", "b", "c"], ROWS * HOURS).tolist()
FEATURES = {"temp": FeatureMonitor(type="numeric"), "dest": FeatureMonitor(type="categorical")}
PANES = panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR)
REFERENCE = build_reference("m", {"temp": TEMP, "dest": coded(DEST)}, panes=PANES)


def of(**changed: object) -> Watched:
    return watched(monitor(**{"features": FEATURES, "budget": BudgetMonitor(), **changed}), of=REFERENCE)


def report_of(it: Watched, temp: Floats, *, end: int = DAY, complete: bool = True) -> Report:
    return judge_window(
        it, window(it, {"temp": temp, "dest": DEST[: len(temp)]}, end=end, complete=complete), seen_ms=0
    )


SAME = TEMP[: 24 * ROWS]


def test_a_month_of_judgements_expects_the_budget() -> None:
    """Shares and middle of temp, shares of dest, the learned checks of each, and two charts of temp: a seventh of the rate each."""
    budget = of(budget=BudgetMonitor(false_pages_per_month=2.0))
    assert expected(report_of(budget, SAME), budget) / PARTS == pytest.approx(5 / 7 * 2.0 * DAY / MONTH_MS, rel=1e-6)
    pane = judge_pane(budget, Pane(0, HOUR, counted(budget.layout, {"temp": TEMP[:ROWS]})), Charts())
    assert pane.budgeted == 2
    assert 24 * expected_of_charts(pane.budgeted, budget) / PARTS == pytest.approx(
        2 / 7 * 2.0 * DAY / MONTH_MS, rel=1e-6
    )
    empty = judge_pane(budget, Pane(0, HOUR, counted(budget.layout, {"dest": DEST[:ROWS]})), Charts())
    assert (empty.budgeted, expected_of_charts(0, of(budget=None))) == (0, 0)


def test_what_is_not_judged_by_the_budget_is_not_expected() -> None:
    it = of()
    assert expected(report_of(it, SAME, complete=False), it) == 0
    assert expected(report_of(it, SAME[:99]), it) == 0
    for other in (of(budget=None), of(fixed={"psi": 0.25})):
        assert expected(report_of(other, SAME), other) == 0
    temp_alone = of(features={**FEATURES, "dest": FeatureMonitor(type="categorical", fixed={"psi": 9.0})})
    assert expected(report_of(temp_alone, SAME), temp_alone) / PARTS == pytest.approx(3 / 5 * DAY / MONTH_MS, rel=1e-6)


def test_an_alarm_begins_once_and_again_when_it_was_clear_in_between() -> None:
    it, standing, counts = of(), Standing(), []
    for day, by in enumerate((0.0, 8.0, 8.0, 0.0, 8.0), start=1):
        report, before = report_of(it, SAME + by, end=day * DAY), standing
        found, standing = conclude(
            judged(report, it), before, at_ms=report.end, revision=report.events, seen_ms=0, watched=it
        )
        counts.append(begun(found, before, it))
    assert counts == [0, 2, 0, 0, 2]


def test_alarms_of_other_rules_are_not_the_budgets() -> None:
    it = of(fixed={"psi": 0.01})
    report = report_of(it, SAME + 8.0)
    found, _ = conclude(judged(report, it), Standing(), at_ms=DAY, revision=1, seen_ms=0, watched=it)
    assert [one.rule for one in found if one.state == "firing"]
    assert begun(found, Standing(), it) == 0
    assert begun([msgspec.structs.replace(found[0], rule="shift_of_source")], Standing(), it) == 1


@pytest.mark.parametrize(("changed", "counted_ones"), [({}, 1), ({"budget": None}, 0)])
def test_an_alarm_of_a_chart_is_the_budgets_where_there_is_one(changed: dict[str, object], counted_ones: int) -> None:
    it = of(**changed)
    report = report_of(it, SAME + 8.0)
    found, _ = conclude(judged(report, it), Standing(), at_ms=DAY, revision=1, seen_ms=0, watched=it)
    assert begun([msgspec.structs.replace(found[0], rule="cusum_small")], Standing(), it) == counted_ones
