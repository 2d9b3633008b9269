"""The published months of the flights' model: ours is another recipe in the folds of its January, so here theirs is repeated.

One logistic regression of schedule, weather and plane, trained on January.  January's own figures are out of fold: scikit-learn's
usual five folds, which hold each class apart in time order, where the demo's are stretches of days.
A recipe moves the third digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from detectors.profile import numeric_profile
from detectors.psi import deciles_numeric
from stream.local.model import Floats, pipeline

#: By month: labelled, true rate, mean p, AUC, PSI of the score against January's.
PUBLISHED = {
    1: (26_398, 0.227, 0.229, 0.626, 0.0),
    2: (23_611, 0.229, 0.267, 0.628, 0.188),
    7: (28_293, 0.315, 0.062, 0.675, 3.078),
    9: (27_010, 0.132, 0.090, 0.599, 1.733),
    12: (27_020, 0.326, 0.224, 0.670, 0.060),
}
#: With the demo's own columns.
FOUND = {
    1: (26_398, 0.227, 0.228, 0.627, 0.0),
    2: (23_611, 0.229, 0.268, 0.626, 0.195),
    7: (28_293, 0.315, 0.060, 0.671, 2.978),
    9: (27_010, 0.132, 0.089, 0.595, 1.662),
    12: (27_020, 0.326, 0.224, 0.672, 0.070),
}


def test_the_published_months_of_the_model(flights: Any, scores: Floats) -> None:
    known = flights["outcome"].notna().to_numpy()
    months, p = flights["month"][known], scores[known].copy()
    labelled = flights[known]
    first = (months == 1).to_numpy()
    january = labelled[first]
    folds = cross_val_predict(pipeline(), january, january["outcome"], cv=5, method="predict_proba")
    p[first] = folds[:, 1]
    profile = numeric_profile(p[first], None)
    found = {month: _figures(labelled, p, (months == month).to_numpy(), profile=profile) for month in PUBLISHED}
    for month, figures in found.items():
        assert figures == pytest.approx(FOUND[month], abs=6e-4), month
        assert figures[:4] == pytest.approx(PUBLISHED[month][:4], abs=5e-3), month
        assert figures[4] == pytest.approx(PUBLISHED[month][4], rel=0.05, abs=0.011), month


def _figures(labelled: Any, p: Floats, month: Any, *, profile: Any) -> tuple[float, ...]:
    outcome, score = labelled["outcome"][month], p[month]
    bins = np.searchsorted(profile.edges, score, side="right")
    psi = deciles_numeric(profile, np.bincount(bins, minlength=len(profile.counts)))
    return len(score), outcome.mean(), score.mean(), roc_auc_score(outcome, score), psi or 0.0
