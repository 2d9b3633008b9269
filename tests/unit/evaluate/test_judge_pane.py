"""A pane's verdicts: charts against the reference's panes, freshness in event time, and revised panes that move nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec import structs

from schemas.findings import Onset
from stream.evaluate.charts import MEMORY_PANES, Charts
from stream.evaluate.judge_pane import Pane, PaneVerdicts, judge_pane
from stream.evaluate.judge_window import judge_window
from stream.evaluate.verdict import Quiet, Verdict
from stream.evaluate.watched import Watched
from tests.support.judged import HOUR, TEMP, counted, monitor, watched, window, with_temp

SHUFFLED = TEMP[np.random.default_rng(4).permutation(2000)]


def pane(of: Watched, at: int, rows: dict[str, Any]) -> Pane:
    return Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, rows))


def walked(of: Watched, rows: list[dict[str, Any]], charts: Charts | None = None) -> list[PaneVerdicts]:
    """A pane an hour."""
    found = [PaneVerdicts(charts or Charts(), ())]
    for at, each in enumerate(rows):
        found.append(judge_pane(of, pane(of, at, each), found[-1].charts))
    return found[1:]


def temps(*, shift: float, panes: int, of: float = 1.0) -> list[dict[str, Any]]:
    return [{"temp": of * SHUFFLED[at * 40 : (at + 1) * 40] + shift} for at in range(panes)]


def of_temp(verdicts: tuple[Verdict | Quiet, ...], rule: str = "cusum") -> list[Verdict]:
    return [said for said in (verdict.whole() for verdict in verdicts) if said.rule == rule and said.feature == "temp"]


def test_panes_like_the_reference_s_stay_clear() -> None:
    walk = walked(watched(), temps(shift=0.0, panes=50))
    assert {verdict.state for each in walk for verdict in of_temp(each.verdicts)} == {"ok"}
    assert max(each.charts.up[0] for each in walk) < 4.0


def test_a_shift_alarms_at_p3_and_says_since_when() -> None:
    walk = walked(watched(), temps(shift=0.0, panes=20) + temps(shift=1.5, panes=20))
    firing = [verdict for each in walk for verdict in of_temp(each.verdicts) if verdict.state == "firing"]
    first = firing[0]
    assert (first.severity, first.kind, first.window, first.threshold) == ("P3", "drift", None, 5.0)
    assert (first.memory, first.every, first.n) == (MEMORY_PANES * HOUR, 4 * HOUR, 40)
    alarm = first.start_ms + HOUR
    assert first.onset == Onset(12 * HOUR, alarm, 0.95)  # the sum was last 0 at 20 h; 8 panes before it
    assert 20 * HOUR < alarm <= 24 * HOUR
    assert first.evidence["direction"] == "up"
    assert [verdict.state for verdict in of_temp(walk[-1].verdicts)] == ["firing"]


def test_recovery_shows_within_the_memory() -> None:
    shifted = walked(watched(), temps(shift=30.0, panes=30))[-1]
    assert shifted.charts.up[0] == 10.0
    # All rows of the reference at once: exactly its mean.
    again = walked(watched(), [{"temp": TEMP}] * 12, structs.replace(shifted.charts, at=0))
    clear = [of_temp(each.verdicts)[0].state for each in again].index("ok")
    assert clear in (MEMORY_PANES - 1, MEMORY_PANES)  # the sum comes back to its limit itself, but for rounding


def test_a_fall_alarms_as_well() -> None:
    walk = walked(watched(), temps(shift=-1.5, panes=20))
    assert [(verdict.state, verdict.evidence["direction"]) for verdict in of_temp(walk[-1].verdicts)] == [
        ("firing", "down")
    ]


@pytest.mark.parametrize("declared", [monitor(fixed={"psi": 0.25}), with_temp(fixed={"psi": 0.25})])
def test_charts_only_describe_where_fixed_thresholds_are_set(declared: Any) -> None:
    of = watched(declared)
    walk = walked(of, temps(shift=3.0, panes=20))
    assert of_temp(walk[-1].verdicts) == []
    report = judge_window(of, window(of, {"temp": TEMP}), seen_ms=0, charts=walk[-1].charts)
    measures = report.features["temp"].measures
    assert (measures["cusum"].value, measures["cusum"].threshold, measures["cusum"].exceeded) == (10.0, None, False)
    assert (measures["ewma"].value or 0.0) > 0.6456
    assert report.features["temp"].state == "ok"


def test_a_pane_without_values_moves_no_chart() -> None:
    walk = walked(watched(), [*temps(shift=1.0, panes=3), {"dest": ["a"] * 30}])
    before, after = walk[-2].charts, walk[-1].charts
    assert (after.up, after.smoothed, after.at) == (before.up, before.smoothed, 4 * HOUR)
    assert of_temp(walk[-1].verdicts) == []


def test_one_wild_pane_counts_as_ten_sd() -> None:
    assert walked(watched(), [{"temp": [1e9] * 40}])[0].charts.smoothed[0] == pytest.approx(1.0)


def test_a_revised_pane_moves_nothing() -> None:
    of = watched(with_temp(freshness_sla_ms=HOUR))
    last = walked(of, temps(shift=0.0, panes=3))[-1].charts
    again = judge_pane(of, pane(of, 1, {"temp": [99.0] * 40, "status": ["error"] * 40}), last)
    assert again.charts is last
    assert [verdict.whole().rule for verdict in again.verdicts] == ["errors", "latency"]


def test_charts_of_another_layout_begin_anew_and_freshness_goes_on() -> None:
    last = walked(watched(), temps(shift=3.0, panes=5))[-1].charts
    of = watched(monitor(pane_ms=2 * HOUR))
    after = judge_pane(of, Pane(6 * HOUR, 8 * HOUR, counted(of.layout, {"dest": ["a"]})), last).charts
    assert (after.up, after.layout) == ([0.0, 0.0], of.layout.hash)
    assert (after.first, after.values) == (0, {"temp": 5 * HOUR, "dest": 8 * HOUR})


def test_panes_finer_than_the_reference_s_have_no_chart() -> None:
    of = watched(monitor(pane_ms=HOUR // 2))
    assert judge_pane(of, Pane(0, HOUR // 2, counted(of.layout, {"temp": TEMP})), Charts()).charts.up == []


def test_what_is_stored_of_charts_comes_back() -> None:
    charts = walked(watched(), temps(shift=0.7, panes=7))[-1].charts
    assert Charts.from_json(charts.to_json()) == charts


def test_freshness_counts_event_time_from_the_last_value() -> None:
    of = watched(with_temp(freshness_sla_ms=2 * HOUR))
    fresh, gone = {"temp": [1.0], "dest": ["a"]}, {"temp": [None], "dest": ["a"]}
    walk = walked(of, [fresh, gone, gone, gone, fresh])
    found = [of_temp(each.verdicts, "freshness")[0] for each in walk]
    assert [(verdict.state, verdict.value) for verdict in found] == [
        ("ok", 0.0), ("ok", 3600.0), ("ok", 7200.0), ("firing", 10800.0), ("ok", 0.0),
    ]  # fmt: skip
    late = found[3]
    assert (late.kind, late.severity, late.owner, late.source) == ("stale", "P2", "data", "weather")
    assert (late.threshold, late.start_ms, late.evidence["last_value_ms"]) == (7200.0, 0, HOUR)


def test_twice_the_promise_on_what_matters_is_p1() -> None:
    of = watched(with_temp(freshness_sla_ms=2 * HOUR))
    walk = walked(of, [{"temp": [1.0]}, *({"dest": ["a"]} for _ in range(4))])
    assert of_temp(walk[-1].verdicts, "freshness")[0].severity == "P1"


def test_a_feature_that_never_came_is_as_old_as_the_model() -> None:
    of = watched(with_temp(freshness_sla_ms=2 * HOUR))
    walk = walked(of, [{"dest": ["a"]}] * 3)
    assert [of_temp(each.verdicts, "freshness")[0].state for each in walk] == ["ok", "ok", "firing"]


def test_upstream_only_what_its_source_ever_sent_can_be_stale() -> None:
    of = watched(with_temp(freshness_sla_ms=HOUR), stream="features")
    assert walked(of, [{"dest": ["a"]}] * 4)[-1].verdicts == ()
    (verdict,) = walked(of, [{"temp": [1.0]}, *([{"dest": ["a"]}] * 2)])[-1].verdicts
    assert (verdict.whole().rule, verdict.state) == ("freshness_upstream", "firing")


def test_a_pane_without_events_says_nothing_of_freshness_and_charts() -> None:
    of = watched(with_temp(freshness_sla_ms=HOUR))
    walk = walked(of, [{"temp": [1.0]}, {}, {}, {}])
    assert [verdict.whole().rule for verdict in walk[-1].verdicts] == ["errors", "latency"]
    assert walk[-1].charts.at == 4 * HOUR
