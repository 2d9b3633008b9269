"""`driftline arl` and `driftline design`: what they print, and what they refuse."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from stream.command.main import app


def asked(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("arl cusum --k 0.5 --h 5 --shift 1", {"arl": 10.3760}),
        ("arl cusum --k 0.5 --h 4 --one-sided", {"arl": 335.3676}),
        ("arl cusum --k 0.5 --h 5 --head-start 2.5", {"arl": 430.3908}),
        ("arl ewma --lambda 0.2 --width 2.962 --shift 0.5", {"arl": 41.7644}),
        ("arl ewma --lambda 0.1 --width 2.814 --time-varying", {"arl": 486.4293}),
        ("design cusum --arl0 370 --k 0.5", {"h": 4.7738}),
        ("design ewma --arl0 1e6 --lambda 0.1", {"width": 4.8240}),
    ],
)
def test_numbers_of_four_decimals(line: str, found: dict[str, float]) -> None:
    ended = asked(f"{line} --json")
    assert ended.exit_code == 0, ended.output
    assert {name: round(value, 4) for name, value in json.loads(ended.stdout).items()} == found


def test_a_person_reads_one_line() -> None:
    assert asked("arl cusum").stdout == "arl 465.4435\n"
    assert asked("arl cusum --k 1 --h 20").stdout == "arl 5.73113e+17\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("arl cusum --h nan", "--h nan is not a finite number"),
        ("arl cusum --h 0", "--h 0 is not above 0"),
        ("arl cusum --k 9 --h 100", "never alarms"),
        ("arl ewma --lambda 2", "weight 2.0"),
        ("arl ewma --time-varying --one-sided", "do not go together"),
        ("arl ewma --time-varying --head-start 0.1", "do not go together"),
        ("design cusum --arl0 0", "not between"),
        ("design ewma --arl0 inf", "--arl0 inf"),
        ("design cusum --arl0 370 --k 50", "a run of 370 values is not between inf and"),
        ("design cusum --arl0 370 --head-start 2", "head_start 2.0 is not a share of the limit between 0 and 0.5"),
        ("arl cusum --k 40", "never alarms"),
    ],
)
def test_what_has_no_answer_is_wrong_use(line: str, says: str) -> None:
    ended = asked(line)
    assert (ended.exit_code, says in " ".join(ended.output.replace("│", " ").split())) == (2, True), ended.output
