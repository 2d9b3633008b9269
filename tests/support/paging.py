"""A generated model that never drifts, judged by evaluation's own code as a walk does it: what alarms, and what would page.

Features share half their rhythm and come from three sources; a few are names of which new ones turn up, and every fourth feature
misses a value now and then.  Panes, windows, verdicts, checks and conclusions are those of the service; only Redis is not there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

from detectors.edges import bin_of
from detectors.profile import build_reference, coded, panes_of
from schemas.findings import Finding
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.calibration import alarms
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.judging.window_verdicts import judged
from stream.evaluate.quality.verdicts import quality_verdicts
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict
from stream.state.layout import CATEGORY_TAIL, EVENTS, SPECIALS
from stream.state.packing import Partial, empty
from tests.support.judged import DAY, HOUR, monitor, watched
from tests.support.paging_live import Calibrating

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTH_HOURS = 730.5
AT_ONCE = 500
#: Names by Zipf's law: the rarest turn up once in thousands of rows.
NAMES = 3_000
_CUMULATIVE = np.cumsum(1.0 / np.arange(1, NAMES + 1)) / np.sum(1.0 / np.arange(1, NAMES + 1))


@dataclass(frozen=True, slots=True)
class Model:
    """Hourly panes of ``rows``; of ``features`` the last ``names`` hold names; ``missing``: share of rows without a value.

    ``ordered`` False: the reference is a file of rows without times, so the stream's own panes calibrate.
    ``shift``: of every feature, in sd of a row, from so many live panes on.
    """

    features: int = 20
    names: int = 0
    missing: float = 0.0
    reference: int = 744
    ordered: bool = True
    rows: int = 20
    phi: float = 0.5
    shared: float = 0.5
    between: float = 0.1
    budget: float = 1.0
    step_ms: int = DAY
    windows: tuple[int, ...] = (24, 168)
    shift: float = 0.0
    shifted_after: int = 0
    seed: int = 1

    @property
    def monitored(self) -> Any:
        features = {
            f"f{at}": FeatureMonitor(
                type="categorical" if self.is_named(at) else "numeric", source=f"s{at % 3}", importance=0.3
            )
            for at in range(self.features)
        }
        windows = {f"{hours} h": hours * HOUR for hours in self.windows}
        budget = BudgetMonitor(false_pages_per_month=self.budget)
        return monitor(features=features, budget=budget, windows=windows, step_ms=self.step_ms)

    def is_named(self, at: int) -> bool:
        return at >= self.features - self.names


@dataclass(slots=True)
class Told:
    """Alarms that began, by rule; those of them that would page; the counters; and what was expected."""

    began: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    counted: int = 0
    expected: float = 0.0


class Stream:
    """The model's values, panes at a time: the reference first, then what is live."""

    def __init__(self, model: Model) -> None:
        self.model, self._random = model, np.random.default_rng(model.seed)
        self._last = np.zeros(2 * model.features + 3)
        self._wander(200)
        panes = panes_of(np.repeat(np.arange(model.reference), model.rows) * HOUR, pane_ms=HOUR)
        values, score = self._values(model.reference)
        named = {
            f"f{at}": coded(_names(values[at].ravel())) if model.is_named(at) else values[at].ravel()
            for at in range(model.features)
        }
        made = build_reference("m", named, panes=panes if model.ordered else None, score=score.ravel())
        self.watched = watched(model.monitored, of=made)

    def panes(self, count: int) -> Iterator[Partial]:
        for begin in range(0, count, AT_ONCE):
            hours = np.arange(begin, min(begin + AT_ONCE, count))
            yield from self._some(np.where(hours >= self.model.shifted_after, self.model.shift, 0.0))

    def _wander(self, count: int) -> Floats:
        """(series, panes) AR(1) of variance 1, going on where it was."""
        phi = self.model.phi
        noise = np.sqrt(1.0 - phi * phi) * self._random.standard_normal((len(self._last), count))
        found: Floats = signal.lfilter([1.0], [1.0, -phi], noise, axis=1, zi=phi * self._last[:, None])[0]
        self._last = found[:, -1]
        return found

    def _values(self, count: int) -> tuple[Floats, Floats]:
        """(features, panes, rows) with NaN where a value is missing, and (panes, rows) scores."""
        model, walks = self.model, self._wander(count)
        own, gaps, common, score = (
            walks[: model.features], walks[model.features : -3], walks[-1], walks[-2],
        )  # fmt: skip
        middle = np.sqrt(model.shared) * common + np.sqrt(1.0 - model.shared) * own
        middle = np.vstack([middle, np.sqrt(model.shared) * common + np.sqrt(1.0 - model.shared) * score])
        rows = self._random.standard_normal((model.features + 1, count, model.rows))
        found = np.sqrt(model.between) * middle[:, :, None] + np.sqrt(1.0 - model.between) * rows
        values, scores = found[:-1], special.ndtr(found[-1])
        if model.missing:
            share = model.missing * np.exp(gaps[: model.features] - 0.5)
            share[np.arange(model.features) % 4 != 0] = 0.0
            values[self._random.random(values.shape) < share[:, :, None]] = np.nan
        return values, scores

    def _some(self, shift: Floats) -> Iterator[Partial]:
        of, layout, rows, count = self.model, self.watched.layout, self.model.rows, len(shift)
        values, score = self._values(count)
        values += shift[:, None]
        cells = np.zeros((count, layout.cells), dtype=np.int64)
        cells[:, EVENTS] = rows
        extrema = np.tile(empty(0, len(layout.numeric)).extrema, (count, 1))
        for place in self.watched.yardstick.places:
            if place.room == "features" and of.is_named(int(place.name[1:])):
                _count_names(cells, self.watched, place, values[int(place.name[1:])])
            elif place.room == "features":
                _count(cells, extrema, self.watched, place=place, values=values[int(place.name[1:])])
            elif place.name == "score":
                _count(cells, extrema, self.watched, place=place, values=score)
        nothing = np.zeros(2 * len(layout.numeric), dtype=np.int64)
        for row, ends in zip(cells, extrema, strict=True):
            yield Partial(row, nothing, ends)


