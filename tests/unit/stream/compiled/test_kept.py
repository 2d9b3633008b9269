"""Kernels are kept compiled on disk, under a name that changes with any of their sources, where nobody else can write."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.compiled.kept import cache_folder, imported, sources, sources_digest

STREAM = Path(__file__).parents[4] / "stream"


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
    room = tmp_path / "stream"
    one, two = written(room / "compiled" / "a.py"), written(room / "ingest" / "compiled" / "a.py")
    before = sources_digest(room)
    written(room / "ingest" / "a.py", "no kernel\n")
    assert sources_digest(room) == before
    two.write_text("a = 2\n")
    assert sources_digest(room) != before
    assert one.read_text() == "a = 1\n"


@pytest.mark.parametrize(
    "line",
    [
        "from stream.marks import LATE",
        "from stream import marks",
        "import stream.marks",
        "import math, stream.marks as them",
        "from stream.marks import (  # as they are\n    LATE,\n)",
        "from stream import (\n    beside,  # (not read here)\n    marks,\n)",
        "from detectors.between import LATE",
    ],
)
def test_a_constant_that_a_kernel_holds_is_part_of_it_however_it_came_there(tmp_path: Path, line: str) -> None:
    """numba writes its value into the machine code."""
    room = tmp_path / "stream"
    written(room / "compiled" / "a.py", f"{line}\n")
    marks, unread = written(room / "marks.py", "LATE = 2\n"), written(room / "unread.py")
    written(tmp_path / "detectors" / "between.py", "from stream.marks import LATE\n")
    before = sources_digest(room)
    unread.write_text("a = 2\n")
    assert sources_digest(room) == before
    marks.write_text("LATE = 4\n")
    assert sources_digest(room) != before


def test_another_numpy_has_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sources_digest(STREAM)
    monkeypatch.setattr("numpy.__version__", "1.0")
    assert sources_digest(STREAM) != before


def test_what_a_file_imports_is_found_as_python_finds_it() -> None:
    read = sources(STREAM)
    assert {"stream/state/layout.py", "detectors/moments.py", "stream/ingest/marks.py"} <= {
        str(file.relative_to(STREAM.parent)) for file in read
    }
    for text in read.values():
        assert by_python(text) <= imported(text.decode())


def by_python(text: bytes) -> set[str]:
    found = set[str]()
    for one in ast.walk(ast.parse(text)):
        if isinstance(one, ast.Import):
            found |= {name.name for name in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module:
            assert one.level == 0
            found |= {one.module, *(f"{one.module}.{name.name}" for name in one.names)}
    return {name for name in found if name.partition(".")[0] in ("stream", "detectors", "schemas", "alerting")}


def written(file: Path, text: str = "a = 1\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


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
