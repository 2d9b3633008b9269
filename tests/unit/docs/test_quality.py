"""The page of data quality says what the code does: every check, state and severity, and the numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from detectors.calibration.blocks import LEAST_BLOCKS
from detectors.quality import skew, stillness, verdict
from detectors.quality.repeats import by_chance
from schemas.reports import State
from stream.evaluate.quality.ids import RULE as DUPLICATES
from stream.evaluate.quality.verdicts import KINDS, STUCK
from stream.evaluate.skew.columns import RULE as SKEW
from stream.evaluate.verdicts import severity
from stream.ingest.unregistered import MOST
from stream.state.columns import ID_BUCKETS

PAGE = (Path(__file__).parents[3] / "docs" / "quality.md").read_text()
TEXT = " ".join(PAGE.split())


def first_cells(head: str) -> set[str]:
    """The names in the first column of a section's table."""
    section = PAGE.partition(f"{head}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_check_is_named_and_every_state() -> None:
    assert first_cells("## The checks") == {*KINDS, STUCK, DUPLICATES, SKEW}
    assert first_cells("## How the features are") == {*get_args(State), "not_registered"}


def test_the_numbers_are_those_of_the_code() -> None:
    assert (verdict.LEVEL, verdict.BY_CHANCE) == (0.001, 1e-6)
    assert (skew.SKEW, verdict.LEAST_ROWS) == (0.1, 100)
    assert (stillness.TIMES, stillness.LEAST_PANES, LEAST_BLOCKS, MOST) == (2, 3, 20, 100)
    assert (severity.MATTERS, severity.HEAVY, severity.FEW_ROWS, severity.HEAVY_MISSING) == (0.1, 2.0, 0.01, 0.1)
    assert ((2 * ID_BUCKETS) ** -0.5, by_chance(10**6, ID_BUCKETS), by_chance(100, ID_BUCKETS)) == pytest.approx(
        (0.011, 0.054, 0.076), rel=0.02
    )
    for said in (
        "PSI above 0.1 where it is no chance either (1 in 1 000 windows)", "a hundred values of both sides",
        "1 in 1 000 windows", "chance 1 in a million", "after three panes", "at least twenty blocks",
        "at most 100 names", "4 096 buckets",
        "1.1 points", "5.4 points beyond it (7.6 at 100 ids)",
        "at least 0.01 and twice the threshold", "a tenth of the rows",
    ):  # fmt: skip
        assert said in TEXT
