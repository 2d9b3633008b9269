"""Latencies that are probably not in seconds: half of a pane's are so far off that another unit is likelier.  Pure.

A latency is in seconds (``latency_s``).  Whoever sends milliseconds makes each a thousand times as long; the rules find them
slow, and page.  So what is told says that the unit may be the reason.
"""

from __future__ import annotations

from stream.evaluate.columns.rules import LEAST_REQUESTS

MILLISECONDS = "milliseconds?"
#: A p95 is promised with room above the usual latency, ten times and more are common: so a hundred times the promise is far.
TIMES_PROMISED = 100.0
#: Where nothing is promised: nobody waits for half an hour.
NOBODY_WAITS_S = 1800.0


def suspicion(median_s: float | None, n: int, *, promised_ms: int | None) -> str | None:
    """``milliseconds?`` where the median of ``n`` latencies, 20 at least, is beyond belief; None where it is not.

    >>> suspicion(50.1, 20, promised_ms=500), suspicion(50.0, 20, promised_ms=500), suspicion(9e9, 19, promised_ms=500)
    ('milliseconds?', None, None)
    """
    limit = NOBODY_WAITS_S if promised_ms is None else TIMES_PROMISED * promised_ms / 1000
    return MILLISECONDS if median_s is not None and n >= LEAST_REQUESTS and median_s > limit else None
