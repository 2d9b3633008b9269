"""Judges closed panes: serving's rules, freshness and the charts.  Pure.

A revised pane (not after the last one that the charts saw) is judged by serving's rules alone: charts and freshness have
gone on, but what it holds now stands in their series.  A pane without events says nothing of freshness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stream.evaluate.charts.charts import Charts, revised, stepped
from stream.evaluate.charts.freshness import freshness_verdicts
from stream.evaluate.charts.named_verdicts import named_verdicts
from stream.evaluate.charts.verdicts import budgeted_in, chart_verdicts
from stream.evaluate.columns.counted import PaneCounts, counted_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.quality.still import still_verdicts, with_still
from stream.evaluate.verdicts.serving import serving_verdicts
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict
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
    verdicts: tuple[Verdict | Quiet | Clear | Fine, ...]
    budgeted: int = 0


def judge_pane(watched: Watched, pane: Pane, charts: Charts) -> PaneVerdicts:
    """What a pane adds to the charts and what its rules say; panes come in the order of their ends, but revised ones."""
    if charts.at is not None and pane.end_ms <= charts.at:
        said = tuple(serving_verdicts(watched, pane.partial, start_ms=pane.start_ms))
        return PaneVerdicts(revised(charts, watched, pane.partial, end=pane.end_ms), said)
    return next(judge_panes(watched, [pane], charts))


def judge_panes(watched: Watched, panes: Sequence[Pane], charts: Charts) -> Iterator[PaneVerdicts]:
    """The same of each of some panes that follow the charts; each is judged when it is asked for."""
    counted = counted_of(watched, [pane.partial for pane in panes])
    spans = [(pane.start_ms, pane.end_ms) for pane in panes]
    for at, (pane, after) in enumerate(zip(panes, stepped(charts, watched, counted, spans=spans), strict=True)):
        if counted.still[at].any():
            own = PaneCounts(pane.partial, counted.values[at], counted.still[at])
            after = with_still(after, watched, own, before=charts, start_ms=pane.start_ms)
        verdicts: list[Verdict | Quiet | Clear | Fine] = list(
            serving_verdicts(watched, pane.partial, start_ms=pane.start_ms)
        )
        if pane.partial.cells[EVENTS]:
            verdicts += still_verdicts(watched, charts, after.charts, start_ms=pane.start_ms)
            verdicts += freshness_verdicts(watched, after.charts, start_ms=pane.start_ms)
            verdicts += chart_verdicts(watched, after, span=spans[at])
            verdicts += named_verdicts(watched, after, span=spans[at])
        charts = after.charts
        yield PaneVerdicts(charts, tuple(verdicts), budgeted_in(watched, after))
