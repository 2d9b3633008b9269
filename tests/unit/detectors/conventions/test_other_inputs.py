"""The published numbers' formulas on other columns, against scipy and numpy as people write them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import spatial, stats

from detectors.conventions.measure import measure
from detectors.conventions.pair import names_pair, numeric_pair
from detectors.edges import Floats
from detectors.profile import coded

COLUMNS: list[tuple[Floats, Floats]] = [
    (draw.gamma(shape, 3.0, then) - 1.0, draw.gamma(1.2 * shape, 2.5, now))
    for draw, shape, then, now in (
        (np.random.default_rng(1), 0.7, 937, 411),
        (np.random.default_rng(2), 2.0, 5_000, 153),
        (np.random.default_rng(3), 9.0, 300, 4_001),
    )
]


def of_shares(p: Floats, q: Floats) -> float:
    return float(stats.entropy(p, q) + stats.entropy(q, p))


@pytest.mark.parametrize(("then", "now"), COLUMNS)
def test_psi_of_deciles(then: Floats, now: Floats) -> None:
    edges = np.quantile(then, np.arange(1, 10) / 10)
    sides = [np.bincount(np.searchsorted(edges, side, side="right"), minlength=10) / len(side) for side in (then, now)]
    p, q = (np.maximum(side, 1e-4) for side in sides)
    expected = float(((q - p) * np.log(q / p)).sum())
    assert measure(numeric_pair(then, now), "psi", "deciles").value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("then", "now"), COLUMNS)
def test_what_scipy_has(then: Floats, now: Floats) -> None:
    pair = numeric_pair(then, now)
    exact, found = stats.ks_2samp(then, now, method="exact"), measure(pair, "ks")
    assert found.value == pytest.approx(exact.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(exact.pvalue, rel=1e-9, abs=1e-300)
    raw = stats.wasserstein_distance(then, now)
    assert measure(pair, "wasserstein").value == pytest.approx(raw, rel=1e-12)
    assert measure(pair, "wasserstein", "evidently").value == pytest.approx(raw / np.std(then), rel=1e-12)
    assert measure(pair, "cvm").value == pytest.approx(stats.cramervonmises_2samp(then, now).statistic, rel=1e-9)


@pytest.mark.parametrize(
    ("then", "now"), [((51, 30, 9), (40, 12, 33)), ((700, 2, 1, 0), (10, 9, 8, 7)), ((5, 5), (9, 1))]
)
def test_names(then: tuple[int, ...], now: tuple[int, ...]) -> None:
    sides = [[name for name, count in zip("abcd", side, strict=False) for _ in range(count)] for side in (then, now)]
    pair = names_pair(coded(sides[0]), coded(sides[1]))
    counts = np.array([then, now], dtype=np.float64)
    p, q = counts / counts.sum(axis=1, keepdims=True)
    chi = stats.chi2_contingency(counts, correction=False)
    assert measure(pair, "chi2").value == pytest.approx(chi.statistic, rel=1e-12)
    assert measure(pair, "chi2").p_value == pytest.approx(chi.pvalue, rel=1e-9)
    base2 = spatial.distance.jensenshannon(p, q, base=2)
    assert measure(pair, "js", "nannyml").value == pytest.approx(base2, rel=1e-12)
    more = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    assert measure(pair, "psi", "fiddler").value == pytest.approx(of_shares(*more), rel=1e-12)
    assert measure(pair, "psi", "deepchecks").value == pytest.approx(of_shares_floored(p, q), rel=1e-12)


def of_shares_floored(p: Floats, q: Floats) -> float:
    p, q = np.maximum(p, 0.01), np.maximum(q, 0.01)
    return float(((p - q) * np.log(p / q)).sum())
