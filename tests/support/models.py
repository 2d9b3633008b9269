"""Small models for tests: a reference with round edges, the monitor that names it, and monitors of several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from schemas.monitored import FeatureMonitor, ModelMonitor, Monitors, PredictionMonitor
from schemas.reference import CategoricalProfile, NumericProfile, Profile, Reference

HOUR = 3_600_000
DAY = 24 * HOUR


def numeric(*edges: float) -> NumericProfile:
    """A profile of values between the first and the last edge, mean 10 and sd 2 whatever they are."""
    counts = (0, *([1] * (len(edges) - 1)), 0)
    return NumericProfile(
        edges=edges, deciles=edges[1:-1], atoms=(), counts=counts, pane_counts=(), rows=sum(counts), missing=0,
        nonfinite=0, minimum=edges[0], maximum=edges[-1], mean=10.0, sd=2.0,
    )  # fmt: skip


def categorical(*names: str) -> CategoricalProfile:
    return CategoricalProfile(names, (1,) * len(names), (), rows=len(names), missing=0, other=0)


def reference(model: str = "m", *, temp: NumericProfile | None = None) -> Reference:
    """Features ``temp`` and ``carrier``, no score, no outcomes."""
    features: dict[str, Profile] = {"temp": temp or numeric(0.0, 10.0, 20.0), "carrier": categorical("UA", "DL")}
    return Reference(1, model, 2, None, None, features, None, None)


def ample(model: str = "m") -> Reference:
    """The same of 200 rows, which no command has a doubt about."""
    of = reference(model)
    features = {
        name: replace(profile, counts=tuple(100 * count for count in profile.counts), rows=200)
        for name, profile in of.features.items()
    }
    return replace(of, rows=200, features=features)


def monitor(*, pane_ms: int = HOUR, file: Path = Path("m.json"), lateness_ms: int = 0) -> ModelMonitor:
    """A binary model of four features; ``tail`` is counted by a hash, and ``gust`` is not in the reference."""
    features = {
        "temp": FeatureMonitor(type="numeric"),
        "gust": FeatureMonitor(type="numeric"),
        "carrier": FeatureMonitor(type="categorical"),
        "tail": FeatureMonitor(type="categorical", hash=True),
    }
    return ModelMonitor(
        pane_ms=pane_ms, windows={"day": DAY}, step_ms=DAY, lateness_ms=lateness_ms, revise_within_ms=30 * DAY,
        reference=file, features=features,
        prediction=PredictionMonitor(kind="binary", classes=("on_time", "delayed"), positive="delayed", threshold=0.5),
    )  # fmt: skip


def monitors(**models: ModelMonitor) -> Monitors:
    """A monitors file that was read; its hash is ``"f" * 64``."""
    return Monitors(file=Path("monitors.yaml"), sha256="f" * 64, models=models)
