"""How an event of one model becomes values in column order: the struct to decode into and what to read from it.

A layout's columns name their path in the event (``features.temp``, ``prediction.score``, ``latency_s``); the struct's
fields follow from the paths of the layouts in force.  Every other field of the contract is declared too, with the
contract's type, and unknown ones are refused, so that the fast path never accepts what the strict one reads differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas.timestamps import EARLIEST_MS, LATEST_MS
from stream.ingest.reading import reader
from stream.state.layout import Layout

#: Longer integers go to the strict contract, which has its own rule for those that no float can hold.
Whole = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Number = float | None
#: Neither below 0 nor refused for anything else: the strict contract says what is wrong with it.
Amount = Annotated[float, Meta(ge=0)] | None
Category = str | Whole | float | bool | None
Code = str | Whole | None
Outcome = str | Whole | float | None
Text = str | None
#: A number here is in range; a text is judged with its block.
Timestamp = (
    Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | Annotated[float, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | str
)
Columns = tuple[tuple[str, str], ...]
Values = Callable[[Any], tuple[Any, ...]]

#: What the contract's JSON reader refuses inside a value: nesting beyond 200 levels, numbers of more than 4 300 digits.
DEEPEST, LONGEST_UNREAD = 190, 4_000

#: Columns with at most this many edges are narrow.
NARROW = 127

#: Fields of each stream's events besides ``model``, ``timestamp``, ``features`` and ``prediction``, as the contract types them.
FIELDS: dict[str, dict[str, Any]] = {
    "predictions": {
        "version": Code, "id": Code, "service": Text, "status": Literal["success", "error"] | None,
        "segments": dict[str, Code] | None, "shadow_of": Text,
        "latency_s": Amount, "input_tokens": Amount, "output_tokens": Amount,
    },
    "labels": {
        "version": Code, "id": Code, "outcome": Outcome, "score": Number, "rating": Number,
        "metrics": dict[str, Number] | None,
    },
    "serving": {
        "version": Code, "service": Text, "status": Literal["success", "error"] | None, "latency_s": Amount,
        "input_tokens": Amount, "output_tokens": Amount, "perplexity": Amount, "rating": Number,
        "gpu": Code, "uuid": Text, "host": Text, "metrics": dict[str, Number] | None,
    },
}  # fmt: skip
PREDICTION_FIELDS: dict[str, Any] = {"score": Number, "label": Code, "value": Number, "confidence": Number}


@dataclass(frozen=True, slots=True)
class Strange:
    """Names that events hold and nobody declared: top-level keys, and features."""

    keys: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of one model and stream, over the layouts in force (the current one and, around a switch, the previous).

    ``narrow``, ``wide`` and ``categorical`` are (name, path) in the order in which rows carry the values.  ``strange`` are
    fields and features that nobody declared and events were seen to hold: the fast path may skip and count them.
    ``pane_ms`` is the shortest pane among the layouts.
    """

    model: str
    stream: str
    pane_ms: int
    narrow: Columns
    wide: Columns
    categorical: Columns
    strange: Strange = Strange()

    @property
    def columns(self) -> int:
        """Values of one row."""
        return len(self.narrow) + len(self.wide) + len(self.categorical)

    @property
    def features(self) -> frozenset[str]:
        """Names of the features that are counted."""
        paths = [path for _, path in (*self.narrow, *self.wide, *self.categorical)]
        return frozenset(path.removeprefix("features.") for path in paths if path.startswith("features."))


def shape_of(layouts: Iterable[Layout]) -> Shape:
    """The shape that serves all these layouts of one model and stream, the current layout first.

    A column that changed between numeric and categorical is read as the first layout has it; the other one counts nothing.
    """
    first, *rest = layouts
    numeric: dict[tuple[str, str], bool] = {}
    categorical: dict[tuple[str, str], None] = {}
    for layout in (first, *rest):
        for column in layout.numeric:
            if column.key not in categorical:
                numeric[column.key] = numeric.get(column.key, False) or len(column.edges) > NARROW
        for named in layout.categorical:
            if named.key not in numeric:
                categorical.setdefault(named.key)
    return Shape(
        first.model,
        first.stream,
        min(layout.pane_ms for layout in (first, *rest)),
        tuple(key for key, wide in numeric.items() if not wide),
        tuple(key for key, wide in numeric.items() if wide),
        tuple(categorical),
    )


