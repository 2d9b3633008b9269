"""Kernels are kept compiled on disk, under a name that changes with any of their sources, where nobody else can write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.compiled.kept import cache_folder, sources_digest


@pytest.fixture(autouse=True)
def _anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder is looked for anew, in folders of the test's own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache_folder.cache_clear()
    yield
    cache_folder.cache_clear()


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


def test_it_is_the_users_cache(tmp_path: Path) -> None:
    assert cache_folder().parent == tmp_path / "cache" / "driftline"
    assert cache_folder().is_dir()


def test_one_that_cannot_be_made_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert cache_folder().parent == tmp_path / "tmp" / f"driftline-{os.getuid()}"
    assert cache_folder().is_dir()


def test_one_that_can_only_be_read_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache_folder() / "kernel").write_text("machine code")
    cache_folder.cache_clear()
    # The superuser, as whom tests may run, can write a folder that nobody is allowed to.
    monkeypatch.setattr("os.access", lambda path, _: not Path(path).is_relative_to(tmp_path / "cache"))
    assert cache_folder().parent == tmp_path / "tmp" / f"driftline-{os.getuid()}"
    assert [(file.name, file.read_text()) for file in cache_folder().iterdir()] == [("kernel", "machine code")]
    assert [file.name for file in cache_folder().parent.iterdir()] == [cache_folder().name]


@pytest.mark.parametrize("forged", ["open to all", "a link"])
def test_a_folder_that_somebody_else_may_write_is_not_used(tmp_path: Path, forged: str) -> None:
    (tmp_path / "cache").write_text("")
    theirs = tmp_path / "tmp" / f"driftline-{os.getuid()}"
    if forged == "a link":
        (tmp_path / "theirs").mkdir()
        theirs.symlink_to(tmp_path / "theirs")
    else:
        theirs.mkdir()
        theirs.chmod(0o777)
    assert cache_folder().parent != theirs
    assert cache_folder().parent.stat().st_mode & 0o777 == 0o700
