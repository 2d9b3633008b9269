"""Bad monitors files: each mistake with its line, its key, and what is allowed; all of them at once."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.monitors import load_monitors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "r.json").write_text("{}")
    return tmp_path


def refusal(folder: Path, text: str) -> list[str]:
    """The lines of the error, each without the folder: ``LINE: key: message``."""
    file = folder / "m.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_monitors(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:").replace(str(folder), "DIR") for line in lines]


MODEL = "schema: 1\nmodels:\n  m:\n    reference: r.json\n"


def test_a_wrong_key_is_refused_with_what_is_allowed(folder: Path) -> None:
    text = MODEL + "    timezon: UTC\n    features:\n      temp: {type: numeric, sorce: x}\n"
    assert refusal(folder, text) == [
        "5: models.m.timezon: is not a key here; did you mean 'timezone'? Allowed: pane, windows, step, "
        "lateness, revise_within, no_traffic_after, quota, budget, fixed, charts, reference, references, service, owner, "
        "shadow_of, timezone, prediction, labels, serving, segments, business, features, playbooks, duplicates, skew, "
        "release",
        "7: models.m.features.temp.sorce: is not a key here; did you mean 'source'? Allowed: type, source, "
        "importance, range, unit, description, computation, version, changes, owner, top, hash, reference, "
        "null_threshold, freshness_sla, slow_window, skew, fixed, charts",
    ]


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ("node-7", "gpus: must be a list, not 'node-7'"),
        ("[7]", "gpus.0: must be text, not 7"),
        ("['']", "gpus.0: String should have at least 1 character, not ''"),
        (f"[{'n' * 121}]", f"gpus.0: String should have at most 120 characters, not '{'n' * 56}..."),
    ],
)
def test_hosts_of_gpus_that_are_none_are_refused(folder: Path, hosts: str, said: str) -> None:
    [line] = refusal(folder, MODEL + f"    serving:\n      gpus: {hosts}\n")
    assert line == f"6: models.m.serving.{said}"


@pytest.mark.parametrize(
    ("part", "key", "allowed"),
    [
        ("zzz: 1", "zzz", "schema, defaults, sources, models, route, receivers, times, gpus"),
        ("defaults: {budget: {zzz: 1}}", "defaults.budget.zzz", "false_pages_per_month, fdr"),
        (
            "route: {receiver: a, routes: [{zzz: 1}]}",
            "route.routes.0.zzz",
            "receiver, match, continue, open_wait, update_interval, repeat_interval, active, mute, routes",
        ),
        ("receivers: {a: {zzz: 1}}", "receivers.a.zzz", "pagerduty, slack, alertmanager, email, webhook"),
        ("receivers: {a: {webhook: {url: {zzz: x}}}}", "receivers.a.webhook.url.zzz", "file, env"),
        ("times: {a: {zzz: 1}}", "times.a.zzz", "weekdays, hours, timezone"),
        (
            "sources: {a: {zzz: 1}}",
            "sources.a.zzz",
            "from, owner, description, freshness_sla, null_threshold, slow_window, fixed, charts",
        ),
    ],
)
def test_a_wrong_key_is_refused_anywhere(folder: Path, part: str, key: str, allowed: str) -> None:
    assert refusal(folder, f"{MODEL}{part}\n") == [f"5: {key}: is not a key here. Allowed: {allowed}"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{memory: 1.5}", "gpus.memory: must be less than or equal to 1, not 1.5"),
        ("{memory: 0}", "gpus.memory: must be greater than 0, not 0"),
        ("{temperature: hot}", "gpus.temperature: must be a number, not 'hot'"),
        ("{silent_after: 30s}", "gpus.silent_after: must be at least 1m: GPUs are judged by the minute"),
        (
            "{memroy: 1}",
            "gpus.memroy: is not a key here; did you mean 'memory'? Allowed: memory, temperature, silent_after",
        ),
    ],
)
def test_limits_of_gpus_are_checked(folder: Path, written: str, said: str) -> None:
    assert refusal(folder, f"{MODEL}gpus: {written}\n") == [f"5: {said}"]


def test_no_model_is_called_as_findings_about_gpus_are_filed(folder: Path) -> None:
    assert refusal(folder, MODEL.replace("  m:", "  gpus:")) == [
        "3: models.gpus: is how findings about GPUs are filed; give the model another name"
    ]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("'say \"x\"'", 'say "x"'),
        ("'a\\b'", "a\\b"),
        ('"a\\tb"', "a\tb"),
        ('"a\\x7f"', "a\x7f"),
        ('"a\\u0085"', "a\x85"),
    ],
)
def test_a_name_that_json_escapes(folder: Path, written: str, shown: str) -> None:
    file = folder / "m.yaml"
    file.write_text(MODEL + f"    features:\n      {written}: {{type: numeric}}\n")
    with pytest.raises(ConfigError) as caught:
        load_monitors(file)
    said = f"must hold no double quote, backslash or control character, not {shown!r}"
    [problem] = caught.value.problems
    assert (problem.line, problem.key, problem.message) == (6, f"models.m.features.{shown}", said)
    assert str(problem).isprintable()


def test_a_change_record_of_another_shape(folder: Path) -> None:
    text = MODEL + "    features:\n      f:\n        type: numeric\n        version: 1.10\n        changes:\n"
    text += "          - {at: spring, what: new}\n          - {at: 2026-03-01}\n          - {at: 2026-03-01, what: x, who: y}\n"
    assert refusal(folder, text) == [
        "8: models.m.features.f.version: must be text, not 1.1",
        "10: models.m.features.f.changes.0.at: must be a valid date or datetime, input is too short, not 'spring'",
        "11: models.m.features.f.changes.1.what: is missing",
        "12: models.m.features.f.changes.2.who: is not a key here. Allowed: at, what, by",
    ]


def test_names_may_hold_anything_else(folder: Path) -> None:
    (folder / "m.yaml").write_text(MODEL + "    features:\n      'größe [m] 50% it''s': {type: numeric}\n")
    assert list(load_monitors(folder / "m.yaml").models["m"].features) == ["größe [m] 50% it's"]


def test_a_missing_reference_file(folder: Path) -> None:
    text = "schema: 1\nmodels:\n  m:\n    reference: refs/nope.json\n    references: {'4': four.json}\n"
    assert refusal(folder, text) == [
        "4: models.m.reference: there is no file DIR/refs/nope.json; `driftline reference build` writes one",
        "5: models.m.references.4: there is no file DIR/four.json; `driftline reference build` writes one",
    ]


def test_a_cycle_in_the_sources(folder: Path) -> None:
    text = MODEL + "sources:\n  a: {from: [b]}\n  b: {from: [c]}\n  c: {from: [a]}\n  d: {from: [a]}\n"
    assert refusal(folder, text) == ["6: sources.a.from: sources must not form a cycle: a -> b -> c -> a"]
    assert refusal(folder, MODEL + "sources:\n  a: {from: [a]}\n") == [
        "6: sources.a.from: sources must not form a cycle: a -> a"
    ]


def test_a_name_that_is_not_declared(folder: Path) -> None:
    text = (
        MODEL
        + "    shadow_of: n\n"
        + "    features: {temp: {type: numeric, source: wether}}\n"
        + "sources:\n  weather: {from: [noaa]}\n"
        + "route: {receiver: team, routes: [{mute: nights}]}\n"
    )
    assert refusal(folder, text) == [
        "5: models.m.shadow_of: 'n' is not declared. Declared: m",
        "6: models.m.features.temp.source: 'wether' is not declared; did you mean 'weather'? Declared: weather",
        "8: sources.weather.from.0: 'noaa' is not declared. Declared: weather",
        "9: route.receiver: 'team' is not declared. Declared: none",
        "9: route.routes.0.mute: 'nights' is not declared. Declared: none",
    ]


def test_windows_and_step_are_whole_panes(folder: Path) -> None:
    text = "defaults:\n  windows:\n    day: 24h\n    odd: 90m\n" + MODEL + "    pane: 1h\n    step: 30m\n"
    assert refusal(folder, text) == [
        "4: defaults.windows.odd: 90m is not a whole number of panes of 1h (models.m)",
        "10: models.m.step: 30m is not a whole number of panes of 1h (models.m)",
    ]


@pytest.mark.parametrize("written", ["0", "-5", "0.5"])
@pytest.mark.parametrize("part", ["defaults:\n  quota: {}\n" + MODEL, MODEL + "    quota: {}\n"])
def test_a_quota_under_which_a_model_would_never_be_read_is_refused(folder: Path, part: str, written: str) -> None:
    (said,) = refusal(folder, part.format(written))
    why = "must be at least 1 event a second: below, it would be read for ever too late; leave it out for none"
    assert said.endswith(f"quota: {why}, not {written}")


@pytest.mark.parametrize("name", ["features:day", "skew:day"])
def test_a_window_is_not_called_as_one_of_another_stream(folder: Path, name: str) -> None:
    text = f'defaults:\n  windows:\n    day: 24h\n    "{name}": 48h\n' + MODEL
    (said,) = refusal(folder, text)
    assert said == (
        f"4: defaults.windows.{name}: must not begin with `features:` or `skew:`: so the windows of other streams are called, "
        f"not {name!r}"
    )


def test_values_of_another_kind(folder: Path) -> None:
    text = (
        MODEL
        + "    pane: 0s\n    lateness: soon\n    segments: [a, b, c, d]\n    service: 5\n    duplicates: 1.5\n"
        + '    features:\n      temp: {type: numerc, importance: "0.3", range: 5}\n'
        + "      dewp: [1]\n      humid: {}\n"
    )
    duration = "must be a duration such as 500ms, 30s, 1h or 45d"
    assert refusal(folder, text) == [
        "5: models.m.pane: must be greater than 0, not '0s'",
        f"6: models.m.lateness: {duration}, not 'soon'",
        "7: models.m.segments: must have at most 3 items, not a list of 4",
        "8: models.m.service: must be text, not 5",
        "9: models.m.duplicates: must be less than or equal to 1, not 1.5",
        "11: models.m.features.temp.type: must be 'numeric', 'categorical' or 'embedding', not 'numerc'; "
        "did you mean 'numeric'?",
        "11: models.m.features.temp.importance: must be a number, not '0.3'",
        "11: models.m.features.temp.range: must be a list, not 5",
        "12: models.m.features.dewp: must be a mapping, not a list of 1",
        "13: models.m.features.humid.type: is missing",
    ]


@pytest.mark.parametrize("written", ["0", "-0.1", ".inf", ".nan", "true", "on", "often"])
def test_a_skew_that_nobody_can_promise(folder: Path, written: str) -> None:
    [said] = refusal(folder, MODEL + f"    skew: {written}\n")
    assert said.startswith("5: models.m.skew: must be a PSI above 0, or `off`, not ")


@pytest.mark.parametrize("written", ["23h", "91d"])
def test_a_budget_lasts_for_days_for_which_panes_are_kept(folder: Path, written: str) -> None:
    text = MODEL + f"    serving: {{slo: {{errors: 0.05, period: {written}}}}}\n"
    assert refusal(folder, text) == [f"5: models.m.serving.slo.period: must be from 1d to 90d, not '{written}'"]


def test_what_does_not_hold_together(folder: Path) -> None:
    text = (
        MODEL
        + "    segments: [a, a]\n    timezone: Mars/Olympus\n"
        + "    prediction: {kind: binary, classes: [x, y, z], positive: w}\n"
        + "    features:\n      temp: {type: numeric, range: [3, 1], hash: true}\n"
    )
    assert refusal(folder, text) == [
        "5: models.m.segments.1: 'a' stands twice",
        "6: models.m.timezone: 'Mars/Olympus' is no time zone; one is Europe/Berlin, or UTC",
        "7: models.m.prediction.classes: a binary model has 2 classes, not 3",
        "7: models.m.prediction.positive: 'w' is not declared. Declared: x, y, z",
        "9: models.m.features.temp.range: must be [lowest, highest], the lowest first",
        "9: models.m.features.temp.hash: only a categorical feature can be counted by hash",
    ]


@pytest.mark.parametrize(
    ("prediction", "said"),
    [
        ("{kind: binary, classes: [x, y]}", "positive: is missing; one of x, y"),
        ("{kind: multiclass, classes: [x]}", "classes: a multiclass model needs its classes, at least 2"),
        ("{kind: multiclass, classes: [x, x]}", "classes.1: 'x' stands twice"),
        ("{kind: regression, threshold: 0.5}", "threshold: only a binary model has a threshold"),
    ],
)
def test_predictions_that_make_no_sense(folder: Path, prediction: str, said: str) -> None:
    assert refusal(folder, f"{MODEL}    prediction: {prediction}\n") == [f"5: models.m.prediction.{said}"]


def test_a_key_that_stands_twice(folder: Path) -> None:
    assert refusal(folder, MODEL + "    reference: other.json\n") == [
        "5: models.m.reference: stands twice, first in line 4"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1: must be a mapping, not nothing"]),
        ("- 1\n", ["1: must be a mapping, not a list of 1"]),
        (
            "schema: 2\nmodels: {}\n",
            ["1: schema: must be 1, not 2", "2: models: must have at least 1 items, not a mapping"],
        ),
        (
            "schema: 1\nmodels: {'a:b': {reference: r.json}}\n",
            ["2: models.a:b: must be letters, digits, '.', '_' or '-', at most 100, not 'a:b'"],
        ),
    ],
)
def test_a_file_of_another_shape(folder: Path, text: str, said: list[str]) -> None:
    assert refusal(folder, text) == said


def test_a_secret_in_the_file_is_refused_and_not_repeated(folder: Path) -> None:
    said = refusal(folder, MODEL + "receivers: {a: {slack: {token: xoxb-hunter2, channel: c}}}\n")
    assert said == ["5: receivers.a.slack.token: must be {file: PATH} or {env: VARIABLE}"]
