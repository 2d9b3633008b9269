"""The calibrated test of a model's columns, for windows of one length: made from the reference's own panes, and what it says.

Pure.  A test is made for windows of a length and of about as many events (a power of two), as bins are folded so that each
expects five rows.  It takes milliseconds a column, so it is made beside the event loop and kept (:attr:`Watched.calibrated`).
Where the reference's panes do not do, live ones are asked (:mod:`stream.evaluate.calibration.live_calibration`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.budget.limits import WindowLimits, window_limits
from detectors.calibration.calibrate import Calibration, Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import Verdict, judge_folded, judge_stacked
from detectors.calibration.seasonal import Rhythm
from detectors.calibration.stacked import Stacked, stacked
from detectors.profile import pane_matrix
from schemas.reference import NumericProfile
from schemas.reports import Measure
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.live_calibration import NOTHING, Live, live_test
from stream.evaluate.calibration.quality_limits import QualityLimits, quality_limits
from stream.evaluate.calibration.rhythms import Rhythms, rhythms_of, seasonal_test
from stream.evaluate.columns.rules import ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.panes.tiers import rows_a_day

Ints = NDArray[np.int64]

CONVENTION, LIVE, SEASONAL = "calibrated", "calibrated live", "calibrated by hour of week"


@dataclass(frozen=True, eq=False, slots=True)
class Calibrated:
    """Tests side by side.  ``held``: the held column of each; ``bins``: which of the yardstick's folded bins are theirs.

    ``quality``: what the reference allows of missing, unseen … values.
    """

    stacked: Stacked | None
    held: tuple[int, ...]
    bins: Ints
    limits: tuple[WindowLimits | None, ...]
    enough: tuple[bool, ...]
    live: tuple[bool, ...]
    rhythms: Rhythms | None
    quality: QualityLimits


@dataclass(frozen=True, slots=True)
class Said:
    """What the test says of one column; ``limits`` where it decides, ``enough`` False where its reference is too short to.

    ``live``: it is calibrated by live panes.
    """

    verdict: Verdict
    limits: WindowLimits | None
    enough: bool
    live: bool = False
    seasonal: bool = False

    @property
    def convention(self) -> str:
        return LIVE if self.live else SEASONAL if self.seasonal else CONVENTION


@dataclass(frozen=True, eq=False, slots=True)
class _Made:
    place: Place
    rules: ColumnRules
    calibration: Calibration
    live: bool
    rhythm: Rhythm | None


def key_of(length_ms: int, events: int) -> tuple[int, int]:
    """What tests are kept under: the length of a window, and the power of two at or below its events.

    >>> key_of(3_600_000, 1000)
    (3600000, 512)
    """
    return length_ms, 1 << max(0, events.bit_length() - 1)


def is_known(watched: Watched, key: tuple[int, int], live: Live) -> bool:
    """Whether the tests for a key are known."""
    return (key, live.stretches) in watched.calibrated


def known_calibration(watched: Watched, key: tuple[int, int], live: Live = NOTHING) -> Calibrated:
    """The tests for a key, made where they are not known yet: then ``live`` must have its rows."""
    known: Calibrated | None = watched.calibrated.get((key, live.stretches))
    if known is None:
        known = watched.calibrated[key, live.stretches] = calibration_of(watched, key, live)
    return known


def calibration_of(watched: Watched, key: tuple[int, int], live: Live = NOTHING) -> Calibrated:
    """The tests for a key, of columns that can have one: by the reference's own panes, or where these do not do by live ones."""
    made = list(_made(watched, key, live))
    tests = stacked([one.calibration for one in made]) if made else None
    return Calibrated(
        stacked=tests,
        held=tuple(one.place.held for one in made),
        bins=np.concatenate([np.zeros(0, np.int64), *(bins_in(watched, one.place) for one in made)]),
        limits=tuple(_limits(watched, one.rules, one.calibration, length_ms=key[0]) for one in made),
        enough=tuple(one.calibration.enough for one in made),
        live=tuple(one.live for one in made),
        rhythms=None if tests is None else rhythms_of(tests, [one.rhythm for one in made]),
        quality=quality_limits(watched, *key),
    )


def said_of(tests: Calibrated, folded: Ints, *, hour: float = 0.0) -> Mapping[int, Said]:
    """What each test says of a window, by held column; ``folded``: its counts in the yardstick's folded bins.

    :param hour: of the week, at which it begins.
    """
    if tests.stacked is None:
        return {}
    if tests.rhythms is not None:
        return _said_by_hour(
            tests, tests.stacked, tests.rhythms, window=tests.stacked.folded(folded[tests.bins]), hour=hour
        )
    verdicts = judge_stacked(tests.stacked, folded[tests.bins])
    each = zip(tests.held, verdicts, tests.limits, tests.enough, tests.live, strict=True)
    return {held: Said(said, limits, enough, live) for held, said, limits, enough, live in each if said is not None}


