"""The calibrated test of a model's columns, for windows of one length: made from the reference's own panes, and what it says.

Pure.  A test is made for windows of a length and of about as many events (a power of two), as bins are folded so that each
expects five rows.  It takes milliseconds a column, so it is made beside the event loop and kept (:attr:`Watched.calibrated`).
A reference without time order, or of panes longer than the window, calibrates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.budget import division
from detectors.budget.limits import WindowLimits, window_limits
from detectors.calibration.calibrate import Calibration, Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import Verdict, judge_stacked
from detectors.calibration.stacked import Stacked, stacked
from detectors.profile import pane_matrix
from schemas.reference import NumericProfile, Profile
from schemas.reports import Measure
from stream.evaluate.places import places_of
from stream.evaluate.pools import pools_of
from stream.evaluate.rules import ColumnRules
from stream.evaluate.watched import Watched
from stream.evaluate.windows import windows_of
from stream.evaluate.yardstick import NOT_HELD, Place

Ints = NDArray[np.int64]

DAY_MS = 86_400_000
CONVENTION = "calibrated"


@dataclass(frozen=True, eq=False, slots=True)
class Calibrated:
    """Tests side by side.  ``held``: the held column of each; ``bins``: which of the yardstick's folded bins are theirs."""

    stacked: Stacked | None
    held: tuple[int, ...]
    bins: Ints
    limits: tuple[WindowLimits | None, ...]
    enough: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What the test says of one column; ``limits`` where it decides, ``enough`` False where its reference is too short to."""

    verdict: Verdict
    limits: WindowLimits | None
    enough: bool


def key_of(length_ms: int, events: int) -> tuple[int, int]:
    """What tests are kept under: the length of a window, and the power of two at or below its events.

    >>> key_of(3_600_000, 1000)
    (3600000, 512)
    """
    return length_ms, 1 << max(0, events.bit_length() - 1)


def known_calibration(watched: Watched, key: tuple[int, int]) -> Calibrated:
    """The tests for a key, made where they are not known yet."""
    known: Calibrated | None = watched.calibrated.get(key)
    if known is None:
        known = watched.calibrated[key] = calibration_of(watched, key)
    return known


def calibration_of(watched: Watched, key: tuple[int, int]) -> Calibrated:
    """The tests for a key; of columns that can have one."""
    made = list(_made(watched, *key))
    return Calibrated(
        stacked=stacked([calibration for _, _, calibration in made]) if made else None,
        held=tuple(place.held for place, _, _ in made),
        bins=np.concatenate([np.zeros(0, np.int64), *(bins_in(watched, place) for place, _, _ in made)]),
        limits=tuple(_limits(watched, rules, calibration, length_ms=key[0]) for _, rules, calibration in made),
        enough=tuple(calibration.enough for _, _, calibration in made),
    )


def said_of(tests: Calibrated, folded: Ints) -> Mapping[int, Said]:
    """What each test says of a window, by held column; ``folded``: its counts in the yardstick's folded bins."""
    if tests.stacked is None:
        return {}
    verdicts = judge_stacked(tests.stacked, folded[tests.bins])
    four = zip(tests.held, verdicts, tests.limits, tests.enough, strict=True)
    return {held: Said(verdict, limits, enough) for held, verdict, limits, enough in four if verdict is not None}


def with_calibrated(measures: dict[str, Measure], said: Said) -> dict[str, Measure]:
    """The measures of a column with the calibrated verdict beside them, and what PSI comes to with no drift."""
    verdict, limits = said.verdict, said.limits if said.enough else None
    found = {**measures, "psi": msgspec.structs.replace(measures["psi"], expected=verdict.expected_psi)}
    found["drift"] = Measure(
        verdict.p_omnibus,
        CONVENTION,
        p_value=verdict.p,
        threshold=None if limits is None else limits.omnibus,
        exceeded=limits is not None and verdict.p_omnibus < limits.omnibus,
    )
    if verdict.shift is not None:
        found["shift"] = _shift(verdict, limits)
    return found


