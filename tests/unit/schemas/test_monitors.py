"""A good monitors file: what is merged, inherited, and said to be not in force."""

from datetime import date
from pathlib import Path

import pytest

from schemas.config import Generation, InForce
from schemas.monitored import Change, GpuMonitor
from schemas.monitors import (
    FeatureMonitor,
    ModelMonitor,
    Monitors,
    PredictionMonitor,
    ServingMonitor,
    load_monitors,
)

HOUR, DAY = 3_600_000, 86_400_000

FLIGHTS = """\
schema: 1
defaults:
  pane: 1h
  windows: {day: 24h, week: 168h}
  step: 24h
  lateness: 2h
  revise_within: 45d
  budget: {false_pages_per_month: 1, fdr: 0.05}
  no_traffic_after: 12h
  quota: 2000
sources:
  noaa-feed: {owner: data-platform}
  weather-feed: {from: [noaa-feed], owner: data-platform, freshness_sla: 2h, null_threshold: 0.05,
                 slow_window: 672h, fixed: {psi: 0.25}}
models:
  flight-delay:
    service: flight-api
    owner: ml-flights
    reference: references/january.json
    prediction: {kind: binary, classes: [on_time, delayed], positive: delayed, threshold: 0.5}
    labels: {expect_within: 45d, join: id}
    serving: {from: serving, slo: {errors: 0.05, latency_p95: 500ms, period: 7d}, gpus: [node-7]}
    segments: [origin]
    timezone: America/New_York
    business: {rebooking_rate: {on: labels, alert: {below: 0.9, of: reference}}}
    features:
      temp: {type: numeric, source: weather-feed, importance: 0.31, range: [-40, 130], unit: degF}
      wind_gust: {type: numeric, source: weather-feed, null_threshold: 0.9, owner: ml-flights}
      tailnum: {type: categorical, hash: true, top: 50, reference: rolling}
    playbooks: {model_performance_degradation: {approve: P1}}
  small:
    reference: references/january.json
    pane: 5m
    windows: {hour: 1h}
    step: 1h
route:
  receiver: console
  open_wait: 30s
  routes:
    - {match: ['severity="P0"'], receiver: oncall, open_wait: 0s, continue: true}
    - {match: ['severity="P1"'], receiver: oncall, active: business-hours}
receivers:
  console: {}
  oncall:
    pagerduty: {routing_key: {file: /run/secrets/pagerduty}}
    slack: {token: {env: SLACK_TOKEN}, channel: "#ml"}
    email: {to: [ml@example.org]}
times:
  business-hours: {weekdays: mon-fri, hours: "09:00-18:00", timezone: America/New_York}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "january.json").write_text("{}")
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Monitors:
    (folder / "monitors.yaml").write_text(FLIGHTS)
    return load_monitors(folder / "monitors.yaml")


def test_defaults_are_merged_and_durations_are_milliseconds(loaded: Monitors, folder: Path) -> None:
    model = loaded.models["flight-delay"]
    assert (model.pane_ms, model.windows, model.step_ms) == (HOUR, {"day": DAY, "week": 7 * DAY}, DAY)
    assert (model.lateness_ms, model.revise_within_ms, model.no_traffic_after_ms) == (
        2 * HOUR,
        45 * DAY,
        12 * HOUR,
    )
    assert model.quota == 2000
    assert model.reference == folder / "references" / "january.json"
    assert model.labels.expect_within_ms == 45 * DAY
    assert model.serving == ServingMonitor(
        stream="serving", error_rate=0.05, latency_p95_ms=500, period_ms=7 * DAY, gpus=("node-7",)
    )
    assert model.prediction == PredictionMonitor(
        kind="binary", classes=("on_time", "delayed"), positive="delayed", threshold=0.5
    )
    assert (model.segments, model.timezone, model.service) == (("origin",), "America/New_York", "flight-api")


def test_a_model_overrides_defaults(loaded: Monitors) -> None:
    model = loaded.models["small"]
    assert (model.pane_ms, model.windows, model.step_ms) == (300_000, {"hour": HOUR}, HOUR)
    assert model.lateness_ms == 2 * HOUR
    assert model.prediction == PredictionMonitor(kind="none")


def test_a_feature_inherits_from_its_source_what_it_does_not_say_itself(loaded: Monitors) -> None:
    features = loaded.models["flight-delay"].features
    assert features["temp"] == FeatureMonitor(
        type="numeric",
        source="weather-feed",
        importance=0.31,
        range=(-40.0, 130.0),
        unit="degF",
        owner="data-platform",
        null_threshold=0.05,
        freshness_sla_ms=2 * HOUR,
        slow_window_ms=28 * DAY,
        fixed={"psi": 0.25},
    )
    assert (features["wind_gust"].null_threshold, features["wind_gust"].owner) == (0.9, "ml-flights")
    assert features["tailnum"] == FeatureMonitor(type="categorical", hash=True, top=50, reference="rolling")


METADATA = """\
schema: 1
models:
  m:
    reference: references/january.json
    features:
      speed:
        type: numeric
        description: mean speed over the last hour
        computation: sum(distance) / sum(time), by plane
        version: 3
        changes:
          - {at: 2026-03-01, what: hours of the day in local time}
          - {at: "2026-05-11", what: "knots, not km/h", by: ops-data}
