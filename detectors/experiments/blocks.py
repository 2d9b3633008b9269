"""The difference of two arms with a health window as one observation: for days that wander and arms whose shares change.

Sums since the beginning suppose that a row is as good as any other.  They are wrong where the level wanders **and** the share
changes (the challenger had 5 % of the calm days and half of the busy ones), and where each arm wanders by itself.  Here each
window, in which the share was one number, gives one difference of means or of rates; what both arms have in common falls out
of it, and what is left is judged by its own spread from window to window: t = mean · √n / sd of n differences in the mixture
of `detectors.experiments.t_mixture`.

The level is exact at every n for normal differences of one spread that are independent from window to window.  It needs
windows, not rows: `LEAST` of them before the first verdict.  What follows an id over all windows (sticky ids that come again)
does not fall out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.experiments.looks import Look, p_of
from detectors.experiments.samples import Counts, Interval, Sample, level
from detectors.experiments.t_mixture import largest_t, log_e_of_t

Floats = NDArray[np.float64]

#: Windows before the first verdict.
LEAST = 5
#: Hits, and misses, that a window has to expect of each arm; with none it would seem to differ always by the same.
EXPECTED = 2.0
#: Values that a window has to hold of each arm.
VALUES = 20
#: Windows that the prior is worth: differences of half their spread from window to window.
WINDOWS = 4.0


def block(champion: Sample | Counts, challenger: Sample | Counts) -> Sample:
    """One window as one observation, to be added to those before it by ``+``; no observation where an arm has too few rows.

    >>> block(Counts(100, 5), Counts(50, 5)) + block(Sample(40, 120.0, 400.0), Sample(20, 70.0, 250.0))
    Sample(n=2, total=0.55, squares=0.2525, unit=1.0)
    >>> block(Counts(1_000, 5), Counts(50, 0)).n
    0
    """
    if not _enough(champion, challenger):
        return Sample(0, 0.0, 0.0)
    difference = _mean(challenger) - _mean(champion)
    return Sample(1, difference, difference * difference)


def look_at_blocks(differences: Sample, *, before: float = 1.0, alpha: float = 0.05) -> Look:
    """The evidence of all windows so far, challenger minus champion; ``difference`` is the mean over windows, each of one weight.

    before: the p-value of the look before this one.

    >>> found = look_at_blocks(Sample(24, 12.0, 29.0))
    >>> found.state, round(found.p_value, 4), [round(end, 2) for end in found.interval]
    ('ok', 0.2542, [-0.18, 1.18])
    """
    level(alpha)
    if differences.n < LEAST:
        return Look("not_enough_data" if differences.n else "no_traffic", before)
    if differences.variance == 0.0:
        return Look("no_variance", before, differences.mean)
    error = math.sqrt(differences.variance / differences.n)
    freedom = differences.n - 1
    log_e = float(log_e_of_t(differences.mean / error, freedom, differences.n, worth=WINDOWS))
    reach = largest_t(alpha, freedom, differences.n, worth=WINDOWS) * error
    interval = Interval(differences.mean - reach, differences.mean + reach)
    return Look("ok", p_of(log_e, before), differences.mean, log_e, interval)


def log_e_of_blocks(differences: Floats) -> Floats:
    """The same evidence after each window of many experiments, windows along the last axis; 0 before there are enough.

    A window without an observation is a NaN.

    >>> log_e_of_blocks(np.array([[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]])).round(3).tolist()
    [[0.0, 0.0, 0.0, 0.0, 1.302, 1.871]]
    """
    n = np.isfinite(differences).cumsum(axis=-1).astype(np.float64)
    observed = np.nan_to_num(differences)
    total, squares = observed.cumsum(axis=-1), np.square(observed).cumsum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(0.0, squares - total**2 / n) / (n - 1)
        found = log_e_of_t(total / np.sqrt(n * variance), np.maximum(n - 1, 1.0), n, worth=WINDOWS)
    return np.where((n >= LEAST) & (variance > 0), found, 0.0)


def _enough(champion: Sample | Counts, challenger: Sample | Counts) -> bool:
    rows = min(champion.n, challenger.n)
    if isinstance(champion, Sample) or isinstance(challenger, Sample):
        return rows >= VALUES
    rate = (champion + challenger).share
    return rows * min(rate, 1.0 - rate) >= EXPECTED


def _mean(arm: Sample | Counts) -> float:
    return arm.mean if isinstance(arm, Sample) else arm.share
