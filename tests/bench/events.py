"""What the bench sends: events of 16 numeric and 4 categorical features, about 420 bytes of JSON, 3 % nulls.

A few thousand distinct rows are encoded once and sent again and again under rising times and changing models, so that
filling a topic costs little beside reading it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from detectors.profile import Coded, build_reference
from schemas.monitored import FeatureMonitor, ModelMonitor, Monitors, PredictionMonitor
from schemas.reference import Reference
from schemas.release import ReleaseMonitor

START_MS = 1_760_000_400_000  # a full hour
PANE_MS = 3_600_000
SPAN_MS = 3 * PANE_MS
#: What a live load sends within a bench's seconds lies in one pane of its model and partition.
LIVE_MS = PANE_MS - 60_000
NUMERIC = tuple(f"num{number:02}" for number in range(16))
CATEGORICAL = tuple(f"cat{number}" for number in range(4))
NAMES = tuple(f"n{number:02}" for number in range(30))
NULLS = 0.03
DISTINCT = 4_096

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
#: ``model``: a model's events lie in one partition (``model#k``: in several, if there are fewer models); ``any``: in all.
Keyed = Literal["model", "any"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as columns: NaN and -1 are nulls."""

    numbers: Mapping[str, Floats]
    codes: Mapping[str, Codes]
    scores: Floats

    def bodies(self) -> list[bytes]:
        """Each row's event as JSON from its features on; what stands before them changes from record to record."""
        return [self._body(row) for row in range(len(self.scores))]

    def _body(self, row: int) -> bytes:
        features: dict[str, Any] = {name: _or_null(float(values[row])) for name, values in self.numbers.items()}
        features |= {name: NAMES[codes[row]] if codes[row] >= 0 else None for name, codes in self.codes.items()}
        rest = {"features": features, "prediction": {"score": float(self.scores[row])}, "latency_s": 0.012}
        return json.dumps(rest, separators=(",", ":")).encode()[1:]

    def reference(self, model: str) -> Reference:
        """What a model built on these rows expects: about 50 bins a numeric feature."""
        named = {name: Coded(NAMES, codes) for name, codes in self.codes.items()}
        return build_reference(model, {**self.numbers, **named}, score=self.scores)


def table(rows: int, *, seed: int) -> Table:
    """Random rows: normal values to three decimals, category names of unequal frequency."""
    rng = np.random.default_rng(seed)
    numbers = {name: rng.normal(at, 1 + at / 4, rows).round(3) for at, name in enumerate(NUMERIC)}
    codes = {name: np.minimum(rng.geometric(0.15, rows) - 1, len(NAMES) - 1) for name in CATEGORICAL}
    for values in numbers.values():
        values[rng.random(rows) < NULLS] = np.nan
    for code in codes.values():
        code[rng.random(rows) < NULLS] = -1
    return Table(numbers, codes, rng.beta(2, 5, rows).round(4))


@dataclass(frozen=True, slots=True)
class Flow:
    """Events of so many models over so many partitions, an event a record, that take ``span_ms`` of event time.

    All events are of version 3; ``release`` is in every model's monitor.
    """

    models: int
    partitions: int
    events: int
    release: ReleaseMonitor | None = None
    keyed: Keyed = "model"
    span_ms: int = SPAN_MS

    @property
    def rows_a_record(self) -> int:
        return 1

    def records(self) -> Iterator[tuple[int, bytes, bytes]]:
        """(partition, key, value) of each event, in rising event time."""
        bodies = table(DISTINCT, seed=2).bodies()
        for at in range(self.events):
            yield self.record(at, START_MS + at * self.span_ms // self.events, bodies)

    def record(self, at: int, time_ms: int, bodies: Sequence[bytes]) -> tuple[int, bytes, bytes]:
        """(partition, key, value) of the event of this number, as it is at ``time_ms``."""
        partition, key, model = self._place(at)
        head = f'{{"model":"{model}","version":"3","id":"{at:08}","timestamp":{time_ms},'
        return partition, key.encode(), head.encode() + bodies[at % DISTINCT]

    def _place(self, at: int) -> tuple[int, str, str]:
        if self.keyed == "any":
            return at // self.models % self.partitions, f"{at:x}", name(at % self.models)
        slots = max(self.models, self.partitions)
        slot = at % slots
        model = name(slot % self.models)
        return slot % self.partitions, model if self.models > 1 else f"{model}#{slot}", model

    def rows(self) -> tuple[Codes, Codes]:
        """Of each event the number of its model, and which of the distinct rows it is."""
        at = np.arange(self.events)
        slots = self.models if self.keyed == "any" else max(self.models, self.partitions)
        return at % slots % self.models, at % DISTINCT

    def names(self) -> list[str]:
        return [name(number) for number in range(self.models)]

    def monitors(self) -> Monitors:
        """The monitors file that watches all of these models."""
        return monitors(self.names(), self.release)

    def references(self) -> dict[str, Reference]:
        """By model; all over rows of the same distribution as those sent, but other rows."""
        return references(self.names())


def monitors(names: Iterable[str], release: ReleaseMonitor | None = None) -> Monitors:
    """A monitors file of these models."""
    return Monitors(file=Path("bench.yaml"), sha256="0" * 64, models=dict.fromkeys(names, _monitor(release)))


def references(names: Iterable[str]) -> dict[str, Reference]:
    """By model, all alike."""
    built = table(20_000, seed=1).reference("")
    return {model: replace(built, model=model) for model in names}


def name(number: int) -> str:
    """The name of a model."""
    return f"model-{number:03}"


def _monitor(release: ReleaseMonitor | None) -> ModelMonitor:
    features = {key: FeatureMonitor(type="numeric") for key in NUMERIC}
    features |= {key: FeatureMonitor(type="categorical") for key in CATEGORICAL}
    return ModelMonitor(
        pane_ms=PANE_MS, windows={"day": 24 * PANE_MS}, step_ms=PANE_MS, lateness_ms=120_000,
        revise_within_ms=24 * PANE_MS, reference=Path("bench.json"), features=features,
        prediction=PredictionMonitor(kind="binary", classes=("no", "yes"), positive="yes", threshold=0.5),
        release=release,
    )  # fmt: skip


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else value
