"""The bench's events as columnar records: so many rows of one model, as JSON lists or with packed columns of numbers.

A model's rows of one record are two of the distinct halves in turn, encoded once; identifiers and times are each record's own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from schemas.monitored import Monitors
from schemas.reference import Reference
from tests.bench.events import DISTINCT, NAMES, SPAN_MS, START_MS, Codes, Floats, monitors, name, references, table

#: How a column of numbers is written: a list, or base64 of doubles.
Written = Literal["lists", "packed"]


@dataclass(frozen=True, slots=True)
class Columnar:
    """``batches`` records of ``rows_a_record`` rows, model after model, keyed by model."""

    models: int
    partitions: int
    batches: int
    rows_a_record: int = 2_000
    written: Written = "lists"

    @property
    def events(self) -> int:
        return self.batches * self.rows_a_record

    def records(self) -> Iterator[tuple[int, bytes, bytes]]:
        """(partition, key, value) of each record, in rising event time."""
        halves = [_body(self._rows(at * self.models), self.written) for at in (0, 1)]
        for batch in range(self.batches):
            model = name(batch % self.models)
            first = batch * self.rows_a_record
            at = np.arange(first, first + self.rows_a_record)
            times = (START_MS + at * SPAN_MS // self.events).tolist()
            identifiers = ",".join(f'"{number:08}"' for number in at.tolist())
            head = f'{{"model":"{model}","version":"3","id":[{identifiers}],"timestamp":{json.dumps(times)},'
            yield batch % self.models % self.partitions, model.encode(), head.encode() + halves[_half(self, batch)]

    def _rows(self, batch: int) -> Codes:
        """Which of the distinct rows a record holds."""
        return (_half(self, batch) * self.rows_a_record + np.arange(self.rows_a_record)) % DISTINCT

    def rows(self) -> tuple[Codes, Codes]:
        """Of each event the number of its model, and which of the distinct rows it is."""
        batches = np.arange(self.batches)
        rows = np.concatenate([self._rows(batch) for batch in batches.tolist()])
        return np.repeat(batches % self.models, self.rows_a_record), rows

    def names(self) -> list[str]:
        return [name(number) for number in range(self.models)]

    def monitors(self) -> Monitors:
        """The monitors file that watches all of these models."""
        return monitors(self.names())

    def references(self) -> dict[str, Reference]:
        """By model."""
        return references(self.names())


def _half(flow: Columnar, batch: int) -> int:
    return batch // flow.models % 2


def _body(rows: Codes, written: Written) -> bytes:
    """A record's JSON from its features on."""
    distinct = table(DISTINCT, seed=2)
    features: dict[str, Any] = {key: _numbers(of[rows], written) for key, of in distinct.numbers.items()}
    features |= _categories(distinct.codes, rows)
    rest = {
        "features": features,
        "prediction": {"score": _numbers(distinct.scores[rows], written)},
        "latency_s": 0.012,
    }
    return json.dumps(rest, separators=(",", ":")).encode()[1:]


def _numbers(values: Floats, written: Written) -> Any:
    if written == "packed":
        return {"f64": base64.b64encode(values.astype("<f8").tobytes()).decode()}
    return [None if missing else value for value, missing in zip(values.tolist(), np.isnan(values), strict=True)]


def _categories(codes: Mapping[str, Codes], rows: Codes) -> dict[str, list[str | None]]:
    return {key: [NAMES[code] if code >= 0 else None for code in of[rows].tolist()] for key, of in codes.items()}
