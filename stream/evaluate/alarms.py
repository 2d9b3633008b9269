"""False alarms that the budget allows against alarms there were: what each judgement adds to the model's sums.  Pure.

At a judgement every process of the model may alarm falsely at its share of the budget: so many are *expected*, at most, where
nothing ever changes.  *Begun* is an alarm where a rule of the budget fires and nothing was told of it before.  Over months in which
nobody saw a change the second should stay below the first; far above it, something does change or the reference is too short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schemas.findings import Finding
from schemas.reports import Measure, Report
from stream.evaluate.calibrated import rate_of
from stream.evaluate.rules import BUDGET_RULES, POOLED_RULE
from stream.evaluate.standing import Standing
from stream.evaluate.watched import Watched

#: Rules whose thresholds follow from the budget.
BY_BUDGET = (*BUDGET_RULES, POOLED_RULE)
#: Sums are of whole numbers: expected alarms are added in so many parts of one.
PARTS = 1_000_000_000
EXPECTED, BEGUN = f"alarms:expected/{PARTS}", "alarms:begun"


def expected(report: Report, watched: Watched) -> int:
    """False alarms that the budget allows at one judgement, in ``PARTS``: of what was judged by it."""
    judged = sum(name in BY_BUDGET and one.threshold is not None for name, one in _measures(report))
    return round(PARTS * judged * _rate(watched)) if judged else 0


def begun(found: Iterable[Finding], before: Standing) -> int:
    """How many of these findings are alarms by the budget that had not been told when they were concluded."""
    return sum(one.state == "firing" and one.rule in BY_BUDGET and not _is_told(one.key, before) for one in found)


def of_model(totals: Mapping[str, int]) -> tuple[float, int]:
    """(expected, begun) of a model's sums.

    >>> of_model({EXPECTED: 1_500_000_000, BEGUN: 2})
    (1.5, 2)
    """
    return totals.get(EXPECTED, 0) / PARTS, totals.get(BEGUN, 0)


def _measures(report: Report) -> Iterator[tuple[str, Measure]]:
    for judged in (report.features, report.prediction, report.sources):
        for one in judged.values():
            yield from one.measures.items()


def _is_told(key: str, before: Standing) -> bool:
    stood = before.keys.get(key)
    return stood is not None and stood.told is not None


def _rate(watched: Watched) -> float:
    known = watched.rates.get("process")
    if known is None:
        known = watched.rates["process"] = rate_of(watched)
    return known
