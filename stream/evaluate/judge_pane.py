"""Judges one closed pane: serving's rules, freshness and the charts.  Pure.

A revised pane (not after the last one that the charts saw) is judged by serving's rules alone: charts and freshness have
gone on, but what it holds now stands in their series.  A pane without events says nothing of freshness.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.evaluate.chart_verdicts import budgeted_in, chart_verdicts
from stream.evaluate.charts import Charts, revised, stepped
from stream.evaluate.freshness import freshness_verdicts
from stream.evaluate.measuring import sizes_of
from stream.evaluate.named_verdicts import named_verdicts
from stream.evaluate.quality_still import still_verdicts, with_still
from stream.evaluate.serving import serving_verdicts
from stream.evaluate.verdict import Clear, Quiet, Verdict
from stream.evaluate.watched import Watched
from stream.state.layout import EVENTS
from stream.state.packing import Partial


@dataclass(frozen=True, eq=False, slots=True)
class Pane:
    """``[start_ms, end_ms)`` of one stream of a model, merged over its partitions."""

    start_ms: int
    end_ms: int
    partial: Partial


@dataclass(frozen=True, slots=True)
class PaneVerdicts:
    """The charts after the pane, and what its rules say; ``budgeted``: charts that were judged by the budget."""

    charts: Charts
    verdicts: tuple[Verdict | Quiet | Clear, ...]
    budgeted: int = 0


def judge_pane(watched: Watched, pane: Pane, charts: Charts) -> PaneVerdicts:
    """What a pane adds to the charts and what its rules say; panes come in the order of their ends, but revised ones."""
    verdicts: list[Verdict | Quiet | Clear] = list(serving_verdicts(watched, pane.partial, start_ms=pane.start_ms))
    if charts.at is not None and pane.end_ms <= charts.at:
        return PaneVerdicts(revised(charts, watched, pane.partial, end=pane.end_ms), tuple(verdicts))
    span = (pane.start_ms, pane.end_ms)
    sizes = sizes_of(watched.yardstick, pane.partial)
    after = stepped(charts, watched, pane.partial, span=span, sizes=sizes)
    after = with_still(after, watched, pane.partial, before=charts, sizes=sizes, start_ms=pane.start_ms)
    if pane.partial.cells[EVENTS]:
        verdicts += still_verdicts(watched, charts, after.charts, start_ms=pane.start_ms)
        verdicts += freshness_verdicts(watched, after.charts, start_ms=pane.start_ms)
        verdicts += chart_verdicts(watched, after, span=span)
        verdicts += named_verdicts(watched, after, span=span)
    return PaneVerdicts(after.charts, tuple(verdicts), budgeted_in(watched, after))
