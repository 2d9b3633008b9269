"""The health rules: is the challenger, in one window, as good as it must be?  Pure.

==========  ==================================================================  ==========================
rule        is beyond its limit where                                           needs
==========  ==================================================================  ==========================
errors      more of its requests failed than ``errors`` allows                  ``least`` requests
latency     more than 5 % of its requests took longer than ``latency_p95``      ``least`` latencies
rating      the mean of its ratings is below ``rating``                         30 ratings
drift       PSI of its scores against the champion's, less what alike ones      100 scores of each version
            would show, is above ``drift``; ids that come again count once
==========  ==================================================================  ==========================

A rule finds it ``bad`` where a version that just keeps the limit would do as badly in fewer than one window of a thousand, and
``doubtful`` where in fewer than one of twenty: one window of noise is doubtful at most, and two of them on end are no noise.
All that is said of ids, each of which may always fail or never.  Where only the requests say it, not the ids, it is doubtful
and not ``is_doubted``: that holds it, and sends nobody back.
Where the champion is itself beyond a limit, the challenger is held against the champion: no worse than that is ``both``.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.binomial import tail, tail_of_clumps
from detectors.experiments.between_arms import between_arms
from detectors.mean_below import mean_below
from schemas.release import ReleaseMonitor
from schemas.releases import Check, Grade
from stream.evaluate.releases.window import Arm, Arms, Sums

#: Chances of a version that just keeps its limit.
BAD, DOUBTFUL = 0.001, 0.05
#: The share of requests that may take longer than a p95.
MAY_BE_SLOWER = 0.05
LEAST_RATINGS, LEAST_SCORES = 30, 100


def checks_of(arms: Arms, monitor: ReleaseMonitor) -> tuple[Check, ...]:
    """What each rule says, in the order of the table."""
    return tuple(_checks(arms, monitor))


def is_doubted(check: Check) -> bool:
    """Whether two of these on end are no noise."""
    return check.grade == "doubtful" and (check.p or 0.0) < DOUBTFUL


def _checks(arms: Arms, monitor: ReleaseMonitor) -> Iterator[Check]:
    yield _errors(arms.challenger, arms.champion, monitor)
    yield _latency(arms.challenger, arms.champion, monitor)
    yield _rating(arms.challenger, arms.champion.rating, monitor.rating)
    yield _drift(arms.challenger, arms.champion, monitor.drift)


def _errors(own: Arm, other: Arm, monitor: ReleaseMonitor) -> Check:
    failed, of_champion = (own.errors, own.requests), (other.errors, other.requests)
    clump = own.repeats_among(own.requests)
    grade, p = _shares(failed, of_champion, monitor.errors, least=monitor.least, clump=clump)
    return Check(
        "errors", grade, monitor.errors, own.requests, _ratio(own.errors, own.requests),
        _ratio(other.errors, other.requests), p,
    )  # fmt: skip


def _latency(own: Arm, other: Arm, monitor: ReleaseMonitor) -> Check:
    slow, of_champion = (own.slow, own.latencies), (other.slow, other.latencies)
    clump = own.repeats_among(own.latencies)
    grade, p = _shares(slow, of_champion, MAY_BE_SLOWER, least=monitor.least, clump=clump)
    return Check("latency", grade, monitor.latency_p95_ms / 1000, own.latencies, own.p95_s, other.p95_s, p)


def _rating(arm: Arm, other: Sums, limit: float) -> Check:
    own = arm.rating
    if own.n < LEAST_RATINGS:
        return Check("rating", "unknown", limit, own.n, own.mean, other.mean)
    clump = arm.repeats_among(own.n)
    p = _below(own, limit, clump=clump)
    grade = _grade(p, of_requests=_below(own, limit))
    if grade != "well" and other.n >= LEAST_RATINGS and (other.mean or 0.0) < limit:
        worse = _below(own, other.mean or 0.0, clump=clump) < DOUBTFUL
        grade = "both" if _below(other, limit) < DOUBTFUL and not worse else grade
    return Check("rating", grade, limit, own.n, own.mean, other.mean, p)


def _below(sums: Sums, limit: float, *, clump: float = 1.0) -> float:
    """The p-value of a mean below a limit, where so many ratings count as one; of one that counts nothing can be said."""
    n = sums.n / clump
    return mean_below(n, sums.total / clump, squares=sums.squares / clump, limit=limit) if n > 1.0 else 1.0


def _drift(own: Arm, other: Arm, limit: float) -> Check:
    n = sum(own.scores)
    repeats = (other.repeats, own.repeats)
    found = between_arms(other.scores, own.scores, repeats=repeats) if own.scores and other.scores else None
    if found is None or found.psi is None or min(n / repeats[1], sum(other.scores) / repeats[0]) < LEAST_SCORES:
        return Check("drift", "unknown", limit, n)
    p, beyond = found.p_value or 0.0, found.psi - (found.expected or 0.0)
    return Check("drift", _grade(p, of_requests=p) if beyond > limit else "well", limit, n, beyond, p=p)


def _shares(
    own: tuple[int, int], other: tuple[int, int], limit: float, *, least: int, clump: float = 1.0
) -> tuple[Grade, float | None]:
    """The grade of a share of failures (failed, of), and its p-value where so many requests of its own count as one.

    >>> [_shares((failed, 100), (0, 900), 0.05, least=100)[0] for failed in (8, 9, 10, 13, 14)]
    ['well', 'well', 'doubtful', 'doubtful', 'bad']
    >>> _shares((20, 100), (180, 900), 0.05, least=100)[0], _shares((40, 100), (180, 900), 0.05, least=100)[0]
    ('both', 'bad')
    """
    if own[1] < least:
        return "unknown", None
    p = tail_of_clumps(*own, limit, clump=clump)
    grade = _grade(p, of_requests=tail(*own, limit))
    if grade != "well" and other[1] >= least and tail(*other, limit) < DOUBTFUL:
        as_champion = tail_of_clumps(*own, max(limit, other[0] / other[1]), clump=clump)
        return ("both" if as_champion >= DOUBTFUL else grade), p
    return grade, p


def _grade(p: float, *, of_requests: float) -> Grade:
    """By the p-value of ids and by that of requests, each taken for a draw of its own."""
    if p < BAD:
        return "bad"
    return "doubtful" if min(p, of_requests) < DOUBTFUL else "well"


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