def _shift(verdict: Verdict, limits: WindowLimits | None) -> Measure:
    """In sd of a normal feature, upwards or downwards; the limit is of its size."""
    if limits is None or limits.errors is None or verdict.error is None:
        return Measure(verdict.shift, CONVENTION, p_value=verdict.p_location)
    limit = limits.errors * verdict.error
    return Measure(
        verdict.shift, CONVENTION, p_value=verdict.p_location, threshold=limit, exceeded=limits.shifted(verdict)
    )


def _made(watched: Watched, length_ms: int, events: int) -> Iterator[tuple[Place, ColumnRules, Calibration]]:
    pane_ms, reference = watched.reference.pane_ms, watched.reference
    if pane_ms is None or length_ms % pane_ms or not reference.rows:
        return
    for place, rules in zip(watched.yardstick.places, watched.rules, strict=True):
        if place.held != NOT_HELD:
            profile = watched.yardstick.profiles[place.held]
            rows = events * sum(profile.counts) / max(reference.rows, 1)
            calibration = _calibrated(watched, place, profile, window=window_in(length_ms, pane_ms, rows))
            if calibration is not None:
                yield place, rules, calibration


def window_in(length_ms: int, pane_ms: int, rows: float) -> Window:
    """Windows of a length in panes of the reference, of so many rows."""
    return Window(length_ms // pane_ms, rows, day=DAY_MS // pane_ms if DAY_MS % pane_ms == 0 else None)


def _calibrated(watched: Watched, place: Place, profile: Profile, *, window: Window) -> Calibration | None:
    counts = folded_panes(watched, place)
    if isinstance(profile, NumericProfile):
        return calibrate_ordered(counts, window)
    return calibrate_named(counts, window)


def folded_panes(watched: Watched, place: Place) -> Ints:
    """(panes, folded bins with a value) counts of the reference of a held column, in the yardstick's bins."""
    yardstick, bins = watched.yardstick, watched.yardstick.bins_of(place)
    profile, begins = yardstick.profiles[place.held], yardstick.begins[place.held]
    panes = pane_matrix(profile)
    if isinstance(profile, NumericProfile):
        found: Ints = np.add.reduceat(panes[:, : place.bins], np.array(begins[:bins]) - place.first, axis=1)
        return found
    listed, further = panes[:, : place.bins], panes[:, place.bins : -1].sum(axis=1, keepdims=True)
    unseen = np.zeros((len(panes), bins - place.bins - 1), dtype=np.int64)
    return np.concatenate([listed, further, unseen], axis=1)


def bins_in(watched: Watched, place: Place) -> Ints:
    """Which of the yardstick's folded bins are a held column's."""
    start = int(watched.yardstick.starts[place.held])
    return np.arange(start, start + watched.yardstick.bins_of(place))


def _limits(watched: Watched, rules: ColumnRules, calibration: Calibration, *, length_ms: int) -> WindowLimits | None:
    """What the budget allows where it decides about a column."""
    if watched.monitor.budget is None or not rules.budgeted:
        return None
    return window_limits(calibration, rate_of(watched), judgements=max(1.0, length_ms / watched.monitor.step_ms))


def rate_of(watched: Watched) -> float:
    """False alarms that each process of the model may raise at a judgement; 0 where no budget is stated."""
    budget, every_ms = watched.monitor.budget, watched.monitor.step_ms
    if budget is None:
        return 0.0
    tests = division.Watched(1, tests=_processes(watched))
    return min(division.rate(budget.false_pages_per_month, tests, every_ms=every_ms), 0.5)


def _processes(watched: Watched) -> int:
    """Everything of the model that alarms by the budget: in each window the rules of the columns judged in it, and its pools."""
    windows = {*((spec.name, spec.length_ms) for spec in windows_of(watched.monitor, watched.stream))}
    return sum(
        sum(len(rules.budgeted) for _, _, rules in places_of(watched, *window))
        + sum(pool.decides for pool in pools_of(watched, *window))
        for window in windows
    )
