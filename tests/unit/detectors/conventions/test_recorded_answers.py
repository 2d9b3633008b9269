"""Each convention gives what its package answered, on the published columns and on hard ones.

The answers were recorded by ``tests/bench/test_conventions.py``, which asks the packages themselves.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.peer_answers import PEERS, different
from tests.support.peer_cases import cases

ANSWERS = Path(__file__).parent / "answers"
COLUMNS = cases()


@pytest.mark.parametrize("peer", PEERS)
def test_the_convention_is_what_its_package_answered(peer: str) -> None:
    answers = json.loads((ANSWERS / f"{peer}.json").read_text())

    assert list(answers) == list(COLUMNS)
    assert sum(map(len, answers.values())) >= 64
    assert list(different(peer, COLUMNS, answers)) == []
