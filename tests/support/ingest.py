"""Two small models to count events of, and what stands in for Kafka: records, tenures, a store that holds nothing.

``trees`` is a classifier whose feature names collide with the prediction's own, on purpose; ``prices`` is a regression.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faust.types import TP

from schemas.config import Generation, InForce
from schemas.gpus import Sampled
from schemas.monitored import FeatureMonitor, ModelMonitor, PredictionMonitor
from schemas.names import Stream
from schemas.reference import CategoricalProfile, NumericProfile, Profile, Reference
from stream.ingest.buffer import Rejection
from stream.ingest.counter import Counter
from stream.ingest.newest import Newest
from stream.ingest.plan import StreamPlan, plans
from stream.ingest.tenure import Tenure
from stream.records import Records
from stream.state.epochs import Epoch
from stream.state.packing import Partial, empty
from stream.state.store import PaneKey
from stream.transport import Run

HOUR = 3_600_000
#: 2013-01-01T10:00:00Z, the start of an hour's pane.
NOON = 1_357_034_400_000
#: References by the hashes that the generation names.
OLD, NEW = "a" * 64, "b" * 64


@dataclass(frozen=True, slots=True)
class Stored:
    """A consumed record."""

    value: bytes | None
    offset: int = 0
    timestamp: int = NOON
    topic: str = "predictions"
    partition: int = 0
    key: bytes | None = None


def event(**fields: Any) -> bytes:
    """A prediction of ``trees`` at noon, with these fields changed."""
    return json.dumps({"model": "trees", "timestamp": NOON} | fields).encode()


def numeric(edges: Sequence[float], *, mean: float = 0.0, sd: float = 1.0) -> NumericProfile:
    """The profile of a numeric column over these edges, whose range they end with."""
    return NumericProfile(
        edges=tuple(edges), deciles=(), atoms=(), counts=(), pane_counts=(), rows=1, missing=0, nonfinite=0,
        minimum=edges[0], maximum=math.nextafter(edges[-1], -math.inf), mean=mean, sd=sd,
    )  # fmt: skip


def named(*categories: str) -> CategoricalProfile:
    """The profile of a column of names."""
    return CategoricalProfile(categories, (), (), rows=1, missing=0, other=0)


def reference(model: str, *, edges: Sequence[float] = (0.0, 10.0, 20.0)) -> Reference:
    """What the features were built on; ``edges`` are those of ``temp``."""
    features: dict[str, Profile] = {
        "temp": numeric(edges, mean=10.0, sd=5.0),
        "wide": numeric([step / 4 for step in range(80)], mean=9.0, sd=6.0),
        "score": numeric((1.0, 2.0, 3.0), mean=2.0),
        "carrier": named("UA", "7", "true", "AA", "B6"),
    }
    return Reference(1, model, 1, None, None, features, numeric((0.1, 0.5, 0.9), mean=0.5, sd=0.2), None)


FEATURES = {
    "temp": FeatureMonitor(type="numeric"),
    "wide": FeatureMonitor(type="numeric"),
    "score": FeatureMonitor(type="numeric"),
    "carrier": FeatureMonitor(type="categorical", top=3),
    "tail": FeatureMonitor(type="categorical", hash=True),
}
CLASSES = PredictionMonitor(kind="binary", classes=("no", "yes"), positive="yes")


def monitor(**changed: Any) -> ModelMonitor:
    """A monitor with hours for panes, ten minutes of lateness and a day for revisions."""
    fields: dict[str, Any] = {
        "pane_ms": HOUR, "windows": {"day": 24 * HOUR}, "step_ms": HOUR, "lateness_ms": 600_000,
        "revise_within_ms": 24 * HOUR, "reference": Path("x.json"), "prediction": CLASSES, "features": FEATURES,
    }  # fmt: skip
    return ModelMonitor(**fields | changed)


def both(**changed: Any) -> dict[str, StreamPlan]:
    """Plans that count ``trees`` and ``prices``, with these things changed in both monitors."""
    value = PredictionMonitor(kind="regression")
    few = {name: FEATURES[name] for name in ("temp", "carrier")}
    prices = monitor(**{"prediction": value, "features": few} | changed)
    return applied(
        trees=InForce(reference=OLD, monitor=monitor(**changed)), prices=InForce(reference=OLD, monitor=prices)
    )


def applied(**models: InForce) -> dict[str, StreamPlan]:
    """Plans of these models in force; reference ``OLD`` cuts ``temp`` at 0, 10, 20 and ``NEW`` at 0, 5, 10, 15, 20."""
    generation = Generation(number=1, applied_ms=0, file_sha256="", models=models)
    references = {OLD: reference("trees"), NEW: reference("trees", edges=(0.0, 5.0, 10.0, 15.0, 20.0))}
    return plans(generation, references)


def tenure(
    partition: int = 0, *, stream: Stream = "predictions", stored: int = 0, clock: int = NOON, **fields: Any
) -> Tenure:
    """A partition just taken, of which events until noon were counted before."""
    return Tenure(TP(stream, partition), stream, Epoch("1", "token"), 1, stored, clock=clock, **fields)


def run(records: Sequence[Stored], owner: Tenure) -> Run:
    """These records as one fetch of the tenure's partition returned them."""
    return Run(owner.tp, owner.placement, Records.of(list(records)))


@dataclass(eq=False)
class Shelf:
    """A store of partials in memory, to load from; remembers what was asked for."""

    held: dict[tuple[int, str, int], Partial] = field(default_factory=dict)
    asked: list[PaneKey] = field(default_factory=list)

    async def load(self, keys: Sequence[PaneKey]) -> list[Partial]:
        """Partials of these panes, empty where nothing was put."""
        self.asked += keys
        return [self.held.get(place(key)) or empty(key.layout.cells, len(key.layout.numeric)) for key in keys]


def place(key: PaneKey) -> tuple[int, str, int]:
    """Where the shelf keeps a pane."""
    return key.partition, key.layout.hash, key.start_ms


def counter(
    found: dict[str, StreamPlan], *, shelf: Shelf | None = None, refused: list[Rejection] | None = None,
    sampled: list[Sampled] | None = None, newest: Newest | None = None,
) -> Counter:  # fmt: skip
    """A counter that loads from ``shelf`` and adds what it refuses to ``refused``, samples of GPUs to ``sampled``."""
    kept = [] if refused is None else refused
    samples = [] if sampled is None else sampled
    return Counter(
        found, load=(shelf or Shelf()).load, refuse=kept.extend, keep=samples.extend, newest=newest or Newest(),
        skew_ms=300_000,
    )  # fmt: skip


def partials(counted: Counter, owner: Tenure) -> dict[tuple[str, int], Partial]:
    """The open panes of a tenure by model and start."""
    return {(pane.layout.model, pane.start_ms): counted.rooms.content(pane) for pane in owner.panes.values()}


def bits(one: Partial) -> tuple[bytes, ...]:
    """What a partial holds, without how often it was revised."""
    return one.cells.tobytes(), one.sums.tobytes(), one.extrema.tobytes()
