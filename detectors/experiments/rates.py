"""The difference of two rates at any look, of cumulative counts: exact however often it is looked at, however the arms are filled.

For each rate p that both arms might have, the product of the arms' beta mixtures (`detectors.experiments.beta_mixture`) is a
test martingale; which p it is nobody knows, so the evidence is the least of them over all p. It is at most the one of the
true p, hence an e-process: the chance that it ever reaches 1/α is at most α, at any n, with any shares of traffic, changed at
will between rows (L. Wasserman, A. Ramdas & S. Balakrishnan, "Universal inference", PNAS 117, 2020; A. Ramdas, J. Ruf, M.
Larsson & W. Koolen, "Admissible anytime-valid sequential inference", 2020). The safe 2 x 2 test (R. Turner, A. Ly & P.
Grünwald, "Generic e-variables for exact sequential k-sample tests that allow for optional stopping", JSPI 230, 2024) pays for
one unknown less, but needs the counts block by block, in blocks of shares known beforehand; this one needs the sums.

The confidence sequence is made of the same: all differences d for which no p gives arms of p and p + d evidence above 1/α.

Rows count as independent within an arm.  Ids that come again, and days that wander: docs/experiments.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.experiments.beta_mixture import WORTHS, log_e_of_counts
from detectors.experiments.looks import Look, p_of
from detectors.experiments.samples import Counts, Interval, level

Floats = NDArray[np.float64]
Rows = tuple[Floats, Floats]

#: How much firmer the prior of the champion is, who has most of the traffic for most of a canary.
FIRMER = 5.0
#: A rate is not looked for nearer than this to 0 and 1.
EDGE = 1e-12
_GOLDEN = 0.6180339887498949


def look_at_rates(champion: Counts, challenger: Counts, *, before: float = 1.0, alpha: float = 0.05) -> Look:
    """The evidence of everything since the experiment began, challenger minus champion.  Some 20 ms: not for an event loop.

    before: the p-value of the look before this one.

    >>> found = look_at_rates(Counts(20_000, 1_000), Counts(1_000, 90))
    >>> found.state, round(found.p_value, 5), [round(end, 3) for end in found.interval]
    ('ok', 0.0006, [0.008, 0.079])
    """
    level(alpha)
    if not champion.n or not challenger.n:
        return Look("no_traffic", before)
    log_e = float(log_e_of_rates((champion.n, champion.hits), (challenger.n, challenger.hits)))
    difference = challenger.share - champion.share
    return Look("ok", p_of(log_e, before), difference, log_e, _interval(champion, challenger, alpha))


def log_e_of_rates(champion: Sequence[ArrayLike], challenger: Sequence[ArrayLike], *, shift: ArrayLike = 0.0) -> Floats:
    """The logarithm of the evidence of many looks against "challenger's rate = champion's + shift", from (n, hits) of each arm.

    Arrays broadcast; an arm without rows says nothing.  Where the evidence at one likely rate is not above 0, that is the
    answer: the least is no higher, and either is none.

    >>> log_e_of_rates(([100, 1_000], [10, 100]), ([100, 1_000], [10, 160])).round(3).tolist()
    [-0.266, 3.453]
    """
    return _evidence((*champion, *challenger, shift), 0.0)


def _evidence(given: Sequence[ArrayLike], floor: float) -> Floats:
    """The least evidence, or that at a likely rate where it is no more than ``floor``."""
    arms = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in given))
    n1, h1, n2, h2, d = (each.ravel() for each in arms)
    found = _at((n1, h1), (n2, h2), d)(_likely((n1, h1), (n2, h2), d))
    some = found > floor
    n1, h1, n2, h2, d = (each[some] for each in (n1, h1, n2, h2, d))
    found[some] = _least(_at((n1, h1), (n2, h2), d), *_bracket((n1, h1), (n2, h2), d))
    return found.reshape(arms[0].shape)


def _at(champion: Rows, challenger: Rows, shift: Floats) -> Callable[[Floats], Floats]:
    """The evidence as a function of the champion's rate."""

    def log_e(p: Floats) -> Floats:
        q = np.clip(p + shift, EDGE, 1.0 - EDGE)
        one = [log_e_of_counts(*champion, p, worth=FIRMER * worth / (p * (1.0 - p))) for worth in WORTHS]
        other = [log_e_of_counts(*challenger, q, worth=worth / (q * (1.0 - q))) for worth in WORTHS]
        # Not scipy's logsumexp: of so few numbers it takes half of the time of all that is done here.
        found: Floats = np.logaddexp.reduce(np.array(one) + np.array(other), axis=0) - np.log(len(WORTHS))
        return found

    return log_e


def _likely(champion: Rows, challenger: Rows, shift: Floats) -> Floats:
    """The champion's rate by both arms together."""
    (n1, h1), (n2, h2) = champion, challenger
    return np.clip((h1 + h2 - n2 * shift) / np.maximum(n1 + n2, 1.0), *_inside(shift))


def _bracket(champion: Rows, challenger: Rows, shift: Floats) -> tuple[Floats, Floats]:
    """Where the rate of least evidence lies: between what each arm says of it, or beside that by half as much."""
    (n1, h1), (n2, h2) = champion, challenger
    one, other = h1 / np.maximum(n1, 1.0), h2 / np.maximum(n2, 1.0) - shift
    wide = 0.5 * np.abs(one - other)
    low, high = np.minimum(one, other) - wide, np.maximum(one, other) + wide
    return np.clip(low, *_inside(shift)), np.clip(high, *_inside(shift))


def _inside(shift: Floats) -> tuple[Floats, Floats]:
    return np.clip(EDGE - shift, EDGE, 1.0 - EDGE), np.clip(1.0 - EDGE - shift, EDGE, 1.0 - EDGE)


def _least(value: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """The least value in between by golden sections: to 1 / 4 000 of the width, 1e-7 of the evidence."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(17):
        lower = at_left < at_right
        low, high = np.where(lower, low, left), np.where(lower, right, high)
        new = np.where(lower, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = value(new)
        left, right = np.where(lower, new, right), np.where(lower, left, new)
        at_left, at_right = np.where(lower, at_new, at_right), np.where(lower, at_left, at_new)
    return np.minimum(at_left, at_right)


def _interval(champion: Counts, challenger: Counts, alpha: float) -> Interval:
    """The differences without evidence above 1 / ``alpha`` against them, each end looked for in 16 places at a time, six times."""
    centre = challenger.share - champion.share
    outer, inner = np.array([-1.0, 1.0]), np.array([centre, centre])
    for _ in range(7):
        places = inner + (outer - inner) * np.linspace(0.0, 1.0, 17)[:, None]
        against = _evidence((champion.n, champion.hits, challenger.n, challenger.hits, places), -np.log(alpha))
        beyond = against > -np.log(alpha)
        first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), 16)
        columns = np.arange(2)
        inner, outer = places[np.maximum(first - 1, 0), columns], places[first, columns]
    return Interval(float(outer[0]), float(outer[1]))
