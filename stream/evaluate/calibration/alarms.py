"""False alarms that the budget allows against alarms there were: what each judgement adds to the model's sums.  Pure.

At a judgement every process of the model may alarm falsely at its share of the budget: so many are *expected*, at most, where
nothing ever changes.  *Begun* is an alarm where a rule of the budget fires and nothing was told of it before.  Over months in which
nobody saw a change the second should stay below the first; far above it, something does change or the reference is too short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schemas.findings import Finding
from schemas.reports import Measure, Report
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.learned import learned_in
from stream.evaluate.columns.charted import RULES
from stream.evaluate.columns.rules import BUDGET_RULES, LEAST_ROWS, POOLED_RULE
from stream.evaluate.columns.watched import Watched
from stream.evaluate.verdicts.standing import Standing

#: Rules whose thresholds follow from the budget; charts' do where there is one, and elsewhere they are no alarms of it.
BY_BUDGET = (*BUDGET_RULES, POOLED_RULE)
#: Sums are of whole numbers: expected alarms are added in so many parts of one.
PARTS = 1_000_000_000
EXPECTED, BEGUN = f"alarms:expected/{PARTS}", "alarms:begun"


def expected(report: Report, watched: Watched) -> int:
    """False alarms that the budget allows at one judgement of a window, in ``PARTS``: of what was judged by it."""
    judged = sum(name in BY_BUDGET and one.threshold is not None for name, one in _measures(report))
    judged += _learned(report, watched)
    return round(PARTS * judged * rate_of(watched, every_ms=watched.monitor.step_ms)) if judged else 0


def expected_of_charts(charts: int, watched: Watched) -> int:
    """The same of a pane in which so many charts were judged by the budget."""
    return round(PARTS * charts * rate_of(watched, every_ms=watched.layout.pane_ms)) if charts else 0


def begun(found: Iterable[Finding], before: Standing, watched: Watched) -> int:
    """How many of these findings are alarms by the budget that had not been told when they were concluded."""
    rules = BY_BUDGET if watched.monitor.budget is None else (*BY_BUDGET, *RULES)
    return sum(
        one.state == "firing" and (one.rule in rules or _is_learned(one, watched)) and not _is_told(one.key, before)
        for one in found
    )


def of_model(totals: Mapping[str, int]) -> tuple[float, int]:
    """(expected, begun) of a model's sums.

    >>> of_model({EXPECTED: 1_500_000_000, BEGUN: 2})
    (1.5, 2)
    """
    return totals.get(EXPECTED, 0) / PARTS, totals.get(BEGUN, 0)


def _learned(report: Report, watched: Watched) -> int:
    """Features whose learned checks looked at the window; what they do not find leaves no measure."""
    if report.stream != "predictions" or report.state == "warming" or report.events < LEAST_ROWS:
        return 0
    return len(learned_in(watched, report.window, report.end - report.start))


def _is_learned(one: Finding, watched: Watched) -> bool:
    """Whether a finding is of a learned check that may page."""
    if one.feature is None or one.window is None:
        return False
    return one.rule in learned_in(watched, one.window, one.memory).get(one.feature, ())


def _measures(report: Report) -> Iterator[tuple[str, Measure]]:
    for judged in (report.features, report.prediction, report.sources):
        for one in judged.values():
            yield from one.measures.items()


def _is_told(key: str, before: Standing) -> bool:
    stood = before.keys.get(key)
    return stood is not None and stood.told is not None
