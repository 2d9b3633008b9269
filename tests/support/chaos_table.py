"""The table of the chaos rows: which there are, what a round of them said, and the lines of it for ``docs/measurements.md``.

Under xdist a row runs in one process and the table is printed by another: what it needs goes with the report.
``python -m tests.support.chaos_table`` prints ``build/chaos.json``, which holds all rounds, as Markdown.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

BUILT = Path(__file__).parents[2] / "build" / "chaos.json"
COLOURS = {"passed": "green", "failed": "red", "xfailed": "known", "xpassed": "red", "skipped": "not run"}
#: A row's name, its bar, the seconds it took and its colour.
Told = tuple[str, str, float, str]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A row that its fixtures already failed is red too, and one that was skipped is told of."""
    report = yield
    found = item.get_closest_marker("row")
    if found is not None and (report.when == "call" or report.failed or report.skipped):
        report.user_properties.append(("row", found.args))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    told = [
        (*dict(report.user_properties)["row"], round(report.duration, 1), COLOURS.get(kind, "red"))
        for kind in (*COLOURS, "error")
        for report in terminalreporter.getreports(kind)
        if "row" in dict(report.user_properties)
    ]
    if told:
        terminalreporter.section("chaos")
        for name, bar, seconds, colour in told:
            terminalreporter.write_line(f"{colour:8}{seconds:6.1f} s  {name}: {bar}")
        write(told)
    return (yield)


def write(told: list[Told]) -> None:
    """Add a round to the file; the first one begins it anew.  Green is what ran in every round, and was green in each."""
    kept = os.environ.get("CHAOS_ROUND", "1") != "1" and BUILT.exists()
    found: dict[str, Any] = json.loads(BUILT.read_text()) if kept else {"count": 0, "rows": {}}
    found["count"] += 1
    for name, bar, seconds, colour in told:
        entry = found["rows"].setdefault(name, {"bar": bar, "seconds": [], "rounds": []})
        entry["seconds"].append(seconds)
        entry["rounds"].append(colour)
    found["green"] = all(entry["rounds"] == ["green"] * found["count"] for entry in found["rows"].values())
    BUILT.parent.mkdir(exist_ok=True)
    BUILT.write_text(json.dumps(found, indent=1))


def markdown(found: dict[str, Any]) -> str:
    """A line for each row: its bar, the median of its seconds, and how its rounds ended.

    >>> print(markdown({"rows": {"SIGTERM": {"bar": "exact", "seconds": [20.4, 22.0, 21.1], "rounds": ["green"] * 3}}}))
    | SIGTERM | exact | 21 | green, green, green |
    """
    lines = [
        f"| {name} | {entry['bar']} | {median(entry['seconds']):.0f} | {', '.join(entry['rounds'])} |"
        for name, entry in found["rows"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(json.loads(BUILT.read_text())))
