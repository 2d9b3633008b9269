"""False pages a month of models that never drift, for a budget of one; and how long a real shift waits at that budget.

The issue's setting: 20 features that share half their rhythm, hour panes of an AR(1) of .5, windows of 24 and 168 hours judged
every hour, two charts a feature, a reference of 744 or 2 160 hours, a year for each of 40 models.
"""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.support.budgeted import Delays, Setting, delays, false_pages_a_month
from tests.support.simulated import Floats

pytestmark = pytest.mark.bench

MODELS = 40


@pytest.mark.parametrize("reference", [744, 2_160])
def test_models_page_no_more_often_than_their_budget(reference: int) -> None:
    setting = Setting(reference=reference)
    seeds = track(range(MODELS), description="models", console=Console(stderr=True))
    found = np.array([false_pages_a_month(setting, seed=seed) for seed in seeds])
    _print(f"reference of {reference} hours", found)
    assert found.mean() <= setting.budget
    assert np.quantile(found, 0.9) <= 1.5 * setting.budget


def test_how_long_a_shift_waits() -> None:
    setting = Setting(panes=600)
    seeds = track(range(20), description="models", console=Console(stderr=True))
    found = [delays(setting, seed=seed, shift=shift) for seed in seeds for shift in (0.5, 1.0)]
    _print_delays(found)
    assert {one.shift for one in found} == {0.5, 1.0}


def _print(title: str, pages: Floats) -> None:
    table = Table(title=f"false pages a month of {MODELS} models, budget 1, {title}")
    for heading in ("mean", "median", "90 %", "most"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{one:.2f}" for one in (pages.mean(), np.median(pages), np.quantile(pages, 0.9), pages.max())))
    Console(width=100).print(table)


def _print_delays(found: list[Delays]) -> None:
    table = Table(
        title="mean hours from a shift in one feature to its alarm (an oracle CUSUM knows mean, sd and shift)"
    )
    names = tuple(found[0].hours)
    for heading in ("shift, sd", *names):
        table.add_column(heading, justify="right")
    for shift in (0.5, 1.0):
        means = (np.mean([hours for one in found if one.shift == shift for hours in one.hours[name]]) for name in names)
        table.add_row(f"{shift:g}", *(f"{mean:.0f}" for mean in means))
    Console(width=100).print(table)
