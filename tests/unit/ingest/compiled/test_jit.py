"""Kernels are kept compiled on disk, under a name that changes with any of their sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stream.ingest.compiled.jit import cache_folder, sources_digest


def test_a_changed_source_has_another_folder(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\n")
    (tmp_path / "two.py").write_text("b = 1\n")
    before = sources_digest(tmp_path)
    assert sources_digest(tmp_path) == before
    (tmp_path / "two.py").write_text("b = 2\n")
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
