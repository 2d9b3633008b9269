"""A pane's verdicts: freshness in event time, and revised panes that move nothing.  Charts: `test_charts`."""

from __future__ import annotations

from typing import Any

import numpy as np

from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, PaneVerdicts, judge_pane, judge_panes
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict
from tests.support.judged import HOUR, TEMP, counted, watched, with_temp

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


def of_temp(verdicts: tuple[Verdict | Quiet | Clear | Fine, ...], rule: str) -> list[Verdict]:
    return [verdict for verdict in said(verdicts) if verdict.rule == rule and verdict.feature == "temp"]


def said(verdicts: tuple[Verdict | Quiet | Clear | Fine, ...]) -> list[Verdict]:
    """What is said of freshness and of serving, and of charts that alarm."""
    each = (one for verdict in verdicts for one in (verdict.each() if isinstance(verdict, Fine) else [verdict]))
    return [verdict.whole() for verdict in each if not isinstance(verdict, Clear)]


def test_a_revised_pane_moves_no_sum_and_stands_in_the_series() -> None:
    of = watched(with_temp(freshness_sla_ms=HOUR))
    last = walked(of, temps(shift=0.0, panes=3))[-1].charts
    seen = last.recent.values(0)[1].tolist()
    again = judge_pane(of, pane(of, 1, {"temp": [99.0] * 40, "status": ["error"] * 40}), last)
    assert again.charts.recent.values(0)[1].tolist() == [seen[0], 32 / 12, seen[2]]
    assert (again.charts.at, again.charts.sums.tolist(), again.charts.values) == (
        last.at,
        last.sums.tolist(),
        last.values,
    )
    assert [verdict.rule for verdict in said(again.verdicts)] == ["errors", "latency"]


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


def test_panes_judged_together_say_what_each_says_alone() -> None:
    """Of every pane the same charts and verdicts, whatever has no value in some of them or stands still."""
    of = watched(with_temp(freshness_sla_ms=HOUR))
    rows = [*temps(shift=0.0, panes=3), {"temp": [None] * 4}, {"dest": ["a"]}, {}, *({"temp": [7.0] * 5},) * 30]
    panes = [pane(of, at, each) for at, each in enumerate(rows)]
    alone, together = walked(of, rows), list(judge_panes(of, panes, Charts()))
    assert [one.charts.to_json() for one in together] == [one.charts.to_json() for one in alone]
    assert [said(one.verdicts) for one in together] == [said(one.verdicts) for one in alone]
    fired = {one.rule for each in together for one in said(each.verdicts) if one.state == "firing"}
    assert fired == {"freshness", "stuck", "cusum"}


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
    (verdict,) = said(walked(of, [{"temp": [1.0]}, *([{"dest": ["a"]}] * 2)])[-1].verdicts)
    assert (verdict.rule, verdict.state) == ("freshness_upstream", "firing")


def test_a_pane_without_events_says_nothing_of_freshness_and_charts() -> None:
    of = watched(with_temp(freshness_sla_ms=HOUR))
    walk = walked(of, [{"temp": [1.0]}, {}, {}, {}])
    assert [verdict.rule for verdict in said(walk[-1].verdicts)] == ["errors", "latency"]
    assert walk[-1].charts.at == 4 * HOUR
