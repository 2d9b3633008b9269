"""The demo's model is the same on every machine, and ages over the year as its numbers say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from detectors.profile import numeric_profile
from detectors.psi import deciles_numeric
from stream.local.model import DIGITS, Floats

MONTHS = (1, 2, 7, 9, 12)


@pytest.fixture(scope="module")
def scored(flights: pd.DataFrame, scores: Floats) -> Any:
    return flights.assign(score=scores)


@pytest.fixture(scope="module")
def labelled(scored: Any) -> Any:
    return dict(list(scored[scored["outcome"].notna()].groupby("month")))


def test_every_flight_has_a_probability_of_six_digits(scored: Any) -> None:
    assert scored["score"].between(0.0, 1.0, inclusive="neither").all()
    assert (scored["score"] == scored["score"].round(DIGITS)).all()


def test_mean_score_follows_the_weather_and_not_the_delays(labelled: Any) -> None:
    means = [labelled[month]["score"].mean() for month in MONTHS]
    assert means == pytest.approx([0.234, 0.268, 0.060, 0.089, 0.224], abs=6e-4)


def test_ranking_in_july_is_as_good_as_in_january(labelled: Any) -> None:
    areas = [roc_auc_score(labelled[month]["outcome"], labelled[month]["score"]) for month in MONTHS]
    assert areas == pytest.approx([0.674, 0.626, 0.671, 0.595, 0.672], abs=6e-4)


def test_score_psi_is_huge_in_summer_and_nothing_in_december(labelled: Any) -> None:
    january = numeric_profile(labelled[1]["score"].to_numpy(), None)
    found = [_psi(january, labelled[month]["score"].to_numpy()) for month in MONTHS]
    assert found == pytest.approx([0.0, 0.097, 3.367, 1.952, 0.013], abs=6e-4)


def _psi(january: Any, scores: Any) -> float | None:
    bins = np.searchsorted(january.edges, scores, side="right")
    return deciles_numeric(january, np.bincount(bins, minlength=len(january.counts)))
