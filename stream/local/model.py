"""The model whose flights the demo watches: one logistic regression, trained on January, frozen for the year.

It says how probable it is that a flight arrives more than 15 minutes late, from schedule, weather and plane.
January's own scores are out of fold, so that the reference is what the model does on rows it has not seen.
The folds are stretches of days, as the rows of one day share their weather: rows dealt by turns would flatter
the model (AUC .71 for .67). Nothing is drawn at random: the same files give the same scores.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from stream.local.flights import NUMERIC

#: Gusts are missing four times in five, and a direction in degrees is not a quantity.
QUANTITIES = tuple(name for name in NUMERIC if name not in ("wind_gust", "wind_dir"))
CATEGORIES = ("carrier", "origin", "dest")  # tail numbers are names of planes, not a property to learn
TRAINED_ON = 1  # the month
FOLDS = 5
DIGITS = 6  # of a score; enough for every decile, and short to send

Floats = NDArray[np.float64]


def scores_of(flights: pd.DataFrame) -> Floats:
    """The probability of a late arrival of every flight of `load_flights`, to six digits."""
    january = (flights["month"] == TRAINED_ON).to_numpy()
    scores = np.empty(len(flights))
    scores[january] = _out_of_fold(flights[january])
    scores[~january] = _probability(_trained(flights[january]), flights[~january])
    return scores.round(DIGITS)


def _out_of_fold(flights: pd.DataFrame) -> Floats:
    """Each fifth of the month, scored by a model of the other four."""
    scores = np.empty(len(flights))
    fifth = np.arange(len(flights)) * FOLDS // len(flights)
    for fold in range(FOLDS):
        scores[fifth == fold] = _probability(_trained(flights[fifth != fold]), flights[fifth == fold])
    return scores


def _trained(flights: pd.DataFrame) -> Pipeline:
    """A model of the flights whose outcome is known."""
    known = flights[flights["outcome"].notna()]
    return pipeline().fit(known, known["outcome"])


def pipeline() -> Pipeline:
    """Medians for what is missing, unit variance, a column per category; an unknown category is no column."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("numbers", numbers, list(QUANTITIES)), ("names", names, list(CATEGORIES))])
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def _probability(model: Pipeline, flights: pd.DataFrame) -> Floats:
    found: Floats = model.predict_proba(flights)[:, 1]
    return found
