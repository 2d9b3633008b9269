"""Years of a model whose features never drift, and how often its budgeted monitors page all the same.

Features follow a common rhythm: the middle of a pane wanders as an AR(1), a tenth of the variance is between panes, and two
features share half of that.  Counts are drawn for deciles, pane by pane.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, signal, special

from detectors import cusum
from detectors.budget.chart_limit import cusum_limit
from detectors.budget.division import MONTH_MS, Watched, rate
from detectors.budget.limits import MARGIN, SLACKS, WindowLimits, chart_limits, window_limits
from detectors.calibration.calibrate import Calibration, Window, calibrate_ordered
from detectors.calibration.folding import folded
from detectors.calibration.stacked import stacked
from detectors.calibration.tail import saddlepoint, three_moments
from detectors.charts.baseline import baseline_of, standardised
from tests.support.simulated import Floats, Ints

HOUR_MS = 3_600_000
Bools = NDArray[np.bool_]
_EDGES = special.ndtri(np.arange(1, 10) / 10)


@dataclass(frozen=True, slots=True)
class Setting:
    """A simulated model: its features, panes, windows (in panes) and budget, in false pages a month."""

    features: int = 20
    reference: int = 744
    panes: int = 8_766
    pane_rows: int = 20
    phi: float = 0.5
    shared: float = 0.5
    between: float = 0.1
    windows: tuple[int, ...] = (24, 168)
    budget: float = 1.0

    @property
    def watched(self) -> Watched:
        return Watched(self.features, tests=2 * len(self.windows), charts=len(SLACKS))

    @property
    def rate(self) -> float:
        return rate(self.budget, self.watched, every_ms=HOUR_MS)


def false_pages_a_month(setting: Setting, *, seed: int) -> float:
    """Of one model: alarms of all its processes, each cluster of a window and each alarm of a chart counted once."""
    alarms = sum(_alarms(setting, counts) for counts in features(setting, seed=seed))
    return alarms * MONTH_MS / HOUR_MS / setting.panes


def features(setting: Setting, *, seed: int, shift: float = 0.0) -> Iterator[Ints]:
    """(reference + panes, 10) counts of each feature; ``shift``: by so many sd, after the reference."""
    random, length = np.random.default_rng(seed), setting.reference + setting.panes
    common = _wandering(random, setting.phi, length)
    moved = np.where(np.arange(length) < setting.reference, 0.0, shift)
    for _ in range(setting.features):
        own = _wandering(random, setting.phi, length)
        middle = np.sqrt(setting.shared) * common + np.sqrt(1.0 - setting.shared) * own
        yield _counts(random, np.sqrt(setting.between) * middle + moved, setting)


def _wandering(random: np.random.Generator, phi: float, length: int) -> Floats:
    noise = random.standard_normal(length)
    noise[1:] *= np.sqrt(1.0 - phi * phi)
    found: Floats = signal.lfilter([1.0], [1.0, -phi], noise)
    return found


def _counts(random: np.random.Generator, middle: Floats, setting: Setting) -> Ints:
    below = special.ndtr((_EDGES - middle[:, None]) / np.sqrt(1.0 - setting.between))
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    return random.multinomial(setting.pane_rows, shares / shares.sum(axis=1, keepdims=True))


def _alarms(setting: Setting, counts: Ints) -> int:
    past, live = counts[: setting.reference], counts[setting.reference :]
    return sum(_window_alarms(setting, past, live, panes=panes) for panes in setting.windows) + _chart_alarms(
        setting, past, live
    )


def _window_alarms(setting: Setting, past: Ints, live: Ints, *, panes: int) -> int:
    return sum(clusters(over, panes) for over in _over(setting, past, live, panes=panes))


def _over(setting: Setting, past: Ints, live: Ints, *, panes: int) -> tuple[Bools, Bools]:
    """At which judgements the omnibus and the location of a sliding window are beyond their limits."""
    rows = panes * setting.pane_rows
    test = calibrate_ordered(past, Window(panes, rows))
    assert test is not None
    limits = window_limits(test, setting.rate, judgements=panes)
    total = np.concatenate([np.zeros((1, live.shape[1])), np.cumsum(live, axis=0)])
    away = folded(total[panes:] - total[:-panes], test.groups) / rows - test.counts / test.scale.rows
    over = (away**2 / test.shares).sum(axis=1) > _critical(test, limits, rows)
    assert test.scores is not None
    assert test.location is not None
    assert limits.location is not None
    tests = stacked([test])
    error = np.sqrt(tests.location.of(np.array([float(rows)]), tests.scales)[0, 0])
    t = -special.stdtrit(max(1.0, float(test.location.freedom[0])), limits.location / 2.0)
    return over, np.abs(away @ test.scores) > t * error


def clusters(over: Bools, panes: int) -> int:
    """Alarms that are apart by a window's length at least count as two.

    >>> clusters(np.array([True, True, False, False, True]), 3), clusters(np.array([True, False, True]), 3)
    (2, 1)
    """
    at = np.flatnonzero(over)
    return int(len(at) > 0) + int(np.count_nonzero(np.diff(at) >= panes))


#: Far out no float holds a p-value, and its logarithm is asked for.
SMALLEST = float(np.finfo(np.float64).tiny)


def _critical(test: Calibration, limits: WindowLimits, rows: int) -> float:
    """The statistic whose p-value is the limit, for windows of that many rows."""
    tests = stacked([test])
    spread = tests.omnibus.of(np.array([float(rows)]), tests.scales)
    m, shape = np.array([test.omnibus.scale_freedom]), np.array([test.omnibus.shape_freedom])

    def excess(log_q: float) -> float:
        q = np.exp(np.array([log_q]))
        p = np.maximum(saddlepoint(q, spread, m), three_moments(q, spread, m, freedom=shape))
        return float(np.log(max(p[0], SMALLEST) / limits.omnibus))

    middle = float(np.log(spread.sum()))
    return float(np.exp(optimize.brentq(excess, middle - 2.0, middle + 8.0)))


def _chart_alarms(setting: Setting, past: Ints, live: Ints) -> int:
    values, limits = _charted(setting, past, live)
    return sum(_runs(values, slack, limit) for slack, limit in zip(SLACKS, limits, strict=True))


def _charted(setting: Setting, past: Ints, live: Ints) -> tuple[Floats, tuple[float, ...]]:
    """Standardised pane values, and the limit of each chart."""
    baseline = baseline_of(past)
    assert baseline is not None
    return standardised(baseline, live), chart_limits(baseline, setting.rate)


def _runs(values: Floats, slack: float, limit: float) -> int:
    up, down, alarms = np.zeros(1), np.zeros(1), 0
    for value in values[:, None]:
        up, down = cusum.step(up, down, value, slack=slack)
        if max(up[0], down[0]) > limit:
            alarms, up, down = alarms + 1, np.zeros(1), np.zeros(1)
    return alarms


@dataclass(frozen=True, slots=True)
class Delays:
    """Hours from a shift (sd of a row) to the first alarm, by process, of each feature in which it was found."""

    shift: float
    hours: dict[str, list[int]]


def delays(setting: Setting, *, seed: int, shift: float) -> Delays:
    """Of every feature of a model whose rows all shift at once, right after the reference."""
    hours: dict[str, list[int]] = {}
    for counts in features(setting, seed=seed, shift=shift):
        for name, at in _first_alarms(setting, counts, shift):
            hours.setdefault(name, []).append(at)
    return Delays(shift, hours)


def _first_alarms(setting: Setting, counts: Ints, shift: float) -> Iterator[tuple[str, int]]:
    past, live = counts[: setting.reference], counts[setting.reference :]
    for panes in setting.windows:
        # Windows reach back before the shift, as they do live.
        over, shifted = _over(setting, past, np.concatenate([past[-panes:], live]), panes=panes)
        yield f"omnibus {panes} h", _first(over)
        yield f"location {panes} h", _first(shifted)
    values, limits = _charted(setting, past, live)
    for slack, limit in zip(SLACKS, limits, strict=True):
        yield f"CUSUM {slack:g}", _first_beyond(values, slack, limit)
    sd = _long_run_sd(setting)
    slack = shift / sd / 2.0
    oracle = cusum_limit(MARGIN * setting.rate, slack, panes=10**9, blocks=np.inf)
    yield "oracle", _first_beyond(_means(setting, live) / sd, slack, oracle)


def _first(over: Bools) -> int:
    return int(over.argmax()) if over.any() else len(over)


def _first_beyond(values: Floats, slack: float, limit: float) -> int:
    up, down = np.zeros(1), np.zeros(1)
    for at, value in enumerate(values[:, None]):
        up, down = cusum.step(up, down, value, slack=slack)
        if max(up[0], down[0]) > limit:
            return at + 1
    return len(values)


def _means(setting: Setting, live: Ints) -> Floats:
    """Pane means of what an oracle sees: the normal scores of the true deciles."""
    middle = special.ndtri(np.arange(0.05, 1.0, 0.1))
    found: Floats = live @ middle / setting.pane_rows
    return found


def _long_run_sd(setting: Setting) -> float:
    """Of a pane's mean: the AR(1) between panes in the long run, and the noise of its rows."""
    in_the_long_run = setting.between * (1.0 + setting.phi) / (1.0 - setting.phi)
    return float(np.sqrt(in_the_long_run + (1.0 - setting.between) / setting.pane_rows))
