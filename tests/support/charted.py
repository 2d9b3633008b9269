"""A generated model under a budget, judged pane by pane by evaluation's own code: what its charts say, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from detectors.edges import bin_of
from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor, ModelMonitor
from stream.evaluate.charts.charts import Charts
from stream.evaluate.charts.limits import limits_at, limits_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.verdicts.verdict import Verdict
from stream.state.layout import EVENTS
from stream.state.packing import Partial, empty
from tests.support.judged import DAY, HOUR, monitor, watched

Floats = NDArray[np.float64]

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Model:
    """Features whose pane means wander as an AR(1) of ``phi`` with a tenth of the variance; ``rows`` a pane, an hour each."""

    features: int = 20
    reference: int = 744
    rows: int = 20
    phi: float = 0.5
    between: float = 0.1
    pages_a_month: float = 1.0
    seed: int = 1

    @property
    def monitor(self) -> ModelMonitor:
        """One window of a day, judged each hour."""
        features = {f"f{at}": FeatureMonitor(type="numeric", importance=0.3) for at in range(self.features)}
        budget = BudgetMonitor(false_pages_per_month=self.pages_a_month)
        return monitor(features=features, budget=budget, windows={"day": DAY}, step_ms=HOUR)

    @property
    def long_run_sd(self) -> float:
        """Of a pane's mean, in sd of a row."""
        wandering = self.between * (1.0 + self.phi) / (1.0 - self.phi)
        return float(np.sqrt(wandering + (1.0 - self.between) / self.rows))


@dataclass(frozen=True, eq=False, slots=True)
class Live:
    """A model as it is watched, and where its random numbers go on."""

    model: Model
    watched: Watched
    random: np.random.Generator


def live(model: Model) -> Live:
    random = np.random.default_rng(model.seed)
    values = _values(random, model, np.zeros(model.reference))
    panes = panes_of(np.repeat(np.arange(model.reference), model.rows) * HOUR, pane_ms=HOUR)
    named = {f"f{at}": values[at].ravel() for at in range(model.features)}
    return Live(model, watched(model.monitor, of=build_reference("m", named, panes=panes)), random)


def judged(of: Live, shift: Floats) -> Iterator[tuple[int, Charts, list[Verdict]]]:
    """(number, charts, verdicts that fire) of each pane; ``shift``: of the rows pane by pane, in sd of a row, of all features
    or (features, panes)."""
    charts = Charts()
    for at, partial in enumerate(_panes(of, shift)):
        found = judge_pane(of.watched, Pane(at * HOUR, (at + 1) * HOUR, partial), charts)
        charts = found.charts
        firing = [one for one in found.verdicts if isinstance(one, Verdict) and one.rule.startswith("cusum")]
        yield at, charts, [one for one in firing if one.state == "firing"]


def first_alarms(of: Live, shift: Floats) -> dict[str, tuple[int, Verdict]]:
    """The pane and the verdict of each chart's first alarm, by its key."""
    found: dict[str, tuple[int, Verdict]] = {}
    for at, _, verdicts in judged(of, shift):
        for one in verdicts:
            found.setdefault(one.key, (at, one))
    return found


def alarms(of: Live, panes: int) -> int:
    """How many alarms begin in so many panes of no drift."""
    count, firing = 0, set[str]()
    for _, _, verdicts in judged(of, np.zeros(panes)):
        now = {one.key for one in verdicts}
        count += len(now - firing)
        firing = now
    return count


def panes_of_nothing(of: Live, panes: int) -> Iterator[Partial]:
    """So many panes in which nothing changes."""
    yield from _panes(of, np.zeros(panes))


def with_limits(of: Live, limits: tuple[float, float]) -> Live:
    """The same with charts of other limits."""
    known = limits_of(of.watched)
    at = np.repeat(np.array(limits)[:, None], known.at.shape[1], axis=1)
    of.watched.chart_limits["known"] = limits_at(at, decide=known.decide, budgeted=known.budgeted)
    return of


def _panes(of: Live, shift: Floats) -> Iterator[Partial]:
    layout = of.watched.layout
    places = [place for place in of.watched.yardstick.places if place.room == "features"]
    for begin in range(0, shift.shape[-1], AT_ONCE):
        some = shift[..., begin : begin + AT_ONCE]
        values = _values(of.random, of.model, some)
        cells = np.zeros((some.shape[-1], layout.cells), dtype=np.int64)
        cells[:, EVENTS] = of.model.rows
        pane = np.repeat(np.arange(some.shape[-1]), of.model.rows)
        for at, place in enumerate(places):
            bins = bin_of(values[at].ravel(), layout.numeric[place.number or 0].edges)
            np.add.at(cells, (pane, place.first + bins), 1)
        for row in cells:
            yield Partial(
                row, empty(layout.cells, len(layout.numeric)).sums, empty(layout.cells, len(layout.numeric)).extrema
            )


def _values(random: np.random.Generator, model: Model, shift: Floats) -> Floats:
    """(features, panes, rows)."""
    noise = random.standard_normal((model.features, shift.shape[-1]))
    noise[:, 1:] *= np.sqrt(1.0 - model.phi**2)
    middle = np.sqrt(model.between) * signal.lfilter([1.0], [1.0, -model.phi], noise, axis=1) + shift
    rows = random.standard_normal((model.features, shift.shape[-1], model.rows))
    found: Floats = middle[:, :, None] + np.sqrt(1.0 - model.between) * rows
    return found
