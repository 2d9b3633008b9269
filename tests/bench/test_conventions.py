"""Every convention beside the package it is named for: the same columns, the same numbers.

The packages live in environments of their own, ``.cache/peers/<name>``, built by ``scripts/make-peers`` from the locked versions in
``tests/bench/peers/*.lock``; where one is missing its comparison is skipped.  What they answer is recorded for the unit tests with
``DRIFTLINE_RECORD=1``.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.peer_answers import PEERS, Answers, different
from tests.support.peer_cases import cases

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "bench" / "peers"
RECORDED = ROOT / "tests" / "unit" / "detectors" / "conventions" / "answers"
ENVIRONMENTS = Path(os.environ.get("DRIFTLINE_PEERS", ROOT / ".cache" / "peers"))


@pytest.mark.parametrize("peer", PEERS)
def test_the_convention_is_what_its_package_returns(peer: str) -> None:
    python = ENVIRONMENTS / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no {python}: scripts/make-peers builds it")
    columns = cases()
    answers = _asked(python, peer)
    found = list(different(peer, columns, answers))
    print(f"\n{peer}: {sum(map(len, answers.values()))} numbers, {len(found)} differ", *found, sep="\n  ")
    if os.environ.get("DRIFTLINE_RECORD"):
        (RECORDED / f"{peer}.json").write_text(json.dumps(answers, indent=1) + "\n")
    assert found == []


def _asked(python: Path, peer: str) -> Answers:
    columns = cases()
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [python, SCRIPTS / f"ask_{peer}.py"],
        input=json.dumps(list(columns.values())),
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(columns, json.loads(done.stdout), strict=True))
