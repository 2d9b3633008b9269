"""The Makefile: `make` alone lists every target, and the benches run what they say."""

from __future__ import annotations

import re
import subprocess

from tests.support.source import ROOT

TEXT = (ROOT / "Makefile").read_text()


def test_help_lists_every_target() -> None:
    [phony] = re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)
    listed = re.findall(r"^  make ([a-z-]+) +\S", _made("help"), re.MULTILINE)
    assert sorted(listed) == sorted(phony.split())


def test_the_bench_of_statistics_builds_its_packages_by_lock_and_runs_itself() -> None:
    commands = _made("--dry-run", "bench-statistics")
    [names] = re.findall(r"scripts/make-peers ([a-z ]+)$", commands, re.MULTILINE)
    assert [name for name in names.split() if not (ROOT / "tests" / "bench" / "peers" / f"{name}.lock").exists()] == []
    assert [
        name for name in names.split() if f'"{name}"' not in (ROOT / "tests/bench/test_statistics.py").read_text()
    ] == []
    assert re.search(r"-m pytest .*-m bench tests/bench/test_statistics\.py$", commands, re.MULTILINE)


def test_the_bench_of_throughput_runs_first_and_alone() -> None:
    runs = re.findall(r"-m pytest .*-m bench (.*)$", _made("--dry-run", "bench"), re.MULTILINE)
    first = "tests/bench/test_throughput.py"
    assert runs == [first, f"tests/bench --ignore={first}"]


def _made(*arguments: str) -> str:
    return subprocess.run(["make", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout
