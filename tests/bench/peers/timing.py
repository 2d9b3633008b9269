"""What every contender of `make bench-statistics` shares: columns come in a file, figures leave in another.

Run by the Python of a contender's own environment, so it knows the standard library only.  Reading the file, and turning it into
what the contender wants (a data frame, arrays, Arrow), is outside the clock; so are its imports and what it does once a reference.

The clock is the process' CPU time: by the wall's, a contender of 13 ms is as slow as whoever else wants the core.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

#: Three rounds, and more of them to whom a round is short: what disturbs lasts longer than it.
ROUNDS, LEAST_S = 3, 1.0
Columns = Mapping[str, Any]


def read(side: str) -> dict[str, Any]:
    """The columns of the reference or of the current rows, in the file's order."""
    with import_module("numpy").load(sys.argv[1]) as file:
        return {key.split("/")[1]: file[key] for key in file.files if key.startswith(f"{side}/")}


def frame(columns: Columns) -> Any:
    """A data frame whose names are Python's own strings."""
    found = {key: column.astype(object) if column.dtype.kind == "U" else column for key, column in columns.items()}
    return import_module("pandas").DataFrame(found)


def measure(prepare: Callable[[], Callable[[], int]]) -> None:
    """``prepare`` takes in the reference and gives what compares the current rows with it and says of how many columns."""
    warnings.simplefilter("ignore")
    compare = prepare()
    taken: list[float] = []
    while len(taken) < ROUNDS or sum(taken) < LEAST_S:
        began = time.process_time()
        columns = compare()
        taken.append(time.process_time() - began)
    found = {"columns": columns, "seconds": min(taken), "peak": _peak()}
    Path(sys.argv[2]).write_text(json.dumps(found))


def _peak() -> int:
    """Bytes of memory that this process has held at most; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
