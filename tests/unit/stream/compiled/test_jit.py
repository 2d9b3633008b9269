"""Kernels are kept compiled on disk, under a name that changes with any of their sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stream.compiled.jit import cache_folder, sources_digest


def test_a_changed_source_has_another_folder(tmp_path: Path) -> None:
    one, two = tmp_path / "compiled" / "a.py", tmp_path / "ingest" / "compiled" / "a.py"
    for file in (one, two):
        file.parent.mkdir(parents=True)
        file.write_text("a = 1\n")
    before = sources_digest(tmp_path)
    (tmp_path / "ingest" / "a.py").write_text("no kernel\n")
    assert sources_digest(tmp_path) == before
    two.write_text("a = 2\n")
    assert sources_digest(tmp_path) != before


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().parent == tmp_path / "driftline"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cache_folder().parent.parent == tmp_path
    assert cache_folder().is_dir()


def test_who_counts_nothing_does_not_load_the_compiler() -> None:
    program = "import sys, stream.command.main, stream.expose; print('numba' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