def _said_by_hour(
    tests: Calibrated, side_by_side: Stacked, rhythms: Rhythms, *, window: NDArray[np.float64], hour: float
) -> Mapping[int, Said]:
    """The same where columns have a rhythm: what PSI comes to with no drift has its distance in it."""
    verdicts = judge_folded(side_by_side, rhythms.flattened(side_by_side, window, hour))
    found, distances = {}, rhythms.distances(hour)
    for at, (verdict, distance) in enumerate(zip(verdicts, distances, strict=True)):
        if verdict is not None:
            said = replace(verdict, expected_psi=verdict.expected_psi + distance)
            found[tests.held[at]] = Said(said, tests.limits[at], tests.enough[at], tests.live[at], distance > 0.0)
    return found


def with_calibrated(measures: dict[str, Measure], said: Said) -> dict[str, Measure]:
    """The measures of a column with the calibrated verdict beside them, and what PSI comes to with no drift."""
    verdict, limits = said.verdict, said.limits if said.enough else None
    psi = msgspec.structs.replace(measures["psi"], expected=verdict.expected_psi)
    if limits is not None:  # the rule of thumb decided until now, if any
        psi = msgspec.structs.replace(psi, threshold=None, exceeded=False)
    found = {**measures, "psi": psi}
    found["drift"] = Measure(
        verdict.p_omnibus,
        said.convention,
        p_value=verdict.p,
        threshold=None if limits is None else limits.omnibus,
        exceeded=limits is not None and verdict.p_omnibus < limits.omnibus,
    )
    if verdict.shift is not None:
        found["shift"] = _shift(verdict, limits, convention=said.convention)
    return found


def _shift(verdict: Verdict, limits: WindowLimits | None, *, convention: str) -> Measure:
    """In sd of a normal feature, upwards or downwards; the limit is of its size."""
    if limits is None or limits.errors is None or verdict.error is None:
        return Measure(verdict.shift, convention, p_value=verdict.p_location)
    limit = limits.errors * verdict.error
    return Measure(
        verdict.shift, convention, p_value=verdict.p_location, threshold=limit, exceeded=limits.shifted(verdict)
    )


def _made(watched: Watched, key: tuple[int, int], live: Live) -> Iterator[_Made]:
    length_ms, events = key
    for place, rules in zip(watched.yardstick.places, watched.rules, strict=True):
        if place.held != NOT_HELD:
            values = events * watched.yardstick.values_of(place) / max(watched.reference.rows, 1)
            own, rhythm = _own(watched, place, length_ms=length_ms, values=values)
            rows, stream = live.of(place.held), None
            if rows is not None and (own is None or not own.enough):
                stream = live_test(watched, place, rows, window_ms=length_ms, values=values)
            calibration = stream or own
            if calibration is not None:
                yield _Made(place, rules, calibration, stream is not None, rhythm if stream is None else None)


def window_in(length_ms: int, pane_ms: int, rows: float) -> Window:
    """Windows of a length in panes of the reference, of so many rows."""
    return Window(length_ms // pane_ms, rows, day=rows_a_day(pane_ms))


def _own(watched: Watched, place: Place, *, length_ms: int, values: float) -> tuple[Calibration | None, Rhythm | None]:
    """By the reference's own panes, where they make up windows of that length: of the same hours of the week, or of all."""
    pane_ms, profile = watched.reference.pane_ms, watched.yardstick.profiles[place.held]
    if pane_ms is None or length_ms % pane_ms:
        return None, None
    counts, window = folded_panes(watched, place), window_in(length_ms, pane_ms, values)
    plain = (calibrate_ordered if isinstance(profile, NumericProfile) else calibrate_named)(counts, window)
    seasonal = seasonal_test(watched, place, counts, plain=plain, window=window)
    return (plain, None) if seasonal is None else (seasonal.calibration, seasonal.rhythm)


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
    return np.arange(len(watched.yardstick.folded))[watched.yardstick.bins_in(place)]


def _limits(watched: Watched, rules: ColumnRules, calibration: Calibration, *, length_ms: int) -> WindowLimits | None:
    """What the budget allows where it decides about a column."""
    if watched.monitor.budget is None or not rules.budgeted:
        return None
    return window_limits(
        calibration,
        rate_of(watched, every_ms=watched.monitor.step_ms),
        judgements=max(1.0, length_ms / watched.monitor.step_ms),
    )
