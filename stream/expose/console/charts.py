"""Charts: series over time for the library in the browser, and small pictures that need no script at all.

Pure.  Positions are in units of the picture's own box; a value that does not exist is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Values = Sequence[float | None]

SPARK_WIDTH, SPARK_HEIGHT = 120, 28
#: What a sparkline keeps free above and below, so that its stroke is not cut.
SPARK_MARGIN = 2.0
#: Judgements that a sparkline shows.
SPARK_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart; ``shown`` from the start or only when asked for."""

    name: str
    values: Values
    threshold: float | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Spark:
    """A sparkline: the path of its line, the height of its threshold, its last point, and in words."""

    path: str
    threshold: float | None
    last: tuple[float, float] | None
    over: bool
    says: str


def timeline(times_ms: Sequence[int], series: Iterable[Series], *, unit: str = "") -> dict[str, Any]:
    """What the script draws: times in seconds, and each line with its threshold."""
    lines = [
        {"name": one.name, "values": list(one.values), "threshold": one.threshold, "shown": one.shown} for one in series
    ]
    return {"times": [ms // 1000 for ms in times_ms], "series": lines, "unit": unit}


def sparkline(values: Values, *, threshold: float | None = None, over: bool = False) -> Spark | None:
    """The newest values as a small line from 0 to the highest of them and the threshold; None where there is nothing to draw.

    ``over`` is what the report says of the newest one: of a p-value the small ones are beyond the threshold.

    >>> sparkline([0.0, 1.0, None, 2.0]).path
    'M0 26L40 14M120 2'
    """
    newest = list(values)[-SPARK_LENGTH:]
    known = [value for value in newest if value is not None]
    if not known:
        return None
    top = max([*known, threshold or 0.0]) or 1.0
    step = SPARK_WIDTH / max(len(newest) - 1, 1)
    points = [None if value is None else (at * step, _height(value / top)) for at, value in enumerate(newest)]
    last = known[-1]
    says = f"last {last:.3g}, highest {max(known):.3g} of {len(known)}"
    line = _height(threshold / top) if threshold is not None else None
    return Spark(_path(points), line, next(filter(None, reversed(points))), over, says)


def _height(part: float) -> float:
    return SPARK_HEIGHT - SPARK_MARGIN - part * (SPARK_HEIGHT - 2 * SPARK_MARGIN)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """SVG's path: a line through neighbours, a move over each gap."""
    said, drawing = [], False
    for point in points:
        if point is not None:
            said.append(f"{'L' if drawing else 'M'}{point[0]:.4g} {point[1]:.4g}")
        drawing = point is not None
    return "".join(said)
