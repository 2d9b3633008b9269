"""The key ``charts``: what it comes to at each level of the file, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.monitored import ChartsMonitor, ModelMonitor, RiverChart, RollingChart, ShewhartChart
from schemas.monitors import load_monitors
from tests.unit.schemas.test_bad_monitors import MODEL, refusal

LEVELS = """\
schema: 1
defaults:
  charts: {shewhart: {}}
sources:
  weather: {charts: {rolling: {weight: 0.1, width: 4}}}
models:
  plain: {reference: r.json}
  m:
    reference: r.json
    charts:
      river: [{name: adwin, delta: 0.01}, {name: kswin}]
    features:
      temp: {type: numeric, source: weather}
      wind: {type: numeric, source: weather, charts: {}}
      seats: {type: numeric}
"""
RIVER = ChartsMonitor(river=(RiverChart(name="adwin", settings={"delta": 0.01}), RiverChart(name="kswin")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "r.json").write_text("{}")
    return tmp_path


def loaded(folder: Path, text: str) -> dict[str, ModelMonitor]:
    (folder / "m.yaml").write_text(text)
    found = load_monitors(folder / "m.yaml")
    assert found.not_in_force() == []
    return found.models


def test_the_nearest_level_that_says_something_says_all(folder: Path) -> None:
    models = loaded(folder, LEVELS)
    assert models["plain"].charts == ChartsMonitor(shewhart=ShewhartChart(width=3.0))
    assert models["m"].charts == RIVER
    charts = {name: feature.charts for name, feature in models["m"].features.items()}
    assert charts == {
        "temp": ChartsMonitor(rolling=RollingChart(weight=0.1, width=4.0)),
        "wind": ChartsMonitor(),
        "seats": None,
    }
    assert ModelMonitor.model_validate_json(models["m"].model_dump_json()) == models["m"]


def test_where_nothing_is_said_there_are_none(folder: Path) -> None:
    assert loaded(folder, MODEL)["m"].charts == ChartsMonitor()


def test_whole_numbers_and_words_stay_what_they_are_on_their_way(folder: Path) -> None:
    settings = "{name: page_hinkley, min_instances: 12, threshold: 20, mode: up}"
    model = loaded(folder, f"{MODEL}    charts: {{river: [{settings}]}}\n")["m"]
    back = ModelMonitor.model_validate_json(model.model_dump_json()).charts.river[0].settings
    assert back == {"min_instances": 12, "threshold": 20, "mode": "up"}
    assert [type(value) for value in back.values()] == [int, int, str]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "{name: adwinn}",
            "no detector 'adwinn' of river is known; did you mean 'adwin'? "
            "Known: page_hinkley, adwin, kswin, ddm, eddm, hddm_a, hddm_w",
        ),
        (
            "{name: ddm, warm_start: 300}",
            "ddm would wait for 300 values, and is sure to see 256 panes only: set less, such as 128",
        ),
        ("{name: eddm, alpha: 0.9}", "eddm has no setting 'alpha'. Allowed: warm_start, beta"),
        ("{name: adwin, delta: 5}", "adwin: delta is above 0 and at most 1, not 5"),
        ("{name: adwin, clock: 1.5}", "adwin: clock is a whole number, not 1.5"),
        ("{name: page_hinkley, mode: sideways}", "page_hinkley: mode is one of both, up, down, not 'sideways'"),
        (
            "{name: adwin, detla: 5}",
            "adwin has no setting 'detla'; did you mean 'delta'? "
            "Allowed: delta, clock, max_buckets, min_window_length, grace_period",
        ),
        (
            "{name: kswin, window_size: 257}",
            "kswin would wait for 257 values, and is sure to see 256 panes only: set less, such as 128",
        ),
        ("{name: kswin, window_size: 40}", "kswin: window_size is at least twice stat_size, not 40 for 30"),
        ("adwin", "must be a detector's name with its settings, such as {name: adwin, delta: 0.002}"),
        ("{delta: 0.1}", "must be a detector's name with its settings, such as {name: adwin, delta: 0.002}"),
    ],
)
def test_a_detector_that_could_not_be_shown_panes(folder: Path, said: str, message: str) -> None:
    text = f"{MODEL}    charts:\n      river:\n        - {said}\n"
    assert refusal(folder, text) == [f"7: models.m.charts.river.0: {message}"]


def test_a_detector_that_stands_twice(folder: Path) -> None:
    text = f"{MODEL}    charts: {{river: [{{name: adwin}}, {{name: kswin}}, {{name: adwin, delta: 0.1}}]}}\n"
    assert refusal(folder, text) == [
        "5: models.m.charts.river: adwin stands twice, and its alarms could not be told apart: choose one"
    ]


def test_what_else_is_wrong(folder: Path) -> None:
    text = MODEL + "    charts: {shewhart: {width: 10}, rolling: {weight: 1, widht: 3}, cusum: {}}\n"
    text += "    features: {dest: {type: categorical, charts: {shewhart: {}}}}\n"
    assert refusal(folder, text) == [
        "5: models.m.charts.shewhart.width: must be less than 10, not 10",
        "5: models.m.charts.rolling.weight: must be less than 1, not 1",
        "5: models.m.charts.rolling.widht: is not a key here; did you mean 'width'? Allowed: weight, width",
        "5: models.m.charts.cusum: is not a key here. Allowed: shewhart, rolling, river",
    ]
    text = MODEL + "    features: {dest: {type: categorical, charts: {shewhart: {}}}}\n"
    assert refusal(folder, text) == ["5: models.m.features.dest.charts: only a numeric feature has charts"]


def test_a_chart_with_nothing_behind_it_is_wanted_as_it_comes(folder: Path) -> None:
    text = f"{MODEL}    charts:\n      shewhart:\n      rolling:\n"
    assert loaded(folder, text)["m"].charts == ChartsMonitor(
        shewhart=ShewhartChart(width=3.0), rolling=RollingChart(weight=0.05, width=3.0)
    )
