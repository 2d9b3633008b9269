"""Counting needs nothing on disk: what was compiled is used where there is no room to keep it, and that is said once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.compiled import jit
from stream.compiled.kept import alone_in
from stream.ingest import warm

KERNELS = """
from stream.compiled.jit import compiled, inlined

@inlined
def doubled(found):
    return 2 * found

@compiled
def more(found):
    return doubled(found) + 1
"""
#: A limit of 0 bytes a file is what a full disk is: folders and empty files can be made, and nothing can be written.
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); import kernels; print(kernels.more(3))"


def test_on_a_full_disk_kernels_are_used_unkept(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    cache = tmp_path / "cache"
    paths = os.pathsep.join([str(tmp_path), os.getcwd()])
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
    assert done.stderr.count(f"cannot be kept in {cache / 'driftline'}") == done.stderr.count("\n") == 1
    assert "set XDG_CACHE_HOME" in done.stderr


def test_what_could_not_be_kept_is_not_taken_for_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(warm, "EXAMPLES", (lambda: jit.UNKEPT.append(OSError("full")),))
    monkeypatch.setattr(warm, "UNKEPT", unkept := list[OSError]())
    monkeypatch.setattr(jit, "UNKEPT", unkept)
    warm.warm()
    assert os.listdir(tmp_path) == ["lock"]


def test_where_there_is_no_room_for_a_lock_one_compiles_without(tmp_path: Path) -> None:
    with alone_in(tmp_path / "nowhere"):
        pass
