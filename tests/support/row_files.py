"""Files of rows of any kind, and the published columns that need no generator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

REFERENCE = ((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10
CURRENT = ((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5
THEN = (["a"] * 700 + ["b"] * 250 + ["c"] * 49 + ["d"]) * 2
NOW = (["a"] * 330 + ["b"] * 140 + ["c"] * 20 + ["e"] * 10) * 3


def write(path: Path, columns: dict[str, Sequence[object]]) -> Path:
    """A file of rows, of the kind that its name says."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if path.suffix == ".parquet":
        parquet.write_table(pa.table({name: list(values) for name, values in columns.items()}), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        body = "".join(",".join("" if v is None else str(v) for v in row.values()) + "\n" for row in rows)
        path.write_text(",".join(columns) + "\n" + body)
    return path
