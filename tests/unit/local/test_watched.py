"""January's reference counts January's flights, and the monitors file beside it can be applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schemas.monitors import load_monitors
from schemas.reference import CategoricalProfile, NumericProfile, Reference
from stream.local.flights import FEATURES
from stream.local.model import Floats
from stream.local.watched import MODEL, january, write_watched

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def reference(flights: pd.DataFrame, scores: Floats) -> Reference:
    return january(flights, scores)


def numeric(profile: Any) -> NumericProfile:
    assert isinstance(profile, NumericProfile)
    return profile


def names(profile: Any) -> CategoricalProfile:
    assert isinstance(profile, CategoricalProfile)
    return profile


def test_every_flight_of_january_is_in_it(reference: Reference) -> None:
    assert reference.rows == 27_004
    assert set(reference.features) == set(FEATURES)
    assert numeric(reference.score).rows == 27_004


def test_outcomes_are_classes_and_missing_where_none_arrived(reference: Reference) -> None:
    outcomes = names(reference.outcomes)
    assert outcomes.categories == ("on_time", "delayed")
    assert (outcomes.counts, outcomes.missing) == ((20_397, 6_001), 606)


def test_missing_weather_and_planes_are_missing(reference: Reference) -> None:
    assert numeric(reference.features["wind_gust"]).missing > 20_000
    assert numeric(reference.features["temp"]).missing < 100
    assert names(reference.features["tailnum"]).missing == 155
    assert names(reference.features["origin"]).counts == (9_893, 9_161, 7_950)


def test_panes_are_the_hours_of_january_in_new_york(reference: Reference) -> None:
    assert reference.pane_starts is not None
    first, last = reference.pane_starts[0], reference.pane_starts[-1]
    assert (first, last) == (1357034400000, 1359691200000)  # 05:00 on the first to 23:00 on the last, local
    assert len(reference.pane_starts) == (last - first) // HOUR_MS + 1


def test_what_is_written_can_be_loaded(reference: Reference, tmp_path: Path) -> None:
    monitors = load_monitors(write_watched(tmp_path, reference))
    watched = monitors.models[MODEL]
    assert Reference.from_json(watched.reference.read_bytes()).hash == reference.hash
    assert (watched.pane_ms, watched.lateness_ms) == (HOUR_MS, 2 * HOUR_MS)
    assert {name: feature.type for name, feature in watched.features.items()} == {
        name: profile_type(profile) for name, profile in reference.features.items()
    }
    assert monitors.not_in_force() == []


def profile_type(profile: object) -> str:
    return "numeric" if isinstance(profile, NumericProfile) else "categorical"
