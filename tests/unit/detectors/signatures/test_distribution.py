"""The reference as a law that can be moved, and the window's cells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.profile import numeric_profile
from detectors.signatures.cells import cells_of
from detectors.signatures.distribution import distribution_of, lattice_of, moved
from detectors.signatures.scores import scene_of
from tests.support.caused import ALL, DISTRIBUTIONS, reference, window_of


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_unmoved_it_is_the_reference_bin_by_bin(name: str) -> None:
    values, profile = reference(name, 1)
    cells = cells_of(profile, window_of(values, profile))
    found = moved(distribution_of(profile), cells, scale=np.ones(1), shift=np.zeros(1))[0]
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    if name != "counts":  # where a bin between atoms may begin at no whole number
        assert found == pytest.approx(cells.counts / len(values), abs=1e-12)


@pytest.mark.parametrize(("scale", "shift"), [(1.8, 32.0), (-1.0, 0.0), (100.0, 0.0), (1.0, 5.0), (0.5, -3.0)])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_moved_it_is_what_the_values_become(name: str, scale: float, shift: float) -> None:
    values, profile = reference(name, 1)
    cells = cells_of(profile, window_of(scale * values + shift, profile))
    found = moved(distribution_of(profile), cells, scale=np.array([scale]), shift=np.array([shift]))[0]
    assert np.abs(found - cells.counts / len(values)).sum() < 0.035


@pytest.mark.parametrize(
    ("law", "least"), [(stats.norm(), 2.05), (stats.t(3), 3.5), (stats.expon(), 3.9), (stats.uniform(), 0.98)]
)
def test_tails_follow_their_law(law: object, least: float) -> None:
    values = law.ppf((np.arange(20_000) + 0.5) / 20_000)  # type: ignore[attr-defined]
    of = distribution_of(numeric_profile(values, None))
    for level in (0.985, 0.99, 0.995, 0.998):
        assert of.quantiles(np.array([level]))[0] == pytest.approx(law.ppf(level), rel=0.06)  # type: ignore[attr-defined]
    assert law.ppf(0.985) > least  # type: ignore[attr-defined]


def test_values_on_a_lattice_are_points_and_others_are_not() -> None:
    steps = {name: lattice_of(reference(name, 1)[1]) for name in ALL}
    found = {name: float(points[1] - points[0]) for name, points in steps.items() if points is not None}
    assert found == {"counts": 1.0, "rounded": 0.5, "year": 1.0}


def test_the_least_and_the_greatest_value_are_bounds_and_no_value_lies_beyond() -> None:
    _, profile = reference("gamma", 1)
    values = np.linspace(2.0, 5.0, 100)
    cells = cells_of(profile, window_of(values, profile))
    assert (np.diff(cells.bounds) > 0).all()
    assert {2.0, float(np.nextafter(5.0, 9.0))} <= set(cells.bounds.tolist())
    held = np.flatnonzero(cells.counts)
    assert (cells.bounds[held[0]], cells.bounds[held[-1] + 1]) == (2.0, np.nextafter(5.0, 9.0))
    assert cells.rows == 100


@pytest.mark.parametrize("rows", [100, 300, 2_000])
def test_chance_is_what_windows_without_drift_differ_by(rows: int) -> None:
    """A little less: the bounds at a window's ends are drawn with it."""
    _, profile = reference("gamma", 1)
    random = np.random.default_rng(1)
    windows = [window_of(DISTRIBUTIONS["gamma"](random, rows), profile) for _ in range(60)]
    scenes = [scene_of(profile, cells_of(profile, window)) for window in windows]
    ratio = np.mean([scene.base / scene.chance(scene.unmoved) for scene in scenes])
    assert 0.8 < ratio < 1.05
