"""Which windows a model's stream has.  Pure.

Windows end on multiples of the step, counted from the epoch, and hold ``[end - length, end)``.  The declared windows are
judged on predictions and on the feature store's events; a feature with a slow window has one more, on predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.monitored import ModelMonitor
from stream.evaluate.panes.tiers import Tier, tier_for

#: Streams that have windows; ``skew`` is the comparison of the first two, and no topic.
WINDOWED = ("predictions", "features", "skew")
SLOW = "slow"


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A window's name and length, the tier whose rows it is a sum of, and what its reports are kept under in Redis."""

    name: str
    length_ms: int
    tier: Tier
    label: str


def windows_of(monitor: ModelMonitor, stream: str) -> tuple[WindowSpec, ...]:
    """The windows of a stream; those of features' slow windows last."""
    if stream not in WINDOWED:
        return ()
    prefix = "" if stream == "predictions" else f"{stream}:"
    slow = slow_windows(monitor) if stream == "predictions" else {}
    named = [(name, length, name) for name, length in monitor.windows.items()]
    return tuple(
        WindowSpec(name, length, tier_for(monitor.pane_ms, window_ms=length, step_ms=monitor.step_ms), prefix + label)
        for name, length, label in (*named, *((SLOW, length, label) for label, length in slow.items()))
    )


def slow_windows(monitor: ModelMonitor) -> dict[str, int]:
    """Length of the window for each distinct slow length, by label: ``slow`` where there is one, else ``slow-<hours>h``.

    None where a declared window is called ``slow``: it stands for itself then.
    """
    lengths = sorted({feature.slow_window_ms for feature in monitor.features.values() if feature.slow_window_ms})
    if SLOW in monitor.windows:
        return {}
    return {SLOW: lengths[0]} if len(lengths) == 1 else {f"{SLOW}-{_text(length)}": length for length in lengths}


def boundary_before(at_ms: int, *, step_ms: int) -> int:
    """The last window end at or before a time.

    >>> boundary_before(7_199_999, step_ms=3_600_000)
    3600000
    """
    return at_ms - at_ms % step_ms


def _text(length_ms: int) -> str:
    return f"{length_ms // 3_600_000}h" if length_ms % 3_600_000 == 0 else f"{length_ms}ms"
