"""Counters that follow a total kept elsewhere: a series of ours grows by what the total has grown since it was looked at."""

from __future__ import annotations

from prometheus_client import Counter


class Growth:
    """Call it with a counter and its total; a total that went back (a part made anew) counts from 0 again."""

    def __init__(self) -> None:
        self._seen: dict[Counter, float] = {}

    def __call__(self, series: Counter, total: float) -> None:
        seen = self._seen.get(series, 0.0)
        series.inc(total - seen if total >= seen else total)
        self._seen[series] = total
