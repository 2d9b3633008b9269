"""A child's end is ours to see, and ours is the child's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.local.child import ChildDied, running

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_ends_with_the_block(tmp_path: Path) -> None:
    with running("sleeper", SLEEP, folder=tmp_path) as child:
        child.check()
    assert child.process.returncode == -signal.SIGTERM


def test_a_child_ends_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), running("sleeper", SLEEP, folder=tmp_path) as child:
        raise RuntimeError
    assert not alive(child.process.pid)


def test_a_dead_child_is_reported_with_its_last_words(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "print('no such topic'); raise SystemExit(3)"]
    with running("worker", words, folder=tmp_path) as child:
        child.process.wait()
        with pytest.raises(ChildDied, match=r"worker ended with status 3\nno such topic"):
            child.check()


def test_waiting_for_a_child_that_never_gets_ready_ends(tmp_path: Path) -> None:
    with running("sleeper", SLEEP, folder=tmp_path) as child, pytest.raises(ChildDied, match=r"after 0\.1 s"):
        child.wait_until(lambda: False, timeout_s=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not end a child with its parent")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        "from stream.local.child import running\n"
        "with running('sleeper', ['sleep', '60'], folder=pathlib.Path(sys.argv[1])) as child:\n"
        "    print(child.process.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.2)  # the child ties itself to its parent first
        parent.kill()
    deadline = time.monotonic() + 5
    while running_still(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running_still(pid)


def running_still(pid: int) -> bool:
    """Not gone, and not merely waiting for somebody to collect its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_has_the_environment_that_it_is_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DRIFTLINE_ENVIRONMENT of the shell would send the demo's worker to topics that nobody writes."""
    monkeypatch.setenv("DRIFTLINE_ENVIRONMENT", "production")
    command = [sys.executable, "-c", "import os; print(os.environ.get('DRIFTLINE_ENVIRONMENT'), flush=True)"]
    with running("ours", command, folder=tmp_path) as ours, running("given", command, folder=tmp_path, env={}) as given:
        for child, said in ((ours, "production"), (given, "None")):
            child.process.wait()
            assert child.last_lines() == said
