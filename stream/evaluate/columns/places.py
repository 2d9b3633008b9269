"""Which columns a window judges, each with its rules: all of them, in a slow window those that have it.  Pure."""

from __future__ import annotations

from stream.evaluate.columns.rules import ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.panes.windows import SLOW


def places_of(watched: Watched, window: str, length_ms: int) -> list[tuple[int, Place, ColumnRules]]:
    """(number, place, rules) of the columns that are judged in a window of that name and length."""
    known = watched.judged.get((window, length_ms))
    if known is None:
        slow = window == SLOW and SLOW not in watched.monitor.windows
        pairs = zip(watched.yardstick.places, watched.rules, strict=True)
        known = watched.judged[window, length_ms] = [
            (at, place, rules)
            for at, (place, rules) in enumerate(pairs)
            if not slow or rules.slow_window_ms == length_ms
        ]  # fmt: skip
    return known
