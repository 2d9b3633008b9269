"""Where each counter of a pane lives: the layout of one model's pane for one stream.

A pane is one flat vector of counters.  Cell 0 is a waste cell that is never stored; then come a few cells about the
events themselves, a block per numeric column and a block per categorical column.  The layout's hash names everything
that decides what a cell means, so panes of different references (or pane lengths, or category lists) are never summed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from detectors import outside, value_buckets

WASTE = 0
EVENTS, LATE, UNKNOWN_FEATURES, UNKNOWN_KEYS = 1, 2, 3, 4
HEAD = 5
#: What a numeric cell block holds behind its bins, in this order.
SPECIALS = ("missing", "nan", "positive_infinity", "negative_infinity", "wrong_type")
HASH_BUCKETS = value_buckets.HASH_BUCKETS
OUTSIDE_KEYS = 2 * outside.KEYS_A_SIDE
#: How many cells a pane has, and how many sums.
Shape = tuple[int, int]
#: Path of an event's id, which is counted by buckets of a hash that scatters ids that resemble one another.
ID = "id"
#: What a categorical cell block holds behind its categories, in this order.
CATEGORY_TAIL = ("other", "unseen", "missing", "wrong_type")


@dataclass(frozen=True, slots=True)
class NumericColumn:
    """A numeric column: its name, path in the event, bin edges, and the scale of its fixed-point moments.

    ``detailed`` columns also keep 16 buckets of a hash of the value's bits and 64 half-octaves beyond the reference.
    """

    name: str
    path: str
    edges: tuple[float, ...]
    mean: float = 0.0
    sd: float = 1.0
    minimum: float = 0.0
    maximum: float = 0.0
    detailed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Name and path: a feature may be called ``score`` like the prediction's, and ``score_grid`` shares its path."""
        return self.name, self.path

    @property
    def bins(self) -> int:
        return len(self.edges) + 1

    @property
    def cells(self) -> int:
        return self.bins + len(SPECIALS) + (HASH_BUCKETS + OUTSIDE_KEYS if self.detailed else 0)


@dataclass(frozen=True, slots=True)
class CategoricalColumn:
    """A categorical column: counted by name, or by ``buckets`` of a hash of the name.

    ``folded`` names are known and counted together as ``other``; ``aliases`` are (written, meant) pairs.
    """

    name: str
    path: str
    categories: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    folded: tuple[str, ...] = ()
    buckets: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Name and path, which together are its identity in a layout."""
        return self.name, self.path

    @property
    def bins(self) -> int:
        return self.buckets or len(self.categories)

    @property
    def cells(self) -> int:
        return self.bins + len(CATEGORY_TAIL)


@dataclass(frozen=True)
class Layout:
    """All columns of a model's pane for one stream, and where each one's cells begin."""

    model: str
    stream: str
    pane_ms: int
    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    #: Hash of the reference: panes of different references are never summed, even where their bins agree.
    reference: str = ""

    @cached_property
    def numeric_starts(self) -> tuple[int, ...]:
        """First cell of each numeric column."""
        return tuple(_starts(self.numeric, HEAD))

    @cached_property
    def categorical_starts(self) -> tuple[int, ...]:
        """First cell of each categorical column."""
        return tuple(_starts(self.categorical, HEAD + sum(c.cells for c in self.numeric)))

    @cached_property
    def cells(self) -> int:
        """Length of the counter vector."""
        return HEAD + sum(c.cells for c in self.numeric) + sum(c.cells for c in self.categorical)

    @cached_property
    def shape(self) -> Shape:
        """Cells, and two sums a numeric column."""
        return self.cells, 2 * len(self.numeric)

    @cached_property
    def hash(self) -> str:
        """16 hex digits over everything that decides what a cell means."""
        return hashlib.sha256(self.to_json()).hexdigest()[:16]

    def pane_of(self, timestamp_ms: int) -> int:
        """Start of the pane an event time falls in; panes are half-open and aligned to the epoch.

        >>> Layout("m", "predictions", 3_600_000, (), ()).pane_of(1357035300000)
        1357034400000
        """
        return timestamp_ms - timestamp_ms % self.pane_ms

    def to_json(self) -> bytes:
        """Canonical JSON; equal layouts give equal bytes."""
        columns = {"numeric": list(map(_fields, self.numeric)), "categorical": list(map(_fields, self.categorical))}
        return json.dumps(_fields(self) | columns, sort_keys=True, separators=(",", ":")).encode()

    @staticmethod
    def from_json(text: bytes) -> Layout:
        """The layout ``to_json`` wrote."""
        found: dict[str, Any] = json.loads(text)
        numeric = tuple(NumericColumn(**_tuples(column)) for column in found.pop("numeric"))
        categorical = tuple(CategoricalColumn(**_tuples(column)) for column in found.pop("categorical"))
        return Layout(numeric=numeric, categorical=categorical, **found)


def _starts(columns: tuple[NumericColumn, ...] | tuple[CategoricalColumn, ...], first: int) -> Iterator[int]:
    for column in columns:
        yield first
        first += column.cells


def _fields(value: Layout | NumericColumn | CategoricalColumn) -> dict[str, Any]:
    """By name; ``asdict`` would copy every edge, and took most of the time of a hash."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _tuples(column: dict[str, Any]) -> dict[str, Any]:
    return {key: _frozen(value) for key, value in column.items()}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
