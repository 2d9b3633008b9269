"""What share of a model's budget of false pages each thing that may page has: the rate is divided, whatever hangs together."""

from __future__ import annotations

from detectors.budget import division
from detectors.budget.limits import SLACKS
from stream.evaluate.calibration.learned import learned_in
from stream.evaluate.calibration.pools import pools_of
from stream.evaluate.columns.places import places_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.windows import windows_of

#: No process may alarm more often than at every second judgement.
_MOST = 0.5


def rate_of(watched: Watched, *, every_ms: int) -> float:
    """False alarms that each process of the model may raise each time it is judged; 0 where no budget is stated.

    Worked out once: it counts every column in every window.

    :param every_ms: time between two judgements: the step for windows, a pane for charts.
    """
    budget = watched.monitor.budget
    if budget is None:
        return 0.0
    known = watched.rates.get(every_ms)
    if known is None:
        processes = division.Watched(1, tests=_tests(watched), charts=_charts(watched))
        rate = division.rate(budget.false_pages_per_month, processes, every_ms=every_ms)
        known = watched.rates[every_ms] = min(rate, _MOST)
    return known


def _tests(watched: Watched) -> int:
    """In each window the rules of the columns judged in it, its pools, and the learned checks of each feature as one."""
    windows = {*((spec.name, spec.length_ms) for spec in windows_of(watched.monitor, watched.stream))}
    return sum(
        sum(len(rules.budgeted) for _, _, rules in places_of(watched, *window))
        + sum(pool.decides for pool in pools_of(watched, *window))
        + len(learned_in(watched, *window))
        for window in windows
    )


def _charts(watched: Watched) -> int:
    """The charts of every column about which the budget decides."""
    return len(SLACKS) * sum(bool(watched.rules[number].budgeted) for number in watched.charted.numbers.tolist())
