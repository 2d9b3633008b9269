"""From rows to records of the topic ``serving``: columnar batches, each far below 1 MiB and of at most 1 000 times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from stream.scraping.meters import Owner
from stream.scraping.rows import RECORD_ROWS, Floats, Rows

#: How a quantity of the maps is called in an event.
_FIELDS = {"latency": "latency_s"}


class Record(NamedTuple):
    """A Kafka record: its key, its value, and how many events it holds."""

    key: str
    value: bytes
    events: int


def records(owner: Owner, rows: Rows) -> Iterator[Record]:
    """The rows of an owner, in order, so many a record."""
    for first in range(0, len(rows.timestamps_ms), RECORD_ROWS):
        yield _record(owner, rows, slice(first, first + RECORD_ROWS))


def _record(owner: Owner, rows: Rows, some: slice) -> Record:
    errors = rows.errors[some]
    batch: dict[str, Any] = {"model": owner.model}
    if owner.version is not None:
        batch["version"] = owner.version
    batch["timestamp"] = rows.timestamps_ms[some].tolist()
    batch["status"] = _status(errors.tolist())
    for name, column in rows.measures.items():
        values = _column(column[some])
        if values is not None:
            batch[_FIELDS.get(name, name)] = values
    return Record(owner.model, msgspec.json.encode(batch), len(errors))


def _status(errors: list[bool]) -> str | list[str]:
    if len(set(errors)) == 1:
        return "error" if errors[0] else "success"
    return ["error" if error else "success" for error in errors]


def _column(column: Floats) -> float | list[float | None] | None:
    """A scalar where it does not vary; nothing where no row has a value."""
    missing = np.isnan(column)
    if missing.all():
        return None
    if not missing.any() and (column == column[0]).all():
        return float(column[0])
    return [None if absent else value for value, absent in zip(column.tolist(), missing.tolist(), strict=True)]
