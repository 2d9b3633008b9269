"""Values that do not change: a window of one value, and a feature that has stood still for longer than it ever did."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from detectors.quality.verdict import LEAST_ROWS, Verdict, judged, undecided
from schemas.reference import NumericProfile, Profile

#: One value in all rows is still chance where it is no less likely than this.
BY_CHANCE = 1e-6
#: A feature stands still where it does for so many times the longest time that the reference shows, and for so many panes.
TIMES, LEAST_PANES = 2, 3


@dataclass(frozen=True, slots=True)
class PaneEnds:
    """One pane of a numeric feature: how many values, the least and the greatest."""

    rows: int
    minimum: float
    maximum: float


def constant(profile: NumericProfile, rows: int, *, ends: tuple[float, float]) -> Verdict:
    """One value in a whole window, where the reference's values make that unlikely. ``value`` is 1 for one value, else 0."""
    if rows < LEAST_ROWS:
        return undecided("constant", rows)
    if not sum(profile.counts):
        return undecided("constant", rows, state="no_reference")
    if ends[0] != ends[1]:
        return judged("constant", 0.0, 0.0, n=rows)
    p = math.exp(rows * _log_share(profile, ends[0])) if profile.minimum != profile.maximum else 1.0
    said = f"all {rows} values are {ends[0]:g}"
    return judged("constant", float(p < BY_CHANCE), 0.0, n=rows, p=p, words=said)


def stuck(profile: NumericProfile, panes: Sequence[PaneEnds], *, pane_ms: int) -> Verdict:
    """For how long (seconds) the newest panes hold one and the same value, against twice the longest in the reference.

    Panes without a value tell nothing and are left out.  A value that rows so often share by chance is not stuck.

    :param panes: in time order.
    """
    filled = [pane for pane in panes if pane.rows]
    if not filled or not sum(profile.counts):
        return undecided("stuck", 0, state="no_traffic" if not filled else "no_reference")
    value = filled[-1].maximum
    still = list(itertools.takewhile(lambda pane: pane.minimum == pane.maximum == value, reversed(filled)))
    rows = sum(pane.rows for pane in still)
    allowed = max(TIMES * longest_still(profile), LEAST_PANES - 1)
    p = math.exp(rows * _log_share(profile, value)) if profile.minimum != profile.maximum else 1.0
    length = len(still) if p < BY_CHANCE else 0
    said = f"{value:g} since {len(still)} panes" if length else ""
    return judged("stuck", length * pane_ms / 1000, allowed * pane_ms / 1000, n=rows, p=p, words=said)


def longest_still(profile: Profile) -> int:
    """The longest run of the reference's filled panes whose values all lie in one and the same bin; 0 without time order."""
    values = range(len(profile.counts))
    bins = [[at for at in row[0::2] if at in values] for row in profile.pane_counts]
    only = [held[0] if len(held) == 1 else None for held in bins if held]
    return max((len(list(run)) for at, run in itertools.groupby(only) if at is not None), default=0)


def _log_share(profile: NumericProfile, value: float) -> float:
    """Logarithm of the chance of a value's bin, half a row at least; of one value never equal to another, not more."""
    at = sum(edge <= value for edge in profile.edges)
    return math.log(max(profile.counts[at], 0.5) / sum(profile.counts))
