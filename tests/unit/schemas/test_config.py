"""The configuration in force survives its own JSON, and one that cannot be followed says where."""

from pathlib import Path

import pytest

from schemas.config import Generation, InForce
from schemas.errors import StoreError
from schemas.monitors import FeatureMonitor, ModelMonitor, PredictionMonitor

MONITOR = ModelMonitor(
    pane_ms=3_600_000,
    windows={"day": 86_400_000},
    step_ms=86_400_000,
    lateness_ms=7_200_000,
    revise_within_ms=3_888_000_000,
    reference=Path("/srv/references/flights.json"),
    prediction=PredictionMonitor(kind="binary", classes=("on_time", "delayed"), positive="delayed", threshold=0.5),
    features={"temp": FeatureMonitor(type="numeric", range=(-40.0, 130.0), fixed={"psi": 0.25})},
)
GENERATION = Generation(
    number=7,
    applied_ms=1357035300000,
    file_sha256="ab" * 32,
    models={"m": InForce(reference="0" * 64, monitor=MONITOR, from_ms=3_600_000, previous=("1" * 64, MONITOR))},
)


def test_a_generation_comes_back_equal() -> None:
    assert Generation.from_json(GENERATION.to_json()) == GENERATION


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (
            GENERATION.to_json().replace(b'"pane_ms"', b'"pane_us"'),
            "models.m.monitor.pane_ms: Field required",
        ),
        (GENERATION.to_json()[:-1], "document: Invalid JSON"),
        (GENERATION.to_json().replace(b'"number":7', b'"number":0'), "number: Input should be greater"),
    ],
)
def test_a_document_that_cannot_be_followed_says_where(document: bytes, place: str) -> None:
    with pytest.raises(StoreError, match=f"^the stored configuration cannot be followed: {place}"):
        Generation.from_json(document)
