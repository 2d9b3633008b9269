"""Charts by name: when each alarms, how long the alarm lasts, and what it may be dated to; river's are river's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river import drift

from detectors.charts.by_name import STANDS, Chart, River, Rolling, Shewhart, Signs, as_errors
from detectors.charts.river import alarms
from tests.unit.detectors.charts.test_river import VALUES

Floats = NDArray[np.float64]
GONE = float("nan")


def signs(chart: Chart, values: Floats) -> list[Signs]:
    """What a chart of one column says after each value."""
    found = []
    for value in values.tolist():
        chart = chart.then(np.array([value]))
        found.append(chart.signs)
    return found


def series(*values: float) -> Floats:
    return np.array(values)


def test_shewhart_s_alarm_lasts_until_the_value_is_within_half_of_the_limit() -> None:
    found = signs(Shewhart.begun(1, width=3.0), series(2.9, 3.0, -3.1, 1.6, GONE, -1.5, 2.9, 4.0))
    assert [bool(one.beyond[0]) for one in found] == [False, False, True, True, True, False, False, True]
    assert [int(one.since[0]) for one in found] == [0, 0, 1, 2, 2, 0, 0, 1]
    assert [float(one.value[0]) for one in found] == [2.9, 3.0, -3.1, 1.6, 1.6, -1.5, 2.9, 4.0]
    assert {(float(one.limit[0]), bool(one.ready[0]), int(one.back[0])) for one in found} == {(3.0, True, 0)}


def test_shewhart_s_chart_is_ready_with_its_first_value() -> None:
    assert [bool(one.ready[0]) for one in signs(Shewhart.begun(1, width=3.0), series(GONE, 0.0))] == [False, True]


def test_the_rolling_rule_judges_a_value_by_those_before_it_and_then_absorbs_it() -> None:
    quiet = np.tile([1.0, -1.0], 50)
    found = signs(Rolling.begun(1, weight=0.05, width=3.0), np.append(quiet, [4.0, 4.0, GONE, 1.0]))
    assert [int(one.ready[0]) for one in found[18:22]] == [0, 0, 1, 1]
    at = found[100]
    # The mean of so many ones of alternating sign, the newest below 0, and their variance: 1 less what the mean is off.
    mean = -0.05 / 1.95 * (1 - 0.95**100) + 0.95**100
    assert float(at.value[0]) == pytest.approx(4.0 - mean, abs=0.01)
    assert float(at.limit[0]) == pytest.approx(3.0 * (1 - mean**2) ** 0.5, rel=1e-3)
    assert [bool(one.beyond[0]) for one in found[99:]] == [False, True, True, True, False]
    assert float(found[101].limit[0]) > 1.3 * float(at.limit[0])
    # 95 % of the weight is on the newest 59 values.
    assert 0.95**58 > 0.05 > 0.95**59
    assert int(at.back[0]) == 59


def test_what_the_rolling_rule_dates_is_no_older_than_its_values() -> None:
    found = signs(Rolling.begun(1, weight=0.05, width=3.0), np.append(np.tile([1.0, -1.0], 15), 9.0))
    assert (bool(found[-1].beyond[0]), int(found[-1].back[0])) == (True, 31)


PEERS: dict[str, Any] = {
    "page_hinkley": partial(drift.PageHinkley, threshold=20.0),
    "adwin": partial(drift.ADWIN, delta=0.01),
    "kswin": partial(drift.KSWIN, window_size=80, seed=1),
}
SETTINGS: dict[str, dict[str, float]] = {
    "page_hinkley": {"threshold": 20.0},
    "adwin": {"delta": 0.01},
    "kswin": {"window_size": 80},
}


@pytest.mark.parametrize("name", PEERS)
def test_a_detector_of_river_alarms_where_river_s_own_does(name: str) -> None:
    values = np.concatenate([VALUES[400:800], VALUES[:200] - 1.5])
    peer, theirs = PEERS[name](), []
    for at, value in enumerate(values.tolist()):
        peer.update(value)
        theirs += [at] if peer.drift_detected else []
    found = signs(River.begun(1, name=name, settings=SETTINGS[name]), values)
    ours = [at for at, one in enumerate(found) if one.value[0] == 0]
    assert ours == theirs == alarms(name, values, **SETTINGS[name])
    assert len(ours) >= 2


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("ddm", drift.binary.DDM),
        ("eddm", drift.binary.EDDM),
        ("hddm_a", drift.binary.HDDMA),
        ("hddm_w", drift.binary.HDDMW),
    ],
)
def test_a_detector_of_errors_is_shown_which_values_are_beyond_one_sd(name: str, peer: Any) -> None:
    values = np.concatenate([VALUES[:400] * 0.9, VALUES[:150] + 2.0, [GONE], -2.0 - VALUES[150:300]])
    theirs, chart = [], peer()
    for at, value in enumerate(values.tolist()):
        if value == value:
            chart.update(1.0 if abs(value) > 1 else 0.0)
            theirs += [at] if chart.drift_detected else []
    found = signs(River.begun(1, name=name, settings={}), values)
    ours = [at for at, one in enumerate(found) if one.value[0] == 0]
    assert ours == theirs
    assert any(400 <= at < 450 for at in ours)


def test_a_value_at_one_sd_is_no_error() -> None:
    assert as_errors(series(1.0, -1.0, 1.0001, -1.0001, 0.0)).tolist() == [0, 0, 1, 1, 0]


def test_an_alarm_of_river_stands_for_twenty_values_and_is_dated_to_the_alarm_before() -> None:
    values = np.concatenate([np.zeros(50), np.full(60, 6.0), np.zeros(60)])
    settings = {"threshold": 10.0, "min_instances": 30}
    raised = alarms("page_hinkley", values, **settings)
    assert raised == [51, 111]
    found = signs(River.begun(1, name="page_hinkley", settings=settings), values)
    beyond = [at for at, one in enumerate(found) if one.beyond[0]]
    assert beyond == [*range(51, 51 + STANDS), *range(111, 111 + STANDS)]
    assert [int(found[at].back[0]) for at in (51, 70, 111)] == [52, 52, 60]
    assert [int(found[at].since[0]) for at in (51, 70, 71, 111)] == [1, 20, 0, 1]
    assert [float(found[at].value[0]) for at in (51, 70, 110)] == [0.0, 19.0, 59.0]
    assert [bool(found[at].ready[0]) for at in (28, 29)] == [False, True]
    assert np.isnan(found[50].value[0])


def test_a_further_alarm_while_one_stands_is_the_same_one_for_longer() -> None:
    values = np.concatenate([np.zeros(10), np.tile([9.0, -9.0], 20), np.zeros(40)])
    settings = {"threshold": 4.0, "min_instances": 5}
    raised = alarms("page_hinkley", values, **settings)
    assert len(raised) > 3
    assert np.diff(raised).max() < STANDS
    found = signs(River.begun(1, name="page_hinkley", settings=settings), values)
    beyond = [at for at, one in enumerate(found) if one.beyond[0]]
    assert beyond == list(range(raised[0], raised[-1] + STANDS))
    assert {int(one.back[0]) for one in found if one.beyond[0]} == {raised[0] + 1}
    assert int(found[raised[-1]].since[0]) == raised[-1] - raised[0] + 1


@pytest.mark.parametrize(("second", "episodes"), [(20, [(1, 1)]), (21, [(1, 1), (21, 20)])])
def test_an_alarm_in_the_twenty_values_is_the_same_and_the_next_is_another(
    second: int, episodes: list[tuple[int, int]]
) -> None:
    chart, seen, raised = River.begun(1, name="adwin", settings={}), 0, {1, second}

    class Scripted:
        def alarms_at(self, value: float) -> bool:
            return seen in raised

    each: list[Any] = chart.detectors.each
    each[0] = Scripted()
    found = set()
    for seen in range(1, 25):
        chart = chart.then(np.zeros(1))
        found.add((seen - int(chart.signs.since[0]) + 1, int(chart.signs.back[0])) if chart.signs.beyond[0] else ())
    assert sorted(found) == episodes


def test_panes_without_values_are_not_shown_and_columns_do_not_mix() -> None:
    gaps = np.insert(VALUES[:700], np.arange(0, 700, 7), np.nan)
    settings = SETTINGS["adwin"]
    plain, holed = (signs(River.begun(1, name="adwin", settings=settings), one)[-1] for one in (VALUES[:700], gaps))
    assert plain.value.tolist() == holed.value.tolist()
    assert float(plain.value[0]) < 100.0
    chart: Chart = River.begun(2, name="adwin", settings=settings)
    for value in VALUES[:700].tolist():
        chart = chart.then(np.array([0.0, value]))
    assert chart.signs.value.tolist()[1] == plain.value[0]
    assert np.isnan(chart.signs.value[0])


def test_a_chart_of_river_goes_on_once() -> None:
    begun = River.begun(1, name="adwin", settings={})
    after = begun.then(np.zeros(1))
    assert (begun.is_spent, after.is_spent) == (True, False)
    with pytest.raises(ValueError, match="build the chart anew"):
        begun.then(np.zeros(1))
