"""Each convention gives the number that its package gives, to the digits of NUMBERS.md (inputs that need no generator)."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.conventions.measure import measure
from detectors.conventions.pair import names_pair, numeric_pair
from detectors.edges import Floats
from detectors.profile import coded

REFERENCE: Floats = np.asarray(((np.arange(1, 2001) * 0.6180339887498949) % 1) ** 2 * 10)
CURRENT: Floats = np.asarray(((np.arange(1, 1501) * 0.7548776662466927) % 1) ** 1.7 * 11 - 0.5)
NUMBERS = numeric_pair(REFERENCE, CURRENT)
NAMES = names_pair(
    coded(["a"] * 700 + ["b"] * 250 + ["c"] * 49 + ["d"]), coded(["a"] * 330 + ["b"] * 140 + ["c"] * 20 + ["e"] * 10)
)


def test_the_inputs_are_those_of_the_table() -> None:
    assert (REFERENCE.sum(), CURRENT.sum()) == (6666.437795092008, pytest.approx(5355.089638036337, rel=1e-15))


@pytest.mark.parametrize(
    ("statistic", "convention", "value"),
    [
        ("psi", "deciles", 0.11381495826961872),
        ("psi", "evidently", 0.05438623105656659),
        ("psi", "frouros", 0.030990327579232063),
        ("js", "evidently", 0.0816005895861496),
        ("js", "nannyml", 0.34941385866535857),
        ("wasserstein", "driftline", 0.4010813100419752),
        ("wasserstein", "frouros", 0.4010813100419752),
        ("wasserstein", "nannyml", 0.4010813100419752),
        ("wasserstein", "evidently", 0.1345312077922324),
        ("ks", "driftline", 244 / 1500),
        ("ks", "evidently", 244 / 1500),
        ("ks", "deepchecks", 244 / 1500),
    ],
)
def test_a_numeric_column(statistic: str, convention: str, value: float) -> None:
    assert measure(NUMBERS, statistic, convention).value == pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("statistic", "convention", "value"),
    [
        ("psi", "evidently", 0.11508879033409823),
        ("psi", "fiddler", 0.07151629124098978),
        ("psi", "driftline", 0.08385374590486026),
        ("psi", "deepchecks", 0.0145114199616971),
        ("chi2", "driftline", 23.017501704711496),
        ("chi2", "nannyml", 23.017501704711496),
        ("chi2", "frouros", 23.017501704711496),
    ],
)
def test_a_column_of_names(statistic: str, convention: str, value: float) -> None:
    assert measure(NAMES, statistic, convention).value == pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize("convention", ["driftline", "evidently", "frouros"])
def test_the_exact_p_value_of_ks(convention: str) -> None:
    assert measure(NUMBERS, "ks", convention).p_value == pytest.approx(2.998894579744038e-20, rel=1e-12, abs=0)


@pytest.mark.parametrize("convention", ["driftline", "nannyml", "frouros"])
def test_the_p_value_of_chi_squared(convention: str) -> None:
    assert measure(NAMES, "chi2", convention).p_value == pytest.approx(0.00012561079190730618, rel=1e-12, abs=0)
