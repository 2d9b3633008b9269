"""What a person should hear of a reference whose own panes cannot calibrate the test that a budget decides by.  Pure.

Live panes will (:mod:`stream.evaluate.calibration.live_calibration`), weeks later: a reference of other panes does at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.calibration.blocks import LEAST_BLOCKS
from schemas.durations import duration_text
from schemas.monitored import ModelMonitor
from schemas.reference import Reference


def uncalibrated(monitor: ModelMonitor, reference: Reference) -> Iterator[str]:
    """A warning where a budget is stated, and what is wrong with the reference's panes."""
    if monitor.budget is None:
        return
    windows = _lengths(monitor)
    if reference.pane_ms is None:
        yield (
            "budget: its reference has no time order, so the rule of thumb (psi 0.25) decides until live panes calibrate; "
            "`driftline reference build --time` names the column that gives one"
        )
    elif len(reference.pane_starts or ()) < LEAST_BLOCKS:
        yield (
            f"budget: its reference has {len(reference.pane_starts or ())} panes of {duration_text(reference.pane_ms)}, and "
            f"{LEAST_BLOCKS} are needed: columns are `not_enough_data` until live panes calibrate; build it with a shorter "
            "`--pane`, or of more rows"
        )
    elif uneven := [name for name, length in windows.items() if length % reference.pane_ms]:
        yield (
            f"budget: panes of {duration_text(reference.pane_ms)} in its reference do not make up {', '.join(uneven)}: columns are "
            f"`not_enough_data` there until live panes calibrate; build it with `--pane {duration_text(monitor.pane_ms)}`"
        )


def _lengths(monitor: ModelMonitor) -> dict[str, int]:
    """Every window that a column is judged in, as people name it."""
    slow = {feature.slow_window_ms for feature in monitor.features.values() if feature.slow_window_ms}
    named = {f"{name} ({duration_text(length)})": length for name, length in monitor.windows.items()}
    return named | {f"slow ({duration_text(length)})": length for length in sorted(slow)}
