"""Charts that the monitors file names: how often they alarm though nothing changed, how late where it did, what a pane costs.

Values are a pane's in long-run sd; charts are carried on, and built anew at every 256th pane, by evaluation's own code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import signal

from schemas.monitored import ChartsMonitor, RiverChart, RollingChart, ShewhartChart
from schemas.river import DETECTORS
from stream.evaluate.charts import named as named_charts
from stream.evaluate.charts import recent
from stream.evaluate.charts.charts import Charts
from stream.evaluate.charts.limits import prepare
from stream.evaluate.charts.named import Named
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from tests.support.charted import Live, Model, live, panes_of_nothing
from tests.support.judged import HOUR

pytestmark = pytest.mark.bench
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COLUMNS, PANES, QUIET, CHANGED = 20, 1_500, 300, 300
CHARTS = ChartsMonitor(
    shewhart=ShewhartChart(width=3.0),
    rolling=RollingChart(weight=0.05, width=3.0),
    river=tuple(RiverChart(name=name) for name in DETECTORS),
)


def watching(charts: ChartsMonitor) -> Live:
    """Twenty features with these charts."""
    of = live(Model(features=COLUMNS))
    monitor = of.watched.monitor.model_copy(update={"charts": charts})
    watched = replace(of.watched, monitor=monitor)
    prepare(watched)
    return replace(of, watched=watched)


def beyond(watched: Watched, values: Floats) -> Mapping[str, Bools]:
    """By rule (panes, columns) whether each chart alarms."""
    named: Named | None = None
    series, filled = recent.begun(COLUMNS), np.ones(COLUMNS, dtype=np.bool_)
    found: dict[str, list[Bools]] = {}
    for at, row in enumerate(values, 1):
        (series,) = series.thens([at * HOUR], np.clip(row, -10, 10)[None], filled[None])
        named = named_charts.then(named, series, panes=at, watched=watched)
        assert named is not None
        for group, signs in zip(named.groups, named.signs, strict=True):
            assert signs is not None
            found.setdefault(group.rule, []).append(signs.beyond)
    return {rule: np.array(rows) for rule, rows in found.items()}


def noise(panes: int, phi: float, *, seed: int) -> Floats:
    """An AR(1), in long-run sd."""
    steps = np.random.default_rng(seed).standard_normal((panes + 200, COLUMNS))
    made: Floats = signal.lfilter([1.0 - phi], [1.0, -phi], steps, axis=0)[200:]
    return made


def test_panes_between_false_alarms() -> None:
    watched = watching(CHARTS).watched
    table = Table(title="panes from a false alarm to the next, of a column")
    for heading in ("autocorrelation", *RULES):
        table.add_column(heading, justify="right")
    for phi in (0.0, 0.5):
        found = beyond(watched, noise(PANES, phi, seed=1))
        begun = {rule: int((rows[1:] & ~rows[:-1]).sum()) for rule, rows in found.items()}
        table.add_row(f"{phi:g}", *(f"{PANES * COLUMNS / max(begun[rule], 1):.0f} ({begun[rule]})" for rule in RULES))
    Console(width=120).print(table)


def test_panes_until_a_shift_is_found() -> None:
    watched = watching(CHARTS).watched
    table = Table(title="median panes from a shift to its alarm, and how many of 40 columns find it in 300")
    for heading in ("shift, long-run sd", *RULES):
        table.add_column(heading, justify="right")
    for shift in (0.5, 1.0, 2.0, 4.0):
        after: dict[str, list[Bools]] = {}
        for seed in range(2):
            values = noise(QUIET + CHANGED, 0.0, seed=seed)
            values[QUIET:] += shift
            for rule, rows in beyond(watched, values).items():
                after.setdefault(rule, []).append(rows[QUIET:] & ~rows[QUIET - 1])
        table.add_row(f"{shift:g}", *(_delay(np.concatenate(after[rule], axis=1)) for rule in RULES))
    Console(width=120).print(table)


RULES = ("shewhart", "rolling", *DETECTORS)


def _delay(rows: Bools) -> str:
    found = rows.any(axis=0)
    first = np.where(found, rows.argmax(axis=0) + 1, rows.shape[0] + 1)
    return f"{np.median(first):.0f} ({found.sum()})"


def test_what_a_pane_costs() -> None:
    asked = {
        "none": ChartsMonitor(),
        "shewhart": ChartsMonitor(shewhart=CHARTS.shewhart),
        "shewhart, adwin": ChartsMonitor(shewhart=CHARTS.shewhart, river=CHARTS.river[1:2]),
        "all that watch errors": ChartsMonitor(river=CHARTS.river[3:]),
        "all but kswin": CHARTS.model_copy(update={"river": (*CHARTS.river[:2], *CHARTS.river[3:])}),
        "all": CHARTS,
    }
    models = {name: watching(charts) for name, charts in asked.items()}
    spent: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(3):
        for name, of in models.items():
            spent[name].append(_seconds_a_pane(of, panes=600))
    table = Table(title="CPU of a pane of 20 features, charts and all its verdicts, µs (least of 3)")
    for heading in ("charts", "µs", "more than none"):
        table.add_column(heading, justify="right")
    none = min(spent["none"])
    for name, seconds in spent.items():
        table.add_row(name, f"{1e6 * min(seconds):.0f}", f"{1e6 * (min(seconds) - none):.0f}")
    Console(width=120).print(table)


def _seconds_a_pane(of: Live, *, panes: int) -> float:
    rows = list(panes_of_nothing(of, panes))
    charts, begun = Charts(), time.thread_time()
    for at, partial in enumerate(rows):
        charts = judge_pane(of.watched, Pane(at * HOUR, (at + 1) * HOUR, partial), charts).charts
    return (time.thread_time() - begun) / panes
