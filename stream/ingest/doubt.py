"""Which rows of a columnar batch the strict contract may refuse: found by looking at whole columns, before any row is made.

A row without doubt is one that ``schemas.events.judged`` accepts.  Of a row in doubt the contract says what is wrong with it; a
batch that is odd as a whole is left to the contract altogether.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.columnar import Batch, Packed
from schemas.names import Stream
from schemas.wire import FeatureEvent, LabelEvent, PredictionEvent, ServingEvent, Wire
from stream.ingest.columns import Column

Bools = npt.NDArray[np.bool_]
Kinds = frozenset[type]

WIRES: Mapping[Stream, type[Wire]] = {
    "predictions": PredictionEvent,
    "labels": LabelEvent,
    "features": FeatureEvent,
    "serving": ServingEvent,
}

_TEXT: Kinds = frozenset((str, type(None)))
_NAME: Kinds = _TEXT | {int}
_NUMBER: Kinds = frozenset((int, float, type(None)))
_STATUSES = frozenset(("success", "error", None))
#: The types of each field that may vary from row to row, as ``schemas.wire`` has them.
FIELDS: Mapping[str, Kinds] = {
    **dict.fromkeys(("service", "shadow_of", "uuid", "host"), _TEXT),
    **dict.fromkeys(("version", "id", "gpu"), _NAME),
    **dict.fromkeys(("latency_s", "input_tokens", "output_tokens", "score", "rating", "perplexity"), _NUMBER),
    "outcome": _NAME | _NUMBER,
}
PREDICTION: Mapping[str, Kinds] = {**dict.fromkeys(("score", "value", "confidence"), _NUMBER), "label": _NAME}
#: Numbers that are not below 0.
AMOUNTS = ("latency_s", "input_tokens", "output_tokens", "perplexity")
#: Objects of columns: the types of all their members, or of those that the contract knows.
OBJECTS: Mapping[str, Mapping[str, Kinds] | Kinds] = {"prediction": PREDICTION, "segments": _NAME, "metrics": _NUMBER}
#: Texts that say what all rows of a batch are about.
SUBJECTS: Mapping[Stream, tuple[str, ...]] = {
    "predictions": ("model",),
    "labels": ("model",),
    "features": ("feature", "source"),
    "serving": ("model",),
}


def doubtful(stream: Stream, batch: Batch) -> Bools | None:
    """The rows in doubt, but for their timestamps; None where the whole batch is."""
    columns = batch.columns
    if not _is_plain(stream, columns):
        return None
    rows = np.zeros(batch.count, np.bool_)
    for column, kinds in _fields(stream, columns):
        if type(column) is list:
            rows |= _others(column, kinds)
        elif type(column) is Column:
            rows |= not column.kinds <= kinds
        elif (float if type(column) is Packed else type(column)) not in kinds:
            return None
    for name in WIRES[stream].model_fields.keys() & set(AMOUNTS):
        rows |= _negative(columns.get(name))
    rows |= _no_status(columns.get("status") if stream in ("predictions", "serving") else None, batch.count)
    if stream == "labels":
        rows |= _empty(columns.get("id"), ("", None), batch.count) & _empty(columns.get("score"), (None,), batch.count)
    return rows


def _is_plain(stream: Stream, columns: Mapping[str, Any]) -> bool:
    if "control" in columns or any(type(columns.get(name)) is not str for name in SUBJECTS[stream]):
        return False
    if stream == "features":
        values = columns.get("values")
        return type(values) is Packed or (type(values) is list and list not in set(map(type, values)))
    known = WIRES[stream].model_fields
    return all(type(columns.get(name)) in (dict, type(None)) for name in ("features", *OBJECTS) if name in known)


def _fields(stream: Stream, columns: Mapping[str, Any]) -> Iterator[tuple[Any, Kinds]]:
    """Each column that the contract types, with its types."""
    known = WIRES[stream].model_fields.keys() & columns.keys()
    yield from ((columns[name], FIELDS[name]) for name in known & FIELDS.keys())
    for name in known & OBJECTS.keys():
        kinds = OBJECTS[name]
        for inner, column in (columns[name] or {}).items():
            if isinstance(kinds, frozenset):
                yield column, kinds
            elif inner in kinds:
                yield column, kinds[inner]


def _others(column: list[Any], kinds: Kinds) -> Bools | bool:
    if kinds.issuperset(map(type, column)):
        return False
    return np.fromiter((type(value) not in kinds for value in column), np.bool_, len(column))


def _negative(column: Any) -> Bools | bool:
    """Rows whose number is below 0."""
    if type(column) is Packed:
        return np.frombuffer(column.raw, np.dtype("<f8")) < 0
    if type(column) is Column:
        return column.holds_negative
    if type(column) is not list:
        return _is_negative(column)
    try:
        numbers = np.asarray(column, np.float64)
    except (ValueError, TypeError, OverflowError):  # texts, arrays, or integers that no float can hold are among them
        numbers = np.zeros((0, 0))
    if numbers.ndim > 1:
        return np.fromiter(map(_is_negative, column), np.bool_, len(column))
    return numbers < 0


def _is_negative(value: Any) -> bool:
    return type(value) in (int, float) and value < 0


def _no_status(column: Any, count: int) -> Bools | bool:
    if type(column) is Packed:
        return True
    if type(column) is Column:
        return column.kinds != {type(None)} if column.distinct is None else not _STATUSES.issuperset(column.distinct)
    if type(column) is not list:
        return type(column) not in _TEXT or column not in _STATUSES
    try:
        if _STATUSES.issuperset(column):
            return False
    except TypeError:  # an array or an object among them
        pass
    return np.fromiter((type(value) not in _TEXT or value not in _STATUSES for value in column), np.bool_, count)


def _empty(column: Any, nothing: tuple[Any, ...], count: int) -> Bools | bool:
    """Rows that hold nothing in a column."""
    if type(column) is Packed:
        return False
    if type(column) is Column:
        return column.holds_nothing and _empty(column.cells(), nothing, count)
    if type(column) is not list:
        return column in nothing
    if not any(value in column for value in nothing):
        return False
    return np.fromiter((value in nothing for value in column), np.bool_, count)
