"""How long a receiver that did not take a request is left alone: a pure function of the failures in a row."""

from __future__ import annotations

FIRST_S = 0.5
LONGEST_S = 60.0


def pause_s(failures: int, *, retry_after_s: float | None, jitter: float) -> float:
    """Seconds until the next try; ``jitter`` is uniform in [0, 1).

    Doubles with each failure and is spread over its upper half, so that receivers of one vendor do not come back in step; what
    the vendor asks for is never cut short.

    >>> [pause_s(n, retry_after_s=None, jitter=0.0) for n in (1, 2, 3, 12)]
    [0.25, 0.5, 1.0, 30.0]
    >>> pause_s(1, retry_after_s=30.0, jitter=0.5)
    30.375
    """
    doubled = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 10))
    return (retry_after_s or 0.0) + doubled * (0.5 + 0.5 * jitter)
