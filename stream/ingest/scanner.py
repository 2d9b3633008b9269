"""What the compiled scanner knows of a stream: its models, and the fields of their events with the columns that they fill.

Models that are alike share a form, so that what is looked at for every key of a thousand models stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from schemas.events import MOST_BYTES
from schemas.names import Stream
from stream.ingest.compiled import values
from stream.ingest.compiled.scanning import (
    IN_FEATURES,
    IN_PREDICTION,
    OBJECTS,
    TOP,
    Spanned,
    Tables,
    scan_records,
)
from stream.ingest.compiled.tokens import SPREAD
from stream.ingest.hashed import hash_table, int_matrix
from stream.ingest.shape import FIELDS, PREDICTION_FIELDS, Amount, Category, Code, Number, Outcome, Shape, Text
from stream.records import Records

Ints = npt.NDArray[np.int64]
Kind = TypeVar("Kind", bound=np.generic)

_KINDS: tuple[tuple[Any, int], ...] = (
    (Number, values.NUMBER), (Amount, values.AMOUNT), (Code, values.CODE), (Text, values.TEXT),
    (Category, values.CATEGORY), (Outcome, values.OUTCOME),
    (FIELDS["serving"]["status"], values.STATUS), (FIELDS["serving"]["metrics"], values.NUMBERS),
    (FIELDS["predictions"]["segments"], values.CODES),
)  # fmt: skip
#: What JSON would have to escape: such a name never stands in a record that the scanner reads.
_ESCAPED = frozenset(b'"\\') | frozenset(range(32))
#: Longer than any key: the guess that is never right.
_NEVER = 1 << 40

#: (object, name, kind, columns, role) of a field
_Field = tuple[int, str, int, list[tuple[int, int]], int]


@dataclass(eq=False, slots=True)
class _Making:
    """The tables while they are made."""

    keys: bytearray = field(default_factory=bytearray)
    models: list[tuple[int, int, int, int]] = field(default_factory=list)
    forms: list[tuple[int, int]] = field(default_factory=list)
    slots: list[list[int]] = field(default_factory=list)
    targets: list[tuple[int, int]] = field(default_factory=list)

    def key(self, name: bytes) -> int:
        """Where a name stands from now on."""
        self.keys += name
        return len(self.keys) - len(name)

    def form(self, fields: Sequence[_Field], *, needs: bool) -> int:
        """The number of a new form of event with these fields."""
        number, heads = len(self.forms), len(self.slots)
        self.forms.append((heads, int(needs)))
        for scope in range(OBJECTS):
            self.slots.append([0, _NEVER, number * OBJECTS + scope, -1, 0, 0, heads + scope, 0, values.ORDINARY])
        for scope, name, kind, targets, role in fields:
            written = name.encode("utf-8", "surrogatepass")
            if _ESCAPED.isdisjoint(written):
                within = [number * OBJECTS + scope, kind, len(self.targets), len(targets), heads + scope, 0, role]
                self.slots.append([self.key(written), len(written), *within])
                self.targets += targets
        return number

    def tables(self) -> Tables:
        """As arrays."""
        models, slots = int_matrix(self.models, 4), int_matrix(self.slots, values.SLOT)
        keys = bytes(self.keys)
        names = [crc32(keys[at : at + length]) for at, length, *_ in self.models]
        fields = [
            crc32(keys[at : at + length]) + within * SPREAD if length < _NEVER else None
            for at, length, within, *_ in self.slots
        ]
        return Tables(
            np.frombuffer(keys + b"\0", np.uint8), models, hash_table(names), int_matrix(self.forms, 2), slots,
            hash_table(fields), int_matrix(self.targets, 2),
        )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Scanner:
    """Reads the events of one stream under one configuration."""

    tables: Tables
    state: Ints = field(default_factory=lambda: np.zeros(values.STATE, np.int64))

    def scan(self, records: Records, rows: values.Rows, *, row: int, used: int) -> tuple[list[int], int]:
        """Write rows from ``row`` on and names from ``used`` on; the places of the records that are left, and what is used."""
        marked = np.empty(len(records), np.int64)
        self.state[values.USED] = used
        of = records.values
        text, first, end, kafka_ms = records.text, of.first, of.end, records.timestamps
        spanned = Spanned(_read_only(text), _read_only(first), _read_only(end), _read_only(kafka_ms))
        count = scan_records(spanned, MOST_BYTES, row, self.tables, rows, self.state, marked)
        return marked[:count].tolist(), int(self.state[values.USED])


def scanner(stream: Stream, shapes: Sequence[Shape]) -> Scanner:
    """The scanner of a stream for these shapes; of a feature store's events, which are of no model, it takes none."""
    if stream == "features":
        return Scanner(_Making().tables())
    making, forms = _Making(), dict[tuple[Any, ...], int | None]()
    for number, shape in enumerate(shapes):
        alike = (shape.narrow, shape.wide, shape.categorical, shape.strange)
        if alike not in forms:
            fields = _fields(shape)
            forms[alike] = None if fields is None else making.form(fields, needs=stream == "labels")
        form, name = forms[alike], shape.model.encode("utf-8", "surrogatepass")
        if form is not None:
            making.models.append((making.key(name), len(name), number, form))
    return Scanner(making.tables())


