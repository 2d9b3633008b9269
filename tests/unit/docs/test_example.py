"""The example of the documents: its files are what its script writes, and its events hold what the page says."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from schemas.events import parse_record
from schemas.monitors import load_monitors

FOLDER = Path(__file__).parents[3] / "examples" / "orders"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("orders_example", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["reference.csv", "later.csv", "events.jsonl"])
def test_the_files_are_what_the_script_writes(script: Any, name: str, tmp_path: Path) -> None:
    script.generate(tmp_path)

    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_of_203_events_the_contract_refuses_two() -> None:
    lines = (FOLDER / "events.jsonl").read_bytes().splitlines()
    found = [event for line in lines for event in parse_record("predictions", line)]
    reasons = [reason for event in found if (reason := getattr(event, "reason", None)) is not None]

    assert (len(found), reasons) == (203, ["wrong_type", "seconds_time"])
    assert sum(json.loads(line)["model"] == "order-return" for line in lines) == 1, "a model that nobody monitors"


def test_the_monitors_file_is_in_order_once_there_is_a_reference(tmp_path: Path) -> None:
    (tmp_path / "monitors.yaml").write_bytes((FOLDER / "monitors.yaml").read_bytes())
    (tmp_path / "order-returns.json").touch()
    [(name, monitor)] = load_monitors(tmp_path / "monitors.yaml").models.items()

    assert (name, monitor.pane_ms, len(monitor.features)) == ("order-returns", 3_600_000, 5)
