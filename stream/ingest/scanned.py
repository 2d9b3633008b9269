"""What the scanner made of a run of records: rows of most, and the places of those that are left to Python."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.ingest.compiled.values import SHAPE, UNKNOWN_FEATURES, VERSION, VERSION_END
from stream.records import Records

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Scanned:
    """``left`` are places among the records, rising, ``rows`` the ``meta`` of the others, ``events`` what Python read of them."""

    records: Records
    left: Sequence[int]
    rows: Ints
    events: dict[int, Any] = field(default_factory=dict)

    def before(self, end: int) -> int:
        """How many of the records before this place were scanned."""
        return end - bisect_left(self.left, end)

    def last(self, first: int, end: int) -> int | None:
        """The place of the last event that was read of the records in a stretch."""
        for at in range(end - 1, first - 1, -1):
            place = bisect_left(self.left, at)
            if at in self.events or place == len(self.left) or self.left[place] != at:
                return at
        return None

    def told(self, at: int) -> tuple[int, object, int]:
        """Of the event of a record its shape, its version, and how many features it holds that nobody declared."""
        if at in self.events:
            event = self.events[at]
            return event.shape_number, event.version, 0
        row = self.rows[self.before(at)].tolist()
        begin, end = row[VERSION], row[VERSION_END]
        version = self.records.text[begin:end].tobytes().decode() if end else None
        return row[SHAPE], version, row[UNKNOWN_FEATURES]