def _read_only(held: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    """The same numbers in the one form that the kernel is compiled for."""
    found = np.ascontiguousarray(held).view()
    found.flags.writeable = False
    return found


def _fields(shape: Shape) -> list[_Field] | None:
    """The fields of events of this shape; None where a column is not read as its field's kind says."""
    filled: dict[str, list[tuple[int, int]]] = {}
    for group, columns in enumerate((shape.narrow, shape.wide, shape.categorical)):
        for column, (_, path) in enumerate(columns):
            filled.setdefault(path, []).append((group, column))
    numbers = {path for _, path in (*shape.narrow, *shape.wide)}
    found = [*_top_fields(shape, numbers, filled), *_inner_fields(shape, filled)]
    found += [(TOP, name, values.STRANGE_KEY, [], values.ORDINARY) for name in shape.strange.keys]
    found += [(IN_FEATURES, name, values.STRANGE_FEATURE, [], values.ORDINARY) for name in shape.strange.features]
    return None if filled or not all(map(_fits, found)) else found


def _top_fields(shape: Shape, numbers: set[str], filled: dict[str, list[tuple[int, int]]]) -> Iterator[_Field]:
    yield TOP, "model", values.MODEL, [], values.ORDINARY
    yield TOP, "timestamp", values.TIME, [], values.ORDINARY
    for name, wanted in FIELDS[shape.stream].items():
        kind = values.NUMBER if name in numbers and wanted != Amount else _kind(wanted)
        yield TOP, name, kind, filled.pop(name, []), _role(shape.stream, name)
    if shape.stream == "predictions":
        yield TOP, "features", values.FEATURES, [], values.ORDINARY
        yield TOP, "prediction", values.PREDICTION, [], values.ORDINARY


def _inner_fields(shape: Shape, filled: dict[str, list[tuple[int, int]]]) -> Iterator[_Field]:
    if shape.stream != "predictions":
        return
    categories = {path for _, path in shape.categorical}
    for path in [path for path in filled if path.startswith("features.")]:
        kind = values.CATEGORY if path in categories else values.NUMBER
        yield IN_FEATURES, path.removeprefix("features."), kind, filled.pop(path), values.ORDINARY
    for name, wanted in PREDICTION_FIELDS.items():
        yield IN_PREDICTION, name, _kind(wanted), filled.pop(f"prediction.{name}", []), values.ORDINARY


def _role(stream: str, name: str) -> int:
    if stream == "labels" and name in ("id", "score"):
        return values.NEEDED
    return values.VERSIONED if name == "version" else values.ORDINARY


def _kind(wanted: Any) -> int:
    return next(kind for known, kind in _KINDS if known == wanted)


def _fits(one: _Field) -> bool:
    """Whether a field's columns are of its kind."""
    _, _, kind, targets, _ = one
    groups = {group for group, _ in targets}
    if kind in (values.NUMBER, values.AMOUNT):
        return values.NAMED_COLUMN not in groups
    return groups <= {values.NAMED_COLUMN} and not (groups and kind in (values.NUMBERS, values.CODES))
