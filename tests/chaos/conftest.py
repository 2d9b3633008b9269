"""The scene that a row's fault is done to, and the table of rows: printed at the end, and kept in ``build/chaos.json``."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chaos import Scene, put_in_force
from tests.support.worker import Deployment

BUILT = Path(__file__).parents[2] / "build" / "chaos.json"
TABLE = pytest.StashKey[dict[str, dict[str, Any]]]()


@pytest.fixture
def scene(deployment: Deployment) -> Scene:
    """Two models in force, and nothing sent; CHAOS_SEED repeats what a failed test printed."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
    print(f"CHAOS_SEED={seed}")  # shown when the test fails
    put_in_force(deployment)
    return Scene(deployment, seed)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "row(name, bar): a row of the chaos table")
    config.stash[TABLE] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the table needs goes with the report: under xdist it is another process that prints it."""
    report = yield
    found = item.get_closest_marker("row")
    if found is not None and report.when == "call":
        report.user_properties.append(("row", found.args))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    rows = [
        (*dict(report.user_properties)["row"], round(report.duration, 1), kind)
        for kind in ("passed", "failed", "xfailed", "xpassed")
        for report in terminalreporter.getreports(kind)
        if "row" in dict(report.user_properties)
    ]
    if rows:
        terminalreporter.section("chaos")
        for name, bar, seconds, kind in rows:
            terminalreporter.write_line(f"{COLOURS[kind]:6}{seconds:6.1f} s  {name}: {bar}")
        write(rows)
    return (yield)


COLOURS = {"passed": "green", "failed": "red", "xfailed": "known", "xpassed": "red"}


def write(rows: list[tuple[str, str, float, str]]) -> None:
    """Add a round to the file; the first one begins it anew."""
    kept = os.environ.get("CHAOS_ROUND", "1") != "1" and BUILT.exists()
    found: dict[str, Any] = json.loads(BUILT.read_text()) if kept else {"rows": {}}
    for name, bar, seconds, kind in rows:
        entry = found["rows"].setdefault(name, {"bar": bar, "seconds": [], "rounds": []})
        entry["seconds"].append(seconds)
        entry["rounds"].append(COLOURS[kind])
    found["green"] = all(one == "green" for entry in found["rows"].values() for one in entry["rounds"])
    BUILT.parent.mkdir(exist_ok=True)
    BUILT.write_text(json.dumps(found, indent=1))
