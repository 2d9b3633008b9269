"""Generated events whose counts are known by a way of counting that shares no code with the stream's.

Two models with different features; values with missing ones, ties, an atom and values beyond the reference.  ``expected``
counts them with numpy's ``searchsorted`` and ``bincount`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from detectors.profile import Coded, build_reference
from schemas.reference import Reference

START_MS = 1_760_000_400_000  # a full hour
PANE_MS = 60_000
CITIES = ("Oslo", "Lima", "Pune", "Cork", "Bern", "Riga")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one model as columns; ``times`` are epoch ms, a numeric NaN is a missing value, a city '' a missing one."""

    model: str
    times: npt.NDArray[np.int64]
    numbers: Mapping[str, Floats]
    cities: npt.NDArray[np.str_]
    scores: Floats

    def __len__(self) -> int:
        return len(self.times)

    def records(self) -> Iterator[bytes]:
        """Each event as JSON."""
        for at, time in enumerate(self.times):
            features: dict[str, Any] = {name: _json(values[at]) for name, values in self.numbers.items()}
            features["city"] = str(self.cities[at]) or None
            event = {
                "model": self.model,
                "timestamp": int(time),
                "features": features,
                "prediction": {"score": float(self.scores[at])},
            }
            yield json.dumps(event).encode()


def generate(model: str, rows: int, *, seed: int, features: int = 6, span_ms: int = 30 * PANE_MS) -> Events:
    """``rows`` events in rising time over ``span_ms``."""
    rng = np.random.default_rng(seed)
    times = START_MS + np.sort(rng.integers(0, span_ms, rows))
    numbers = {f"x{number}": _column(rng, rows, number) for number in range(features)}
    cities = rng.choice(np.array([*CITIES, ""]), rows, p=[0.4, 0.25, 0.15, 0.1, 0.05, 0.02, 0.03])
    return Events(model, times, numbers, cities, rng.beta(2, 5, rows))


def _column(rng: np.random.Generator, rows: int, number: int) -> Floats:
    values = rng.normal(number, 1 + number, rows)
    if number % 3 == 1:
        values = np.round(values)  # ties
    if number % 3 == 2:
        values[rng.random(rows) < 0.4] = 0.0  # an atom
    values[rng.random(rows) < 0.03] = np.nan
    return values


def reference_of(events: Events) -> Reference:
    """A reference built on these events, which knows every city but the last."""
    known = events.cities != CITIES[-1]
    columns: dict[str, Any] = {name: values[known] for name, values in events.numbers.items()}
    names = CITIES[:-1]
    codes = np.array([names.index(city) if city else -1 for city in events.cities[known].tolist()])
    columns["city"] = Coded(names, codes)
    return build_reference(events.model, columns, score=events.scores[known])


def write_monitors(folder: Path, references: Mapping[str, Reference]) -> Path:
    """A monitors file for these models, with its references beside it."""
    models = {}
    for model, reference in references.items():
        path = folder / f"{model}.json"
        path.write_bytes(reference.to_json())
        features = {name: {"type": "categorical" if name == "city" else "numeric"} for name in reference.features}
        prediction = {"kind": "binary", "classes": ["no", "yes"], "positive": "yes", "threshold": 0.5}
        models[model] = {"reference": path.name, "prediction": prediction, "features": features}
    defaults = {"pane": "1m", "windows": {"hour": "1h"}, "step": "1h", "lateness": "2m", "revise_within": "30d"}
    file = folder / "monitors.yaml"
    file.write_text(yaml.safe_dump({"schema": 1, "defaults": defaults, "models": models}))
    return file


@dataclass(frozen=True, slots=True)
class Expected:
    """numpy's own count of one model's events in one pane (or in all)."""

    events: int
    bins: Mapping[str, list[int]]
    missing: Mapping[str, int]
    cities: Mapping[str, int]
    unseen: int
    score: list[int]


def expected(events: Events, reference: Reference, *, pane: int | None = None) -> Expected:
    """What must be counted of the events (of those whose pane begins at ``pane``)."""
    chosen = np.ones(len(events), bool) if pane is None else events.times // PANE_MS * PANE_MS == pane
    cities = events.cities[chosen]
    known = {city: int((cities == city).sum()) for city in CITIES[:-1]}
    return Expected(
        int(chosen.sum()),
        {name: _bins(values[chosen], reference.features[name]) for name, values in events.numbers.items()},
        {
            **{name: int(np.isnan(values[chosen]).sum()) for name, values in events.numbers.items()},
            "city": int((cities == "").sum()),
        },
        {city: count for city, count in known.items() if count},
        int((cities == CITIES[-1]).sum()),
        _bins(events.scores[chosen], reference.score),
    )


def assert_counts(found: dict[str, Any], wanted: Expected) -> None:
    """Every number that numpy counted is the number stored."""
    features = found["features"]
    assert found["events"] == wanted.events
    assert {name: features[name]["counts"] for name in wanted.bins} == wanted.bins
    assert {name: features[name]["missing"] for name in wanted.missing} == wanted.missing
    assert {name: count for name, count in features["city"]["categories"].items() if count} == wanted.cities
    assert features["city"]["unseen"] == wanted.unseen
    assert found["prediction"]["score"]["counts"] == wanted.score


def _bins(values: Floats, profile: Any) -> list[int]:
    finite = values[~np.isnan(values)]
    bins = np.searchsorted(profile.edges, finite, side="right")
    counts: list[int] = np.bincount(bins, minlength=len(profile.edges) + 1).tolist()
    return counts


def _json(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
