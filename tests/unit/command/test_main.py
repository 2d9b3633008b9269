"""The command as a newcomer and a script meet it: help, version, exit codes, and one line for what goes wrong."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from schemas.errors import ConfigError, Problem, StoreError, Unavailable
from stream.command.main import exit_code
from tests.support.command import driftline

COMMANDS = (
    "demo", "apply", "check-config", "reference", "compare", "arl", "design", "worker", "console", "gpu-agent", "produce",
    "replay", "counts", "status", "lag", "tail", "doctor", "incident", "silence", "route", "outbox", "dlq", "backtest",
)  # fmt: skip
#: Those of groups, as the public contract names them.
WITHIN = (
    "reference build", "arl cusum", "arl ewma", "design cusum", "design ewma", "incident ls", "incident show", "incident ack",
    "incident resolve", "incident merge", "incident split", "incident explain", "silence add", "silence ls", "silence expire",
    "route test", "outbox ls", "dlq ls", "dlq show", "dlq retry",
)  # fmt: skip
#: That print data.
PRINTS = (
    "check-config", "apply", "compare", "counts", "status", "lag", "tail", "doctor", "demo", "replay", "backtest", "route test",
    "outbox ls", "dlq ls", "dlq show", "dlq retry", "incident ls", "incident show", "incident explain", "silence ls",
    "arl cusum", "arl ewma", "design cusum", "design ewma",
)  # fmt: skip
#: What a second of imports is made of, and who needs it: distances of rows, a file of rows, the worker, the demo.
HEAVY = ("scipy", "pyarrow", "faust", "pandas", "stream.command.compare")
NOBODY = {"DRIFTLINE_REDIS": "redis://user:hunter2@127.0.0.1:1/0", "DRIFTLINE_KAFKA": "127.0.0.1:1"}


def test_help_lists_every_command_and_the_two_variables() -> None:
    ended = driftline("--help")

    assert ended.code == 0
    assert [name for name in COMMANDS if not re.search(rf"^\W+{name} ", ended.out, re.MULTILINE)] == []
    assert "DRIFTLINE_KAFKA" in ended.out
    assert "DRIFTLINE_REDIS" in ended.out


@pytest.mark.parametrize("command", [*COMMANDS, *WITHIN])
def test_every_command_has_a_help(command: str) -> None:
    ended = driftline(*command.split(), "--help")

    assert ended.code == 0
    assert f"Usage: driftline {command}" in ended.out


@pytest.mark.parametrize("command", PRINTS)
def test_what_prints_data_prints_it_as_json_too(command: str) -> None:
    assert "--json" in driftline(*command.split(), "--help").out


def test_a_command_does_not_wait_for_what_another_needs() -> None:
    asked = f"""
import sys
from stream.command.main import main
try:
    main(["incident", "ls", "--help"])
finally:
    print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60)

    assert "Usage: driftline incident ls" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_one_line() -> None:
    ended = driftline("--version")

    assert (ended.code, len(ended.out.splitlines())) == (0, 1)
    assert ended.out.startswith("driftline ")


def test_the_demo_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stream.local.show", "stream.local.demo"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    ended = driftline("demo")
    assert (ended.code, ended.err) == (
        1,
        "the demo needs the package pandas: install driftline with its extra `demo`\n",
    )


def test_a_variable_that_is_no_setting_is_said_by_every_command_that_would_leave_it_out() -> None:
    ended = driftline("check-config", "nofile.yaml", env={"DRIFTLINE_KAFK": "x"})
    assert ended.err.splitlines()[0] == "DRIFTLINE_KAFK: no such setting, left out; did you mean DRIFTLINE_KAFKA?"


@pytest.mark.parametrize(
    "arguments", [(), ("stauts",), ("status", "--colour"), ("counts", "--model", "m"), ("dlq",), ("apply",)]
)
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert driftline(*arguments).code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError([Problem("a", 1, "", "b")]), 2), (Unavailable("gone"), 1), (StoreError("damaged"), 1)],
)
def test_what_a_person_must_correct_is_2_and_the_rest_is_1(error: ConfigError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    "arguments", [("status",), ("counts", "--model", "m", "--from", "2013-01-01", "--to", "2013-02-01")]
)
def test_without_redis_a_line_says_where_it_was_looked_for_and_what_to_set(arguments: tuple[str, ...]) -> None:
    ended = driftline(*arguments, env=NOBODY)

    assert (ended.code, ended.out) == (1, "")
    assert re.fullmatch(
        r"Redis at redis://user:\*\*\*@127\.0\.0\.1:1/0 does not answer \(.*\); "
        r"start it, or set DRIFTLINE_REDIS to where it is\n",
        ended.err,
    )


@pytest.mark.parametrize("arguments", [("lag",), ("dlq", "ls")])
def test_without_kafka_a_line_says_where_it_was_looked_for_and_what_to_set(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("stream.command.connect.ANSWER_WITHIN_S", 0.2)
    ended = driftline(*arguments, env=NOBODY)

    assert (ended.code, ended.out) == (1, "")
    assert re.fullmatch(
        r"Kafka at 127\.0\.0\.1:1 does not answer \(.*\); start it, or set DRIFTLINE_KAFKA to where it is\n", ended.err
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DRIFTLINE_KAFKA", "nowhere", "environment: DRIFTLINE_KAFKA: is 'nowhere', allowed: host:port"),
        ("DRIFTLINE_REDIS", "redis://host:port/0", "environment: DRIFTLINE_REDIS: is no address of a Redis"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(name: str, value: str, said: str) -> None:
    ended = driftline("status", env={name: value})

    assert ended.code == 2
    assert ended.err.startswith(said)
