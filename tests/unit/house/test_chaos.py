"""The chaos table: what `make test` leaves out, `make chaos` runs; six rows stay in both; the page of measurements lists all."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests.support import chaos_table
from tests.support.source import ROOT

TESTS = ROOT / "tests"
MARKS = re.compile(r"pytest\.mark\.long\b|\blong=True")


def test_what_make_test_leaves_out_make_chaos_runs() -> None:
    assert _runs("test") == [("not bench and not long", [])]
    [(marked, places)] = _runs("chaos")
    assert marked == "chaos or long"
    files = [
        file for file in TESTS.rglob("test_*.py") if file.name != "test_chaos.py" and MARKS.search(file.read_text())
    ]
    assert len(files) > 10
    assert [file for file in files if not any(file.is_relative_to(ROOT / place) for place in places)] == []


def test_rows_have_a_name_each_and_six_of_them_are_short() -> None:
    found = list(_rows())
    assert len({name for name, _ in found}) == len(found) > 30
    assert len([name for name, long in found if not long]) >= 6


def test_the_page_of_measurements_lists_every_row_and_no_other() -> None:
    page = (ROOT / "docs" / "measurements.md").read_text()
    [section] = re.findall(r"^## The chaos table$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    listed = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| ")]
    assert sorted(listed[1:]) == sorted(name for name, _ in _rows())


def _runs(target: str) -> list[tuple[str, list[str]]]:
    """Pytest's runs of a target: the expression of marks, and the places that are named."""
    made = subprocess.run(["make", "-C", str(ROOT), "--dry-run", target], capture_output=True, text=True, check=True)
    commands = made.stdout.replace("\\\n", " ")
    found = re.findall(r'-m pytest [^\n;]*?-m "([^"]+)"([^\n;]*)', commands)
    return [(marked, re.findall(r"(?<!\S)tests/\S+", rest)) for marked, rest in found]


def _rows() -> Iterator[tuple[str, bool]]:
    """Every row's name, and whether it is long."""
    for file in chain((TESTS / "chaos").glob("test_*.py"), [TESTS / "integration" / "test_redis_cluster.py"]):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for test in vars(module).values():
            if isinstance(test, FunctionType) and test.__name__.startswith("test_"):
                for marks in _marks_of(module, test):
                    names = [mark.args[0] for mark in marks if mark.name == "row"]
                    yield from ((name, any(mark.name == "long" for mark in marks)) for name in names)


def _marks_of(module: ModuleType, test: FunctionType) -> Iterator[list[Any]]:
    """The marks of each row of a test: those of rows that parametrize it, or its own."""
    of_all = getattr(module, "pytestmark", [])
    shared = [_mark(mark) for mark in (of_all if isinstance(of_all, list) else [of_all])]
    own = [*shared, *getattr(test, "pytestmark", [])]
    params = [
        list(param.marks) for mark in own if mark.name == "parametrize" for param in mark.args[1] if _is_row(param)
    ]
    yield from ([*own, *map(_mark, marks)] for marks in params)
    if not params:
        yield own


def _is_row(param: Any) -> bool:
    return any(_mark(mark).name == "row" for mark in getattr(param, "marks", ()))


def _mark(of: Any) -> Any:
    """What pytest keeps of a mark, however it was given."""
    return getattr(of, "mark", of)


def test_a_row_that_did_not_run_in_a_round_is_not_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[chaos_table.Told] = [("kill -9", "exact", 1.0, "green"), ("SIGTERM", "exact", 1.0, "green")]
    monkeypatch.setattr(chaos_table, "BUILT", tmp_path / "build" / "chaos.json")

    def green(*rounds: list[chaos_table.Told]) -> bool:
        for number, told in enumerate(rounds, 1):
            monkeypatch.setenv("CHAOS_ROUND", str(number))
            chaos_table.write(told)
        return bool(json.loads(chaos_table.BUILT.read_text())["green"])

    assert green(rows, rows)
    assert not green(rows, rows[:1])
    assert not green(rows[:1], rows)
    assert not green([("kill -9", "exact", 0.0, chaos_table.COLOURS["skipped"])])
