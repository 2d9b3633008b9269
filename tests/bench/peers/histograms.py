"""What a person counts of an event without driftline: bins, moments and extrema of each number, names, the score's bins.

Plain Python, as one writes it in an agent; run by the Python of a contender's own environment too, so it knows the standard
library only.  A state is JSON as it is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

#: By column, the score among them, the edges of its bins; an empty list is a column of names.
Edges = Mapping[str, Sequence[float]]
PANE_MS = 3_600_000


def new(edges: Edges) -> dict[str, Any]:
    """The state of a model's pane before its first event."""
    numbers = {
        name: {"bins": [0] * (len(of) + 1), "missing": 0, "sum": 0.0, "sum2": 0.0, "low": None, "high": None}
        for name, of in edges.items()
        if of
    }
    return {"events": 0, "numbers": numbers, "names": {name: {} for name, of in edges.items() if not of}}


def add(state: dict[str, Any], event: Mapping[str, Any], edges: Edges) -> dict[str, Any]:
    """The state with one event more; it is changed in place."""
    state["events"] += 1
    features = event["features"]
    for name, of in state["numbers"].items():
        value = event["prediction"]["score"] if name == "score" else features[name]
        if value is None or not math.isfinite(value):
            of["missing"] += 1
            continue
        of["bins"][bisect_right(edges[name], value)] += 1
        of["sum"] += value
        of["sum2"] += value * value
        of["low"] = value if of["low"] is None or value < of["low"] else of["low"]
        of["high"] = value if of["high"] is None or value > of["high"] else of["high"]
    for name, counts in state["names"].items():
        value = features[name]
        counts[str(value)] = counts.get(str(value), 0) + 1
    return state


def pane_of(event: Mapping[str, Any]) -> int:
    """The start of the pane that an event lies in."""
    return int(event["timestamp"] - event["timestamp"] % PANE_MS)