def told(model: Model, hours: int) -> Told:
    """What is told of a model in so many hours after its reference."""
    found = Told()
    for one, before, of in _conclusions(model, hours, found):
        found.counted += alarms.begun([one], before, of)
        if one.state == "firing":
            stood = before.keys.get(one.key)
            last = None if stood is None else stood.told
            found.began[_family(one)] += last is None
            found.pages[_family(one)] += one.severity != "P3" and (last is None or last.severity == "P3")
    return found


def delays(model: Model, hours: int) -> dict[str, list[int]]:
    """Hours from the shift of every numeric feature to the first that each rule tells of each; so many are looked at."""
    first: dict[tuple[str, str], int] = {}
    for one, _, _ in _conclusions(model, model.shifted_after + hours, Told()):
        after = one.at // HOUR - model.shifted_after
        if one.state == "firing" and one.feature is not None and after > 0:
            first.setdefault((_family(one), one.feature), after)
            first.setdefault(("the first of them", one.feature), after)
    rules = {rule for rule, _ in first}
    return {rule: [at for (name, _), at in first.items() if name == rule] for rule in rules}


def _conclusions(model: Model, hours: int, found: Told) -> Iterator[tuple[Finding, Standing, Watched]]:
    """Every finding of a walk over so many panes, with what stood before it."""
    stream, standing, charts = Stream(model), Standing(), Charts()
    of = stream.watched
    live = Calibrating(of)
    kept: deque[Partial] = deque(maxlen=max(model.windows))
    totals = {length: np.zeros(of.layout.cells, dtype=np.int64) for length in model.windows}
    for at, pane in enumerate(stream.panes(hours)):
        end = (at + 1) * HOUR
        for length, total in totals.items():
            total += pane.cells - (kept[-length].cells if len(kept) >= length else 0)
        kept.append(pane)
        if not model.ordered:
            live.keep(end - HOUR, pane)
        said = judge_pane(of, Pane(end - HOUR, end, pane), charts)
        charts = said.charts
        found.expected += alarms.expected_of_charts(said.budgeted, of) / alarms.PARTS
        groups: list[tuple[Iterable[Verdict | Quiet | Clear | Fine], int]] = [(said.verdicts, model.rows)]
        for length in (one for one in model.windows if end % model.step_ms == 0 and at + 1 >= one):
            window = Window(f"{length} h", end - length * HOUR, end, _summed(kept, totals[length], length), True)
            report = judge_window(of, live.calibrated(window), seen_ms=end, charts=charts)
            found.expected += alarms.expected(report, of) / alarms.PARTS
            groups.append(([*judged(report, of), *quality_verdicts(report, of, standing)], report.events))
        for verdicts, events in groups:
            before = standing
            findings, standing = conclude(verdicts, before, at_ms=end, revision=events, seen_ms=end, watched=of)
            yield from ((one, before, of) for one in findings)


def _summed(kept: deque[Partial], total: Ints, length: int) -> Partial:
    extrema = np.stack([one.extrema for one in list(kept)[-length:]])
    ends = np.where(np.arange(extrema.shape[1]) % 2 == 0, extrema.min(axis=0), extrema.max(axis=0))
    return Partial(total, kept[-1].sums, ends)


def _family(one: Finding) -> str:
    return f"{one.rule} {one.window}" if one.window else one.rule


def _names(values: Floats) -> list[str | None]:
    found = np.searchsorted(_CUMULATIVE, special.ndtr(np.nan_to_num(values)))
    # The order of the names says nothing of how frequent they are.
    return [
        None if gone else f"n{at * 7919 % NAMES}"
        for at, gone in zip(found.tolist(), np.isnan(values).tolist(), strict=True)
    ]


def _count_names(cells: Ints, of: Watched, place: Place, values: Floats) -> None:
    column = next(one for one in of.layout.categorical if one.path == f"features.{place.name}")
    other, unseen, missing = (column.bins + CATEGORY_TAIL.index(name) for name in ("other", "unseen", "missing"))
    known = {**dict.fromkeys(column.folded, other), **{name: at for at, name in enumerate(column.categories)}}
    bins = [missing if name is None else known.get(name, unseen) for name in _names(values.ravel())]
    pane = np.repeat(np.arange(len(values)), values.shape[1])
    np.add.at(cells, (pane, place.first + np.array(bins)), 1)


def _count(cells: Ints, extrema: Floats, of: Watched, *, place: Place, values: Floats) -> None:
    number = place.number or 0
    column = of.layout.numeric[number]
    held = ~np.isnan(values)
    pane = np.repeat(np.arange(len(values)), values.shape[1])[held.ravel()]
    bins = bin_of(values[held], column.edges)
    width = place.bins
    cells[:, place.first : place.first + width] = np.bincount(
        pane * width + bins, minlength=len(values) * width
    ).reshape(len(values), width)
    cells[:, place.first + column.bins + SPECIALS.index("missing")] = (~held).sum(axis=1)
    extrema[:, 2 * number] = np.where(held, values, np.inf).min(axis=1)
    extrema[:, 2 * number + 1] = np.where(held, values, -np.inf).max(axis=1)
