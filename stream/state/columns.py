"""The columns of a model's panes: from its monitors entry and its reference to one layout a stream.

Features get the reference's bins.  Columns whose meaning does not depend on a model (latency, tokens, the grid of scores)
get fixed edges, so every model's panes can be read alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.monitored import FeatureMonitor, ModelMonitor, PredictionMonitor
from schemas.reference import CategoricalProfile, NumericProfile, Reference
from stream.state.layout import ID, CategoricalColumn, Layout, NumericColumn

#: Buckets that the names of a ``hash: true`` feature are counted in.
NAME_BUCKETS = 64
#: Buckets of the ids of a model that promises how many of them repeat: what chance repeats of them is 1 in 18 (1e-6) at most.
ID_BUCKETS = 4096


def up_to(*bounds: float) -> tuple[float, ...]:
    """Edges that put a value equal to a bound below it, as Prometheus' ``le`` does (bins here are closed on the left)."""
    return tuple(math.nextafter(bound, math.inf) for bound in bounds)


#: 256 equal bins of the logit over -8..8 with 0 an edge (``reference/methods.md`` §6), as probabilities.
SCORE_GRID = tuple(1.0 / (1.0 + math.exp(8.0 - step / 16.0)) for step in range(257))
CONFIDENCE = tuple(step / 50 for step in range(51))
LATENCY_S = up_to(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2, 5, 10, 30, 60)
TOKENS = up_to(0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
RATING = tuple(step / 2 for step in range(21))
PERPLEXITY = up_to(*(2.0 ** (step / 2) for step in range(25)))
STATUSES = ("success", "error")


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A column with fixed edges and the unit of its fixed-point sums."""

    name: str
    path: str
    edges: tuple[float, ...]
    unit: float = 1.0

    def column(self) -> NumericColumn:
        return NumericColumn(self.name, self.path, self.edges, sd=self.unit)


_LATENCY = _Fixed("latency_s", "latency_s", LATENCY_S)
_TOKENS = tuple(_Fixed(name, name, TOKENS, 1024.0) for name in ("input_tokens", "output_tokens"))
_STATUS = CategoricalColumn("status", "status", STATUSES)


def layouts_of(model: str, monitor: ModelMonitor, reference: Reference, *, digest: str) -> dict[str, Layout]:
    """The layout of the model's panes for each incoming stream; ``digest`` is the reference's hash, which it carries."""
    numeric = tuple(_numeric_features(monitor.features, reference))
    categorical = tuple(_categorical_features(monitor.features, reference))
    columns = {
        "predictions": (
            numeric + _prediction_numbers(reference),
            categorical + _prediction_classes(monitor.prediction) + _ids(monitor),
        ),
        "labels": _label_columns(monitor.prediction, reference),
        "features": (numeric, categorical),
        "serving": _serving_columns(),
    }
    return {
        stream: Layout(model, stream, monitor.pane_ms, *found, reference=digest) for stream, found in columns.items()
    }


def _numeric_features(features: Mapping[str, FeatureMonitor], reference: Reference) -> Iterable[NumericColumn]:
    for name, feature in sorted(features.items()):
        if feature.type == "numeric":
            profile = reference.features.get(name)
            known = profile if isinstance(profile, NumericProfile) else None
            yield _profiled(name, f"features.{name}", known)


def _categorical_features(features: Mapping[str, FeatureMonitor], reference: Reference) -> Iterable[CategoricalColumn]:
    for name, feature in sorted(features.items()):
        if feature.type == "categorical":
            yield _named(name, feature, reference)


def _named(name: str, feature: FeatureMonitor, reference: Reference) -> CategoricalColumn:
    path = f"features.{name}"
    if feature.hash:
        return CategoricalColumn(name, path, buckets=NAME_BUCKETS)
    profile = reference.features.get(name)
    known = profile.categories if isinstance(profile, CategoricalProfile) else ()
    return CategoricalColumn(name, path, known[: feature.top], folded=known[feature.top :])


def _profiled(name: str, path: str, profile: NumericProfile | None) -> NumericColumn:
    if profile is None or profile.minimum is None or profile.maximum is None:
        return NumericColumn(name, path, ())
    return NumericColumn(
        name, path, profile.edges, profile.center, profile.scale, profile.minimum, profile.maximum, detailed=True
    )  # fmt: skip


def _prediction_numbers(reference: Reference) -> tuple[NumericColumn, ...]:
    fixed = (
        _Fixed("score_grid", "prediction.score", SCORE_GRID),
        _Fixed("value", "prediction.value", ()),
        _Fixed("confidence", "prediction.confidence", CONFIDENCE),
        _LATENCY,
        *_TOKENS,
    )
    return (_profiled("score", "prediction.score", reference.score), *(column.column() for column in fixed))


def _prediction_classes(prediction: PredictionMonitor) -> tuple[CategoricalColumn, ...]:
    label = CategoricalColumn("label", "prediction.label", prediction.classes, aliases=_aliases(prediction))
    return label, _STATUS


def _ids(monitor: ModelMonitor) -> tuple[CategoricalColumn, ...]:
    return () if monitor.duplicates is None else (CategoricalColumn(ID, ID, buckets=ID_BUCKETS),)


def _label_columns(
    prediction: PredictionMonitor, reference: Reference
) -> tuple[tuple[NumericColumn, ...], tuple[CategoricalColumn, ...]]:
    numeric = [_Fixed("score_grid", "score", SCORE_GRID).column(), _Fixed("rating", "rating", RATING).column()]
    if prediction.kind == "regression":
        return (NumericColumn("outcome", "outcome", ()), *numeric), ()
    return tuple(numeric), (_outcome(prediction, reference),)


def _outcome(prediction: PredictionMonitor, reference: Reference) -> CategoricalColumn:
    known = reference.outcomes.categories if reference.outcomes else ()
    return CategoricalColumn("outcome", "outcome", prediction.classes or known, aliases=_aliases(prediction))


def _aliases(prediction: PredictionMonitor) -> tuple[tuple[str, str], ...]:
    """0/1 and false/true name the classes of a binary model, unless a class is called so itself."""
    if prediction.kind != "binary" or len(prediction.classes) != 2:
        return ()
    positive = prediction.positive or prediction.classes[1]
    negative = next(name for name in prediction.classes if name != positive)
    written = (("0", negative), ("false", negative), ("1", positive), ("true", positive))
    return tuple(pair for pair in written if pair[0] not in prediction.classes)


def _serving_columns() -> tuple[tuple[NumericColumn, ...], tuple[CategoricalColumn, ...]]:
    fixed = (_LATENCY, *_TOKENS, _Fixed("perplexity", "perplexity", PERPLEXITY), _Fixed("rating", "rating", RATING))
    return tuple(column.column() for column in fixed), (_STATUS,)
