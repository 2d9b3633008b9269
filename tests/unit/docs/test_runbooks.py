"""Runbooks: one for each alert and each kind of finding, none left over, and what they tell people to type exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from schemas.findings import KIND_CLASS
from stream.command.main import app
from tests.support.promtool import RULES, alert_rules
from tests.support.rules_table import DOCUMENT, written
from tests.support.source import ROOT

FOLDER = ROOT / "docs" / "runbooks"
BOOKS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
#: What typer raises of words that it cannot make a command of.
WRONG_USE: type[Exception] = typer.BadParameter.__mro__[1]
#: Kinds whose findings are on their way.
COMING = {"burn", "gpu", "release", "external"}
#: Programs of others, as they are installed beside a GPU or a Redis.
OTHERS = {"nvidia-smi", "dmesg"}
OF_REDIS = {"hgetall", "hget", "hmget", "hlen", "xlen", "zrange", "ping", "info", "time", "--raw", "--latency-history"}


def fenced(kind: str) -> list[tuple[str, str]]:
    """Every line of the fences of a kind, with the runbook that it stands in."""
    fences = re.compile(rf"^```{kind}\n(.*?)^```$", re.M | re.S)
    return [
        (path.stem, line) for path in BOOKS for body in fences.findall(path.read_text()) for line in body.splitlines()
    ]


def test_every_alert_and_every_kind_of_finding_has_one_and_none_is_left_over() -> None:
    kinds = set(KIND_CLASS) - {"mark"}
    assert {path.stem for path in BOOKS} == {rule["alert"] for rule in alert_rules()} | kinds | COMING


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_it_has_its_four_parts_and_each_says_something(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n")
    parts = re.split(r"^## (.*)\n", text, flags=re.M)[1:]
    assert parts[::2] == HEADINGS
    assert [body for body in parts[1::2] if len(body.split()) < 3] == []
    assert "```" in parts[5]


@pytest.mark.parametrize("path", [DOCUMENT, FOLDER / "README.md", *BOOKS], ids=lambda path: path.stem)
def test_its_links_lead_somewhere(path: Path) -> None:
    for target, _, heading in re.findall(r"\]\((?!http)([^)#]*)(#([^)]+))?\)", path.read_text()):
        file = (path.parent / target).resolve() if target else path
        assert file.is_file(), target
        assert not heading or heading in _anchors(file), f"{target}#{heading}"


def _anchors(file: Path) -> set[str]:
    """Headings as GitHub names them."""
    found = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in found}


def test_the_index_names_every_kind() -> None:
    index = (FOLDER / "README.md").read_text()
    named = set(re.findall(r"\[\w+\]\((\w+)\.md\)", index))
    assert named == {path.stem for path in BOOKS if not path.stem.startswith("Driftline")}


def test_every_command_is_one_that_there_is() -> None:
    assert [(book, line) for book, line in fenced("sh") if (problem := _problem(line)) and problem] == []


def _problem(line: str) -> str:
    words = shlex.split(line)
    if words[0] == "driftline":
        return _unknown(words[1:])
    if words[0] == "redis-cli":
        return "" if words[1] in OF_REDIS and _key_is_documented(line) else line
    return "" if words[0] in OTHERS else line


def _unknown(words: list[str]) -> str:
    """What of a driftline command is not known: parsed as it would be, and not run."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if words[0] not in command.commands:
            return words[0]
        command, words = command.commands[words[0]], words[1:]
    try:
        command.make_context("driftline", words)
    except WRONG_USE as error:
        return str(error)
    return ""


def _key_is_documented(line: str) -> bool:
    document = (ROOT / "docs" / "redis.md").read_text()
    keys = [key for key in shlex.split(line) if key.startswith("driftline:")]
    return all(re.sub(r"MODEL", "<model>", key).replace(":0}", ":3}") in document for key in keys)


def test_a_command_that_there_is_not_is_found() -> None:
    assert _problem("driftline incidents ls")
    assert _problem("driftline incident show")
    assert _problem("driftline lag --nothing")
    assert _problem("redis-cli hgetall driftline:nothing")
    assert not _problem("driftline silence add 'model=\"MODEL\"' --for 1d")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_every_query_can_be_asked_and_reads_series_that_there_are(tmp_path: Path) -> None:
    queries = sorted({line for _, line in fenced("promql")})
    rules = [{"record": f"level:metric:number_{at}", "expr": query} for at, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    known = "".join(path.read_text() for path in [*RULES.glob("*.yml"), ROOT / "docs" / "metrics.md"])
    names = {
        name for query in queries for name in re.findall(r"\b(?:driftline|model|feature|nvidia)_[a-z0-9_:]+", query)
    }
    names -= {"model_name"}
    unknown = {name for name in names if name.removesuffix("_bucket") not in known}
    assert unknown == set()


def test_the_table_of_alerts_is_current() -> None:
    text = DOCUMENT.read_text()
    assert written(text) == text, "run python -m tests.support.rules_table"
    assert "| [DriftlineFeatureStale](runbooks/DriftlineFeatureStale.md) | warning | `time() - max without" in text
