"""The demo's table in the README holds what the rows say: PSI of every column and month shown, straight from the flights."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from stream.local.model import Floats
from tests.support.flights_psi import psi_from_rows

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(r"^(\S+)((?: +\d+\.\d+){12})$", re.MULTILINE)


@pytest.mark.slow
def test_the_table_of_the_readme(flights: pd.DataFrame, scores: Floats) -> None:
    months = [psi_from_rows(flights, scores, month=month) for month in range(1, 13)]
    shown = {name: cells.split() for name, cells in ROW.findall(README.read_text())}

    assert list(shown) == ["carrier", "dest", "humid", "temp", "visib", "(score)"]
    assert shown == {name: [f"{month[name]:.2f}" for month in months] for name in shown}
