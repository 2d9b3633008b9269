"""What is read as a dead letter: what workers write, and nothing that only looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.command.letters import DeadLetter, letter_of

WRITTEN: dict[str, Any] = {
    "topic": "predictions", "partition": 1, "offset": 5, "index": None, "reason": "not_json", "field": "", "detail": "",
    "at_ms": 1, "payload": "\udcff", "payload_bytes": 3, "masked": True,
}  # fmt: skip


def test_what_a_worker_wrote_is_one_whatever_a_newer_one_adds() -> None:
    assert letter_of(json.dumps(WRITTEN | {"schema": 9}).encode()) == DeadLetter(**WRITTEN)


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"[]", b"7", b"\xff", b"[" * 100_000, json.dumps(WRITTEN | {"offset": "5"}).encode(),
        json.dumps(WRITTEN | {"partition": None}).encode(), json.dumps(WRITTEN | {"at_ms": 1.5}).encode(),
        json.dumps({name: said for name, said in WRITTEN.items() if name != "reason"}).encode(),
    ],
)  # fmt: skip
def test_what_is_none_is_left_out(value: bytes | None) -> None:
    assert letter_of(value) is None
