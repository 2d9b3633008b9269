"""Values that do not change: a window of one value, and a feature that has stood still for longer than it ever did."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from detectors.quality.verdict import BY_CHANCE, LEAST_ROWS, Verdict, judged, undecided
from schemas.reference import NumericProfile, Profile

#: A feature stands still where it does for so many times the longest time that the reference shows, and for so many panes.
TIMES, LEAST_PANES = 2, 3
#: Runs are uneven where the longest is so many times the mean.
UNEVEN = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """The newest panes with a value, all of one and the same: which, how many panes and how many rows."""

    value: float
    panes: int
    rows: int


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


def stuck_run(profile: NumericProfile, run: Run, *, allowed: int, pane_ms: int) -> Verdict:
    """For how long (seconds) the newest panes hold one and the same value, against how long a feature may.

    Panes without a value tell nothing and are left out.  A value that rows so often share by chance is not stuck.

    :param allowed: panes that may hold one value (:func:`allowed_panes`).
    """
    p = math.exp(run.rows * _log_share(profile, run.value)) if profile.minimum != profile.maximum else 1.0
    length = run.panes if p < BY_CHANCE else 0
    said = f"{run.value:g} since {run.panes} panes" if length else ""
    return judged("stuck", length * pane_ms / 1000, allowed * pane_ms / 1000, n=run.rows, p=p, words=said)


def allowed_panes(profile: Profile, *, panes: float = 1.0) -> int:
    """For how many panes a feature may stand still; one of the reference's is as long as so many ``panes``.

    Twice the longest that the reference shows; where its runs are of all lengths, the longest says little, and it is as long as
    chance allows: after a still pane the next one is still too, with the share that followed in the reference.
    """
    runs = _runs(profile)
    longest, still = max(runs, default=0), sum(runs)
    uneven = longest >= UNEVEN * still / max(len(runs), 1)
    chance = math.log(BY_CHANCE) / math.log((still - len(runs) + 0.5) / (still + 1.0)) if runs and uneven else 0.0
    return max(math.ceil(max(TIMES * longest, chance) * panes), LEAST_PANES - 1)


def _runs(profile: Profile) -> list[int]:
    values = range(len(profile.counts))
    bins = [[at for at in row[0::2] if at in values] for row in profile.pane_counts]
    only = [held[0] if len(held) == 1 else None for held in bins if held]
    return [len(list(run)) for at, run in itertools.groupby(only) if at is not None]


def _log_share(profile: NumericProfile, value: float) -> float:
    """Logarithm of the chance of a value's bin, half a row at least; of one value never equal to another, not more."""
    at = sum(edge <= value for edge in profile.edges)
    return math.log(max(profile.counts[at], 0.5) / sum(profile.counts))
