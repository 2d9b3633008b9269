"""What was stored is enough to say it all again: a report from its panes, its verdicts from the report, the findings from those."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from msgspec.structs import replace as replaced

from schemas import reports
from schemas.findings import Finding
from schemas.reports import Column, Report
from stream.evaluate.calibration.live_calibration import NOTHING
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.quality.verdicts import quality_verdicts
from stream.evaluate.verdicts.standing import Standing
from stream.evaluate.verdicts.verdict import Verdict
from tests.support import models
from tests.support.evaluation import DAY, HOUR, START, Scene, monitor, opened

PANE, _ = tiers_of(HOUR)
HOURS = 60


def test_reports_verdicts_and_findings_are_found_again_in_what_is_stored(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name) as scene:
            for hour in range(HOURS):
                await scene.count(hour % 2, START + hour * HOUR, events=200, clock=START + (hour + 1) * HOUR)
            await scene.move(hour % 2 - 1, START + HOURS * HOUR)
            await scene.evaluate()
            told = [one for _, one in await scene.outbox() if isinstance(one, Finding) and one.window == "day"]
            stored = await scene.reports()
            assert len(stored) == HOURS // 2
            assert sum(report.state == "drift" for report in stored) > 10
            await _found_again(scene, stored, told)

    asyncio.run(story())


async def _found_again(scene: Scene, stored: list[Report], told: list[Finding]) -> None:
    panes = await scene.closed(PANE)
    verdicts: dict[tuple[str, int], Verdict] = {}
    for report in stored:
        of = Watched("m", "predictions", scene.layouts["m"], monitor(), models.reference(), {}, report.generation)
        inside = [pane for start, pane in panes.items() if report.start <= start < report.end]
        total = inside[0]
        for pane in inside[1:]:
            total = total + pane
        complete = report.end - DAY >= START
        live = replace(NOTHING, awaited_ms=report.calibrated_from)
        window = Window("day", report.start, report.end, total, complete, live)
        again = judge_window(of, window, seen_ms=report.seen)
        assert _without_charts(report, like=again) == again
        assert complete == ("psi" in again.features["temp"].measures)
        read = reports.decode(reports.encode(report))
        said = (*verdicts_of(read, of), *quality_verdicts(read, of, Standing()))
        verdicts |= {(one.key, report.end): one for one in said}
    assert told
    for one in told:
        verdict = verdicts[one.key, one.at]
        assert (one.state, one.value, one.threshold, one.n, one.p, one.evidence) == (
            *(verdict.state, verdict.value, verdict.threshold, verdict.n, verdict.p, verdict.evidence),
        )


def _without_charts(report: Report, like: Report) -> Report:
    """The measures that ``like`` has too: charts remember panes before the window, of which its own tell nothing."""

    def kept(room: str) -> dict[str, Column]:
        wanted: dict[str, Column] = getattr(like, room)
        return {
            name: replaced(column, measures={one: column.measures[one] for one in wanted[name].measures})
            for name, column in getattr(report, room).items()
        }

    return replaced(report, features=kept("features"), prediction=kept("prediction"))