"""


def test_what_people_are_told_of_a_feature_the_newest_change_first(folder: Path) -> None:
    file = folder / "metadata.yaml"
    file.write_text(METADATA)
    monitors = load_monitors(file)
    speed = monitors.models["m"].features["speed"]
    assert (speed.computation, speed.version) == ("sum(distance) / sum(time), by plane", "3")
    assert speed.changes == (
        Change(at=date(2026, 5, 11), what="knots, not km/h", by="ops-data"),
        Change(at=date(2026, 3, 1), what="hours of the day in local time"),
    )
    assert FeatureMonitor.model_validate_json(speed.model_dump_json()) == speed
    assert monitors.not_in_force() == []


def test_sources_are_kept_with_what_they_are_made_of(loaded: Monitors) -> None:
    assert loaded.sources["weather-feed"].upstream == ("noaa-feed",)


def test_keys_of_later_versions_are_said_to_be_not_in_force(loaded: Monitors) -> None:
    assert loaded.not_in_force() == [
        "models.flight-delay.segments",
        "models.flight-delay.business",
        "models.flight-delay.playbooks",
        "route.routes.1.active",
        "receivers.oncall.email",
        "times",
    ]


def test_the_least_file_stands_on_what_is_built_in(folder: Path) -> None:
    (folder / "least.yaml").write_text("schema: 1\nmodels: {m: {reference: references/january.json}}\n")
    assert load_monitors(folder / "least.yaml").models == {
        "m": ModelMonitor(
            pane_ms=60_000,
            windows={"hour": HOUR, "day": DAY},
            step_ms=HOUR,
            lateness_ms=300_000,
            revise_within_ms=7 * DAY,
            no_traffic_after_ms=None,
            reference=folder / "references" / "january.json",
        )
    }


def test_what_was_loaded_travels_as_a_generation(loaded: Monitors) -> None:
    models = {name: InForce(reference="0" * 64, monitor=monitor) for name, monitor in loaded.models.items()}
    generation = Generation(number=1, applied_ms=0, file_sha256=loaded.sha256, models=models)
    assert Generation.from_json(generation.to_json()) == generation


@pytest.mark.parametrize(("of_model", "of_feature", "skew"), [
    ("", "", None), ("0.2", "", 0.2), ("off", "", "off"), ("false", "", "off"), ("", "0.3", 0.3), ("off", "0.3", 0.3),
    ("0.2", "off", "off"),
])  # fmt: skip
def test_a_skew_of_the_model_holds_for_features_that_say_nothing(
    tmp_path: Path, of_model: str, of_feature: str, skew: float | str | None
) -> None:
    (tmp_path / "m.json").write_text("{}", encoding="utf-8")
    file = tmp_path / "monitors.yaml"
    own = f", skew: {of_feature}" if of_feature else ""
    model = f"    skew: {of_model}\n" if of_model else ""
    file.write_text(
        "schema: 1\nmodels:\n  m:\n    reference: m.json\n"
        f"    features: {{temp: {{type: numeric{own}}}}}\n{model}", encoding="utf-8",
    )  # fmt: skip
    assert load_monitors(file).models["m"].features["temp"].skew == skew


def test_limits_of_gpus_are_the_files_or_what_is_built_in(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    file = tmp_path / "m.yaml"
    file.write_text("schema: 1\nmodels:\n  m:\n    reference: r.json\n")
    assert load_monitors(file).gpus == GpuMonitor(memory=0.95, temperature=90.0, silent_after_ms=300_000)
    file.write_text(file.read_text() + "gpus: {memory: 0.98, silent_after: 10m}\n")
    assert load_monitors(file).gpus == GpuMonitor(memory=0.98, temperature=90.0, silent_after_ms=600_000)