def struct_of(shape: Shape, number: int) -> type[msgspec.Struct]:
    """The struct that events of this model decode into; its ``read`` makes a row of one."""
    fields: list[Any] = [("timestamp", Timestamp)]
    numbers = {path for _, path in (*shape.narrow, *shape.wide)}
    # A regression's outcome is a numeric column: a text in it is the strict contract's business.
    kinds = {
        name: Number if name in numbers and kind != Amount else kind for name, kind in FIELDS[shape.stream].items()
    }
    fields += [(name, kind, None) for name, kind in kinds.items()]
    attributes = _feature_attributes(shape)
    if shape.stream == "predictions":
        fields += [_features_field(shape, attributes), _nested("prediction", PREDICTION_FIELDS, rename=None)]
    strange = _strange_attributes(shape.strange.keys)
    return msgspec.defstruct(
        "Event", fields + [_skipped(attribute) for attribute in strange],
        tag_field="model", tag=shape.model, forbid_unknown_fields=True, gc=False, rename=strange,
        namespace=_namespace(shape, number, attributes=attributes),
    )  # fmt: skip


def _strange_attributes(names: tuple[str, ...]) -> dict[str, str]:
    """Attribute to the name it stands for in JSON."""
    return {f"strange{number}": name for number, name in enumerate(names)}


def _skipped(attribute: str) -> tuple[str, Any, Any]:
    """A field whose value is passed over unread, and whose presence can be counted."""
    return attribute, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET


def _feature_attributes(shape: Shape) -> dict[str, str]:
    """Path of each feature to its attribute: numbered, because a feature's name may be no Python name."""
    paths = [path for _, path in (*shape.narrow, *shape.wide, *shape.categorical) if path.startswith("features.")]
    return {path: f"f{number}" for number, path in enumerate(paths)}


def _features_field(shape: Shape, attributes: dict[str, str]) -> tuple[str, Any, Any]:
    categories = {path for _, path in shape.categorical}
    kinds = {name: Category if path in categories else Number for path, name in attributes.items()}
    strange = _strange_attributes(shape.strange.features)
    rename = {name: path.removeprefix("features.") for path, name in attributes.items()} | strange
    return _nested("features", kinds, rename=rename, skipped=strange)


def _nested(
    name: str, kinds: dict[str, Any], *, rename: dict[str, str] | None, skipped: Iterable[str] = ()
) -> tuple[str, Any, Any]:
    fields: list[Any] = [(field, kind, None) for field, kind in kinds.items()]
    fields += [_skipped(attribute) for attribute in skipped]
    nested = msgspec.defstruct(
        name.title(), fields, forbid_unknown_fields=True, gc=False, frozen=True, rename=rename
    )  # fmt: skip
    return name, nested, nested()


def _namespace(shape: Shape, number: int, *, attributes: dict[str, str]) -> dict[str, Any]:
    groups = [
        [_attribute(path, attributes) for _, path in columns]
        for columns in (shape.narrow, shape.wide, shape.categorical)
    ]
    found: dict[str, Any] = {"read": staticmethod(reader(number, groups)), "shape_number": number}
    found["count_strange"] = staticmethod(_counter(shape.strange)) if shape.strange != Strange() else None
    found["name_strange"] = staticmethod(_namer(shape.strange))
    if shape.stream == "labels":
        found["__post_init__"] = _needs_id_or_score
    return found


def _attribute(path: str, attributes: dict[str, str]) -> str:
    return f"features.{attributes[path]}" if path in attributes else path


def _needs_id_or_score(event: Any) -> None:
    if event.id in (None, "") and event.score is None:
        raise ValueError("a label needs an id or a score")


def _reader(attributes: list[str]) -> Values:
    if not attributes:
        return lambda event: ()
    read = attrgetter(*attributes)
    return read if len(attributes) > 1 else lambda event: (read(event),)


def _counter(strange: Strange) -> Callable[[Any], tuple[int, int]]:
    """How many undeclared features and keys an event holds, of those that are known to come."""
    features = _reader([f"features.{attribute}" for attribute in _strange_attributes(strange.features)])
    keys = _reader(list(_strange_attributes(strange.keys)))

    def count(event: Any) -> tuple[int, int]:
        return _present(features(event)), _present(keys(event))

    return count


def _namer(strange: Strange) -> Callable[[Any], list[str]]:
    """Which undeclared features an event holds, of those that are known to come."""
    features = _reader([f"features.{attribute}" for attribute in _strange_attributes(strange.features)])

    def names(event: Any) -> list[str]:
        held = zip(strange.features, features(event), strict=True)
        return [name for name, value in held if value is not msgspec.UNSET]

    return names


def _present(values: tuple[Any, ...]) -> int:
    return sum(value is not msgspec.UNSET for value in values)


def check_unread(record: bytes) -> None:
    """Whether a record may be trusted although parts of it are passed over unread.

    :raises ValueError: something in it may be what the contract's reader refuses; a duplicate key hides it from the fields.
    """
    if len(record) > LONGEST_UNREAD or record.count(b"[") + record.count(b"{") > DEEPEST:
        raise ValueError("perhaps nested too deep, or a number of too many digits")
