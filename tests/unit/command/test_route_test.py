"""`driftline route test` on a monitors file: routes, what is filled in, what is refused, and exit codes for a pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import Ended, driftline
from tests.support.models import ample

MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 24h}
sources:
  weather: {owner: data}
models:
  m:
    reference: m.json
    owner: ml
    features:
      temp: {type: numeric, source: weather}
      fare: {type: numeric}
receivers:
  console: {}
  pager: {pagerduty: {routing_key: {file: /there/is/none}}}
  team: {slack: {token: {env: NO_TOKEN}, channel: "#ml"}}
route:
  receiver: console
  routes:
    - {match: ['severity="P0"'], receiver: pager, continue: true}
    - {match: ['severity=~"P0|P1"'], receiver: team, repeat_interval: 4h, routes: [{match: ['kind="latency"'], open_wait: 5m}]}
    - {match: ['owner="data"'], receiver: team}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "m.json").write_bytes(ample().to_json())
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    return tmp_path / "monitors.yaml"


def route_test(file: Path, *arguments: str) -> Ended:
    return driftline("route", "test", *arguments, "--monitors", str(file))


def said(ended: Ended) -> str:
    return " ".join(ended.err.replace("│", " ").split())


def test_who_would_be_told_and_when(file: Path) -> None:
    ended = route_test(file, "severity=P0", "feature=temp")

    assert (ended.code, ended.err) == (0, "")
    assert [" ".join(line.split()) for line in ended.out.splitlines()] == [
        f"tried on {file}",
        'finding: severity="P0" model="m" feature="temp" source="weather" kind="drift" class="data" rule="drift" '
        'window="day" owner="data" subject="feature:m/temp"',
        'route: severity="P0" -> pager; waits 0s, no repeat',
        'route: severity=~"P0|P1" -> team; waits 0s, repeated every 4h',
        "incident: begins one of its own",
        "receiver address kind is told",
        "pager pagerduty:(key of pager) pagerduty yes, at once",
        "team slack:#ml slack yes, at once",
    ]


def test_as_json(file: Path) -> None:
    found = route_test(file, "severity=P1", "rule=latency", "--json").json

    assert found["routes"] == [
        {
            "receiver": "team",
            "matchers": ['severity=~"P0|P1"', 'kind="latency"'],
            "wait_ms": 300_000,
            "repeat_ms": 14_400_000,
        }
    ]
    assert {name: found["labels"][name] for name in ("kind", "class", "subject", "owner")} == {
        "kind": "latency", "class": "serving", "subject": "model:m", "owner": "ml",
    }  # fmt: skip
    assert [(one["receiver"], one["address"], one["verdict"]) for one in found["told"]] == [
        ("team", "slack:#ml", "opens")
    ]
    assert (found["incident"]["begins"], found["silences"], found["expected"]) == (True, [], None)


def test_what_only_the_console_shows(file: Path) -> None:
    ended = route_test(file, "severity=P2", "feature=fare")

    assert ended.out.splitlines()[-1] == "nobody is told: only the console shows it"
    assert 'owner="ml"' in ended.out


@pytest.mark.parametrize(("expected", "code"), [("pager,team", 0), ("team, pager", 0), ("team", 1), ("console", 1)])
def test_a_pipeline_is_stopped_where_others_are_told(file: Path, expected: str, code: int) -> None:
    ended = route_test(file, "severity=P0", "--expect", expected)

    assert ended.code == code
    assert ended.err == (f"expected {expected}: it is routed to pager, team\n" if code else "")
    found = driftline("route", "test", "severity=P0", "--expect", expected, "--monitors", str(file), "--json")
    assert f'"expected": {"false" if code else "true"}' in found.out
    assert found.code == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feature=temp",), "severity=… is missing: every finding has one of P0, P1, P2, P3"),
        (("severity=P9",), "severity=P9 is none of P0, P1, P2, P3"),
        (("sevrity=P1",), "no finding has the label 'sevrity'; did you mean 'severity'?"),
        (("severity=P1", "severity=P2"), "severity is given twice"),
        (("severity",), "'severity' is no LABEL=VALUE, such as severity=P1"),
        (('severity=~"P1"',), "is no LABEL=VALUE"),
        (("severity!=P1",), "is no LABEL=VALUE"),
        (("severity=P1", "class=data"), "class follows from kind"),
        (("severity=P1", "model=n"), "no model is called 'n'; there are m"),
        (("severity=P1", "feature=tmp"), "model 'm' has no feature 'tmp'; did you mean 'temp'?; there are fare, temp"),
        (("severity=P1", "source=wether"), "no source is called 'wether'; did you mean 'weather'?"),
        (("severity=P1", "kind=dirft"), "kind=dirft is none of drift, missing,"),
        (("severity=P1", "model=gpus"), "subject=… is missing: what is found of GPUs is about gpu:HOST/INDEX"),
        (
            ("severity=P1", "--expect", "nobody"),
            "--expect 'nobody': nobody is no receiver; there are console, pager, team",
        ),
        (("severity=P1", "--expect", ","), "--expect ',': nobody is no receiver"),
        (("severity=P1", "--onset", "soon"), "must be a duration such as"),
    ],
)
def test_wrong_use_says_what_is_allowed(file: Path, arguments: tuple[str, ...], words: str) -> None:
    ended = route_test(file, *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert words in said(ended)


def test_a_file_with_a_problem_is_refused_as_apply_does(file: Path) -> None:
    file.write_text(MONITORS.replace('owner="data"', 'ownr="data"'))
    ended = route_test(file, "severity=P1")

    assert (ended.code, ended.out) == (2, "")
    assert f"{file}:21: route.routes.2.match.0: 'ownr' is no label of a finding" in ended.err
