"""After a worker has warmed its kernels nothing it meets is compiled, and of several that start at once one compiles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stream.compiled import kept
from stream.ingest import warm

KINDS = (sys.executable, "-m", "tests.support.every_kind")


def test_events_of_every_kind_compile_nothing_more() -> None:
    found = json.loads(subprocess.run(KINDS, capture_output=True, text=True, check=True).stdout)
    assert found["compiled later"] == {}
    assert min(found["events"].values()) > 400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(warm, "cache_folder", lambda: tmp_path)
    return tmp_path


def test_it_says_once_on_a_machine_that_it_compiles(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    monkeypatch.setattr(warm, "EXAMPLES", (lambda: ran.append(1),))
    warm.warm()
    assert (caplog.messages, ran) == ([warm.SAYS], [1])
    warm.warm()
    assert (caplog.messages, ran) == ([warm.SAYS], [1, 1])


def test_who_compiles_is_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        code = f"import fcntl; fcntl.flock(open({str(folder / 'lock')!r}, 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        found.append(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr)

    found: list[str] = []
    monkeypatch.setattr(warm, "EXAMPLES", (refused,))
    warm.warm()
    warm.warm()
    assert ["BlockingIOError" in said for said in found] == [True, False]


def test_a_compilation_that_fails_is_not_taken_for_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> Any:
        raise ValueError("no kernel")

    monkeypatch.setattr(warm, "EXAMPLES", (failing,))
    with pytest.raises(ValueError, match="no kernel"):
        warm.warm()
    with kept.alone_in(folder):
        assert os.listdir(folder) == ["lock"]
