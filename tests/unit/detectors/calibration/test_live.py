"""Calibrated from a stretch of the stream: the level holds, a change within the stretch is noticed, being off hides nothing."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.calibration.calibrate import Window
from detectors.calibration.judge import judge, judge_all
from detectors.calibration.live import calibrate_live, is_quiet
from tests.support.simulated import KINDS, Floats, Kind, edges_for, normal_rows, pane_counts

ROWS = 20


def stretch(random: np.random.Generator, panes: int, *, phi: float) -> Floats:
    found: Floats = normal_rows(random, (1, panes * ROWS), phi=phi)[0]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_windows_without_a_change_alarm_no_more_often_than_stated(kind: Kind, phi: float) -> None:
    """40 shuffled references, 100 panes of the stream each, 50 windows of 500 rows: .05 and three standard errors."""
    random, found = np.random.default_rng(20130105), []
    for _ in range(40):
        reference = kind.of_normal(random.standard_normal(20_000))
        edges = edges_for(kind, reference)
        whole = pane_counts(reference, edges, pane_rows=20_000)[0]
        panes = pane_counts(kind.of_normal(stretch(random, 100, phi=phi)), edges, pane_rows=ROWS)
        test = calibrate_live(whole, panes, Window(25, 500.0), ordered=kind.ordered)
        assert test is not None
        assert test.enough
        rows = kind.of_normal(normal_rows(random, (50, 500), phi=phi))
        windows = pane_counts(rows.ravel(), edges, pane_rows=500)
        found += [one.p for one in judge_all([(test, window) for window in windows]) if one is not None]
    assert len(found) == 2_000
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / 2_000) ** 0.5


def normal(random: np.random.Generator) -> tuple[Floats, Floats]:
    """A reference's counts and its edges, deciles of a normal column."""
    reference = random.standard_normal(20_000)
    edges = edges_for(KINDS[0], reference)
    return pane_counts(reference, edges, pane_rows=20_000)[0].astype(np.float64), edges


def test_a_stretch_that_lies_off_the_reference_does_not_hide_that_windows_do() -> None:
    random = np.random.default_rng(1)
    whole, edges = normal(random)
    rows = stretch(random, 480, phi=0.5)
    on, off = (pane_counts(rows + shift, edges, pane_rows=ROWS) for shift in (0.0, 0.3))
    window = Window(24, 480.0, day=24)
    assert is_quiet(off, window, ordered=True)
    test, as_is = (calibrate_live(whole, panes, window, ordered=True) for panes in (off, on))
    assert test is not None
    assert as_is is not None
    assert test.omnibus.effects.size.sum() == pytest.approx(as_is.omnibus.effects.size.sum(), rel=0.2)
    verdict = judge(test, off[:24].sum(axis=0))
    assert verdict is not None
    assert verdict.p < 1e-3
    assert verdict.shift == pytest.approx(0.3, abs=0.15)


def test_a_change_within_a_stretch_is_noticed_and_honest_stretches_are_quiet() -> None:
    random = np.random.default_rng(2)
    _, edges = normal(random)
    window, quiet, noticed = Window(24, 480.0, day=24), 0, 0
    for _ in range(40):
        rows = stretch(random, 480, phi=0.5)
        quiet += is_quiet(pane_counts(rows, edges, pane_rows=ROWS), window, ordered=True)
        rows[len(rows) // 3 :] += 0.5
        noticed += not is_quiet(pane_counts(rows, edges, pane_rows=ROWS), window, ordered=True)
    assert quiet >= 38
    assert noticed >= 34


def test_rows_of_the_reference_are_taken_for_as_alike_as_the_stream_s() -> None:
    random = np.random.default_rng(3)
    whole, edges = normal(random)
    panes = pane_counts(stretch(random, 400, phi=0.9), edges, pane_rows=ROWS)
    small, large = (calibrate_live(whole * k, panes, Window(20, 400.0), ordered=True) for k in (0.01, 1.0))
    assert small is not None
    assert large is not None
    assert small.location is not None
    assert large.location is not None
    # An autocorrelation of .9 makes one of nineteen rows: the reference's mean has the variance of so many fewer.
    assert (small.scale.rows, large.scale.rows) == (200.0, 20_000.0)
    found = large.location.size * large.location.in_reference
    assert found.tolist() == pytest.approx([19.0], rel=0.5)
    assert small.location.size.tolist() == pytest.approx(large.location.size.tolist(), rel=0.05)


def test_of_one_bin_or_of_an_empty_stretch_there_is_no_test() -> None:
    window = Window(1, 100.0)
    assert calibrate_live([100, 0], np.ones((40, 2)), window, ordered=True) is None
    assert calibrate_live([50, 50], np.zeros((40, 2)), window, ordered=True) is None
    assert is_quiet(np.zeros((40, 2)), window, ordered=False)
