"""The key ``release`` of a model: what it comes to, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.monitored import ModelMonitor
from schemas.monitors import load_monitors
from schemas.release import ReleaseMonitor
from tests.unit.schemas.test_bad_monitors import MODEL, refusal

WHOLE = """\
    pane: 10m
    release:
      champion: 3
      challenger: "4.10"
      shares: [0.1, 0.5, 1]
      every: 30m
      least: 50
      health: {errors: 0.01, latency_p95: 500ms, rating: 4, drift: 0.1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "r.json").write_text("{}")
    return tmp_path


def loaded(folder: Path, said: str) -> ModelMonitor:
    (folder / "m.yaml").write_text(MODEL + said)
    found = load_monitors(folder / "m.yaml")
    assert found.not_in_force() == []
    return found.models["m"]


def test_everything_said(folder: Path) -> None:
    model = loaded(folder, WHOLE)
    assert model.release == ReleaseMonitor(
        champion="3", challenger="4.10", shares=(0.1, 0.5, 1.0), every_ms=1_800_000, least=50,
        errors=0.01, latency_p95_ms=500, rating=4.0, drift=0.1,
    )  # fmt: skip
    assert ModelMonitor.model_validate_json(model.model_dump_json()) == model


def test_two_versions_are_enough(folder: Path) -> None:
    release = loaded(folder, "    release: {champion: '3', challenger: '4'}\n").release
    assert release == ReleaseMonitor(champion="3", challenger="4")
    assert release.shares == (0.05, 0.1, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(("pane", "every_ms"), [("1h", 3_600_000), ("25m", 4_500_000), ("1d", 86_400_000)])
def test_a_health_window_that_nobody_said_is_the_panes_that_hold_an_hour(
    folder: Path, pane: str, every_ms: int
) -> None:
    said = (
        f"    pane: {pane}\n    step: {pane}\n    windows: {{w: {pane}}}\n    release: {{champion: a, challenger: b}}\n"
    )
    release = loaded(folder, said).release
    assert release is not None
    assert release.every_ms == every_ms


@pytest.mark.parametrize("name", ["a:b", "4|5", "#4", "{m}", " ", "x" * 200, "null", "1e3"])
def test_a_version_may_be_called_as_events_may_call_it(folder: Path, name: str) -> None:
    release = loaded(folder, f'    release: {{champion: 3, challenger: "{name}"}}\n').release
    assert release == ReleaseMonitor(champion="3", challenger=name)


def test_without_the_key_there_is_none(folder: Path) -> None:
    assert loaded(folder, "").release is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{champion: 3, challenger: '3'}", "challenger: '3' is the champion: it must be another version"),
        ("{champion: 3}", "challenger: is missing"),
        ("{champion: 3, challenger: 4.1}", "challenger: must be text, not 4.1"),
        ("{champion: '', challenger: a}", "champion: must have at least 1 items, not ''"),
        ("{champion: a, challenger: b, shares: []}", "shares: must have at least 1 items, not a list of 0"),
        ("{champion: a, challenger: b, shares: [0, 1]}", "shares.0: must be greater than 0, not 0"),
        ("{champion: a, challenger: b, shares: [5, 10]}", "shares.0: must be less than or equal to 1, not 5"),
        (
            "{champion: a, challenger: b, shares: [.1, .1, 1]}",
            "shares.1: 0.1 must be more than the share before it, 0.1",
        ),
        (
            "{champion: a, challenger: b, shares: [.1, .5]}",
            "shares: the last must be 1, not 0.5: a release ends when the challenger answers all",
        ),
        (
            "{champion: a, challenger: b, every: 90s}",
            "every: 90s is not a whole number of panes of 1m",
        ),
        ("{champion: a, challenger: b, least: 0}", "least: must be greater than or equal to 1, not 0"),
        (
            "{champion: a, challenger: b, health: {errors: 0}}",
            "health.errors: must be greater than 0, not 0",
        ),
        ("{champion: a, challenger: b, health: {latency_p95: 0s}}", "health.latency_p95: must be greater than 0, not '0s'"),
        ("{champion: a, challenger: b, health: {rating: -1}}", "health.rating: must be greater than 0, not -1"),
        ("{champion: a, challenger: b, health: {drift: .inf}}", "health.drift: must be a finite number, not inf"),
        (
            "{champion: a, challenger: b, health: {latency: 1s}}",
            "health.latency: is not a key here; did you mean 'latency_p95'? "
            "Allowed: errors, latency_p95, rating, drift",
        ),
        (
            "{champion: a, chalenger: b}",
            "chalenger: is not a key here; did you mean 'challenger'? "
            "Allowed: champion, challenger, shares, every, least, health, ratings",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_release(folder: Path, said: str, message: str) -> None:
    assert f"5: models.m.release.{message}" in refusal(folder, f"{MODEL}    release: {said}\n")
