"""What a broken serving side sends: refused with its reason, or counted and seen, alike by every path; nobody else is hurt."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from schemas.names import Stream
from tests.support.ingest import NOON, both
from tests.support.two_paths import Outcome, by_contract, decoded

PLANS = both()
AMOUNTS = ("latency_s", "input_tokens", "output_tokens")
VERSIONED: tuple[Stream, ...] = ("predictions", "serving")
#: A perplexity is 1 at least, and is of ``serving`` alone.
OF_STREAM: list[tuple[Stream, str]] = [
    *((stream, name) for stream in VERSIONED for name in AMOUNTS), ("serving", "perplexity"),
]  # fmt: skip


def outcome(stream: Stream, **fields: Any) -> Outcome:
    """What becomes of an event (by both paths alike)."""
    value = json.dumps({"model": "trees", "timestamp": NOON, "latency_s": 0.5, **fields}).encode()
    found = decoded(PLANS[stream], value)
    assert found == by_contract(PLANS[stream], stream, value)
    return found


def refusals(found: Outcome) -> list[tuple[Any, ...]]:
    return [entry for entry in found if isinstance(entry[0], str)]


@pytest.mark.parametrize(("stream", "name"), OF_STREAM)
@pytest.mark.parametrize("value", [-0.001, -1, -(10**400), float("-inf"), -5e-324])
def test_an_amount_below_zero_is_refused_by_name(stream: Stream, name: str, value: float) -> None:
    assert outcome(stream, **{name: value}) == [("out_of_range", name, "must not be negative", None)]


@pytest.mark.parametrize(("stream", "name"), OF_STREAM)
@pytest.mark.parametrize("value", [0, -0.0, 0.0, 1e300, 10**400, float("nan"), float("inf"), None])
def test_any_other_number_is_counted(stream: Stream, name: str, value: float | None) -> None:
    assert refusals(outcome(stream, **{name: value})) == []


@pytest.mark.parametrize(("stream", "name"), OF_STREAM)
@pytest.mark.parametrize(("value", "kind"), [("12", "a string"), (True, "a boolean"), ([1], "an array")])
def test_tokens_as_text_are_refused_by_name(stream: Stream, name: str, value: Any, kind: str) -> None:
    assert outcome(stream, **{name: value}) == [("wrong_type", name, f"must be a number, not {kind}", None)]


@pytest.mark.parametrize("stream", VERSIONED)
def test_a_version_never_seen_is_an_event_like_any_other(stream: Stream) -> None:
    assert refusals(outcome(stream, version="2026-11-22-rc7")) == []
    assert refusals(outcome(stream, version={"major": 4})) == [
        ("wrong_type", "version", "must be a string or an integer, not an object", None)
    ]


ROWS: dict[str, list[Any]] = {
    "a negative one": [0.1, -0.1, 0.2, 0.3],
    "one beside a null": [None, -0.1, 0.2, 0.3],
    "one beside a text": ["0.1", -0.1, 0.2, 0.3],
    "one beside an array": [[0.1], -0.1, 0.2, 0.3],
    "one beside an integer that no float can hold": [10**400, -0.1, 0.2, -(10**400)],
    "one beside NaN": [float("nan"), -0.1, 0.2, 0.3],
    "arrays only": [[0.1], [-0.1], [0.2], [0.3]],
}


@pytest.mark.parametrize(("stream", "name"), OF_STREAM)
@pytest.mark.parametrize("column", ROWS.values(), ids=ROWS.keys())
def test_in_a_batch_only_the_rows_that_are_wrong_are_refused(stream: Stream, name: str, column: list[Any]) -> None:
    found = outcome(stream, timestamp=[NOON + at for at in range(4)], **{name: column})
    wrong = [
        at for at, value in enumerate(column) if isinstance(value, str | list) or (value is not None and value < 0)
    ]
    assert [entry[3] for entry in refusals(found)] == wrong
    assert {entry[:2] for entry in refusals(found)} <= {("out_of_range", name), ("wrong_type", name)}
    assert len(found) == 4


def test_a_packed_column_and_a_scalar_of_a_batch_are_looked_at_too() -> None:
    times = [NOON, NOON + 1]
    packed = {"f64": base64.b64encode(struct.pack("<2d", 0.5, -0.5)).decode()}
    assert refusals(outcome("serving", timestamp=times, latency_s=packed)) == [
        ("out_of_range", "latency_s", "must not be negative", 1)
    ]
    everywhere = outcome("serving", timestamp=times, latency_s=-1)
    assert everywhere == [("out_of_range", "latency_s", "must not be negative", at) for at in range(2)]


def test_an_id_of_hundreds_of_digits_is_the_same_in_a_batch() -> None:
    assert refusals(outcome("predictions", timestamp=[NOON, NOON + 1], id=10**400)) == []


@pytest.mark.parametrize("stream", VERSIONED)
@pytest.mark.parametrize(("status", "wrong"), [(["success", "ok", None, "500"], [1, 3]), ("ok", [0, 1, 2, 3])])
def test_another_status_in_a_batch_costs_the_rows_that_have_it(stream: Stream, status: Any, wrong: list[int]) -> None:
    found = refusals(outcome(stream, timestamp=[NOON + at for at in range(4)], status=status))
    assert [(*entry[:2], entry[3]) for entry in found] == [("wrong_type", "status", at) for at in wrong]
