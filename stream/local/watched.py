"""What the demo puts into force: the monitors file of the flights, and January as the reference beside it.

The reference is what the model's first month looked like to whoever watches predictions: every flight of
January by the calendar of New York, cancelled ones too, as each is predicted; their outcome is missing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from detectors.profile import Column, build_reference, coded, panes_of
from schemas.reference import Reference
from stream.local.flights import CATEGORICAL, FEATURES
from stream.local.model import TRAINED_ON, Floats

MODEL = "flight-delay"
MONITORS = Path(__file__).with_name("flights_monitors.yaml")
REFERENCE = Path("references", "flight-delay-2013-01.json")  # as the monitors file names it
PANE_MS = 3_600_000
CLASSES = {0.0: "on_time", 1.0: "delayed"}


def write_watched(folder: Path, reference: Reference) -> Path:
    """Put monitors file and reference into ``folder``; the path of the monitors file, ready to apply."""
    (folder / REFERENCE).parent.mkdir(parents=True, exist_ok=True)
    (folder / REFERENCE).write_bytes(reference.to_json())
    monitors = folder / MONITORS.name
    monitors.write_bytes(MONITORS.read_bytes())
    return monitors


def january(flights: pd.DataFrame, scores: Floats) -> Reference:
    """The reference: features, score and outcome of January, in hourly panes of scheduled departure."""
    month = (flights["month"] == TRAINED_ON).to_numpy()
    rows = flights[month]
    return build_reference(
        MODEL,
        {name: _column(name, rows) for name in FEATURES},
        panes=panes_of(rows["departure_ms"].to_numpy(), pane_ms=PANE_MS),
        score=scores[month],
        outcomes=coded(map(CLASSES.get, rows["outcome"])),
    )


def _column(name: str, rows: pd.DataFrame) -> Column:
    if name in CATEGORICAL:
        return coded(name if isinstance(name, str) else None for name in rows[name])  # missing is NaN
    values: Floats = rows[name].to_numpy(dtype=np.float64)
    return values
