"""`driftline check-config` on routes and receivers: what no finding can ever reach, and secrets that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.evaluate.columns.rules import undecided
from stream.state.applying import DECIDING
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
    features:
      temp: {type: numeric, source: weather}
receivers:
  console: {}
  pager: {pagerduty: {routing_key: {file: KEY_FILE}}}
  team: {slack: {token: {env: TEAM_TOKEN}, channel: "#ml"}}
route:
  receiver: console
  routes:
    - {match: ['severity="P0"'], receiver: console, continue: true}
"""


def check(folder: Path, *routes: str, token: str = "xoxb-1", key: str = "k" * 32) -> Ended:
    """Check a file with these routes; an empty token or key is one that is not there."""
    (folder / "m.json").write_bytes(ample().to_json())
    if key:
        (folder / "key").write_text(key)
    monitors = folder / "monitors.yaml"
    monitors.write_text(MONITORS.replace("KEY_FILE", str(folder / "key")) + "".join(f"    - {one}\n" for one in routes))
    return driftline("check-config", str(monitors), env={"TEAM_TOKEN": token} if token else {})


def test_routes_that_can_be_reached_are_no_problem(tmp_path: Path) -> None:
    ended = check(
        tmp_path,
        "{match: ['severity=\"P0\"', 'kind!=\"drift\"'], receiver: pager, continue: true}",
        "{match: ['severity=\"P0\"'], receiver: team}",
        "{match: ['feature=~\"te.*\"', 'owner=data'], receiver: team}",
        "{match: ['rule=\"psi\"'], receiver: team}",
    )

    assert (ended.code, ended.err) == (0, "")
    assert "warning" not in ended.out


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (
            "{match: ['severity=\"P9\"']}",
            'can never match: no finding fulfils severity="P9" (severity is one of P0, P1, P2, P3)',
        ),
        ("{match: ['model=\"n\"']}", 'can never match: no finding fulfils model="n" (model is one of m)'),
        ("{match: ['rule=\"psi\"', 'rule=\"ks\"']}", 'can never match: no finding fulfils rule="psi" and rule="ks"'),
        (
            "{match: ['feature=~\"hum.*\"']}",
            'can never match: no finding fulfils feature=~"hum.*" (feature is one of temp)',
        ),
        ("{match: ['sevrity=\"P0\"']}", "'sevrity' is no label of a finding; labels are class, feature, kind, model,"),
        ("{match: ['severity']}", "'severity' is no matcher; one is model=\"fraud\""),
        ("{match: ['feature=~\"(\"']}", "is no regular expression"),
        ("{match: ['severity=\"P1\"'], receiver: nobody}", "'nobody' is not declared"),
    ],
)
def test_a_route_that_no_finding_can_reach_is_refused_with_its_line(tmp_path: Path, route: str, said: str) -> None:
    ended = check(tmp_path, "{match: ['severity=\"P0\"'], receiver: team}", route)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"{tmp_path / 'monitors.yaml'}:19: route.routes.2")
    assert said in ended.err


def test_a_child_that_contradicts_its_parent_can_never_match(tmp_path: Path) -> None:
    nested = "{match: ['severity=\"P0\"'], receiver: team, routes: [{match: ['severity=\"P1\"'], receiver: pager}]}"
    ended = check(tmp_path, nested)

    assert ended.code == 2
    assert (
        'route.routes.1.routes.0.match: can never match: no finding fulfils severity="P0" and severity="P1"'
        in ended.err
    )


@pytest.mark.parametrize(
    ("carry_on", "code"),
    [("", 2), (", continue: true", 0)],
)
def test_a_route_behind_one_that_takes_all_that_it_would(tmp_path: Path, carry_on: str, code: int) -> None:
    ended = check(
        tmp_path,
        f"{{match: ['severity=\"P0\"'], receiver: team{carry_on}}}",
        "{match: ['severity=\"P0\"', 'model=\"m\"'], receiver: pager}",
    )

    assert ended.code == code
    assert ("route.routes.2: can never match: route 2 before it takes all that it would" in ended.err) == (code == 2)


def test_a_secret_that_is_not_on_this_machine_is_a_warning_and_never_printed(tmp_path: Path) -> None:
    ended = check(tmp_path, token="", key="")

    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if line.startswith("warning")] == [
        f"warning: receivers.pager.pagerduty.routing_key: there is no file {tmp_path / 'key'} on this machine; "
        "workers need it where they run",
        "warning: receivers.team.slack.token: the variable TEAM_TOKEN is not set on this machine; "
        "workers need it where they run",
    ]
    there = check(tmp_path, token="xoxb-secret", key="k" * 32)
    assert "warning" not in there.out
    assert "xoxb-secret" not in there.out + there.err


def test_a_threshold_that_decides_nothing_yet_is_a_warning(tmp_path: Path) -> None:
    check(tmp_path)
    monitors = tmp_path / "monitors.yaml"
    monitors.write_text(
        monitors.read_text().replace("source: weather}", "source: weather, fixed: {js: 0.1, psi: 0.2}}")
    )
    ended = driftline("check-config", str(monitors), env={"TEAM_TOKEN": "x"})

    assert "warning: m: fixed: js decides nothing yet (temp)" in ended.out.splitlines()


def test_what_decides_is_what_evaluation_says() -> None:
    assert undecided(DECIDING) == ()
    assert undecided(["js", "kl", "z", "tv", "hellinger", "wasserstein"]) == (
        "js",
        "kl",
        "z",
        "tv",
        "hellinger",
        "wasserstein",
    )
