"""A budget of false pages divided over the processes that may page.

Expected counts add whatever the dependence between processes, so the *rate* is divided, not the chance of any alarm: correlated
features only make fewer incidents of as many alarms.
"""

from __future__ import annotations

from dataclasses import dataclass

MONTH_MS = 2_629_800_000
"""A twelfth of a Julian year."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a model has that may page: of each feature and segment the tests of each window, and the charts."""

    features: int
    segments: int = 1
    tests: int = 0
    charts: int = 0

    @property
    def processes(self) -> int:
        """Series that each alarm by themselves.

        >>> Watched(features=20, tests=4, charts=2).processes
        120
        """
        return self.features * self.segments * (self.tests + self.charts)


def rate(pages_a_month: float, watched: Watched, *, every_ms: int) -> float:
    """False alarms that one process may raise each time it is judged.

    :param every_ms: time between two judgements: a pane, or the step of the windows.
    :raises ValueError: nothing is watched, or the budget is not above 0.

    >>> round(1 / rate(1.0, Watched(features=20, tests=4, charts=1), every_ms=3_600_000))
    73050
    """
    if pages_a_month <= 0.0:
        raise ValueError(f"a budget of {pages_a_month:g} false pages a month is not above 0: no threshold keeps it")
    if watched.processes <= 0:
        raise ValueError("nothing is watched, so nothing can page")
    return min(1.0, pages_a_month * every_ms / MONTH_MS / watched.processes)
