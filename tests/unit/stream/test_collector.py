"""The collector's cases, in a process of their own: among the objects of all other tests each look at all took seconds.

They are in ``collector_cases.py``, which pytest runs when it is named and does not find by itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("collector_cases.py")
ROOT = Path(__file__).parents[3]


def test_every_case_of_the_collector_holds() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 passed" in done.stdout
