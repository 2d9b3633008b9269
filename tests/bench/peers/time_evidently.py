"""Evidently's drift preset, which takes both sides at once: nothing of the reference can be kept."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def prepare() -> Callable[[], int]:
    timing, report = import_module("timing"), import_module("evidently").Report
    preset = import_module("evidently.presets").DataDriftPreset
    reference, current = (timing.frame(timing.read(side)) for side in ("reference", "current"))

    def compare() -> int:
        metrics = report([preset()]).run(current, reference).dict()["metrics"]
        return sum(metric["metric_name"].startswith("ValueDrift(") for metric in metrics)

    return compare


if __name__ == "__main__":
    import_module("timing").measure(prepare)
