"""The fast path and the strict contract never both accept an event and read it differently.

Thousands of damaged events go through the decoder as it is, and through the contract alone; what would be counted, in which
order, and why the rest is refused, must be the same.  One difference is permitted: an event of a model that is not in force
is refused after a look at ``model`` and ``timestamp`` only, so invalid UTF-8 (or any other fault) in a field that nobody
reads goes unsaid.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RejectedEvent
from schemas.events import Rejected, parse_record, timestamp_ms_of
from schemas.names import Stream
from stream.ingest.buffer import CLOSE, TICK
from stream.ingest.plan import StreamPlan, retaught
from stream.ingest.shape import Strange
from tests.support.arms import RELEASE
from tests.support.ingest import NOON, both, event
from tests.support.mutation import mutant
from tests.support.two_paths import by_contract, decoded, reasons

PLANS = both(duplicates=0.01, release=RELEASE)
EVENTS: dict[Stream, tuple[dict[str, Any], ...]] = {
    "predictions": (
        {
            "model": "trees", "version": "3", "id": "UA15", "timestamp": NOON,
            "features": {"temp": 3.5, "wide": 12, "score": 1.5, "carrier": "UA", "tail": "N14228"},
            "prediction": {"score": 0.25, "label": "yes", "confidence": 0.75}, "latency_s": 0.012,
            "status": "success", "service": "api", "segments": {"origin": "EWR", "gate": None}, "input_tokens": 12,
        },
        {"model": "prices", "timestamp": NOON, "features": {"temp": 3}, "prediction": {"value": 9.5, "label": 7}},
    ),
    "labels": (
        {"model": "trees", "id": "UA15", "timestamp": NOON, "outcome": 0, "metrics": {"delay": 4.5}, "version": 3},
        {"model": "prices", "id": 15, "timestamp": NOON, "outcome": 12.5, "score": 0.5, "rating": 4},
    ),
    "serving": (
        {"model": "trees", "timestamp": NOON, "status": "error", "latency_s": 0.5, "output_tokens": 3, "host": "h", "version": "4"},
        {"model": "prices", "timestamp": NOON, "gpu": "0", "uuid": "u", "perplexity": 7.5, "metrics": {"a": 1}},
    ),
}  # fmt: skip


def assert_agreed(stream: Stream, value: bytes | None) -> bool:
    """Compare both verdicts; whether the event was accepted."""
    plan = PLANS[stream]
    fast, strict = decoded(plan, value), by_contract(plan, stream, value)
    if fast != strict and reasons(fast) == ["unknown_model"]:
        # The permitted difference: refused by both, for another reason.
        assert len(reasons(strict)) == len(strict) == 1, value
        return False
    assert fast == strict, value
    return any(entry[0] not in (TICK, CLOSE) for entry in fast if not isinstance(entry[0], str))


@pytest.mark.parametrize("stream", ["predictions", "labels", "serving"])
def test_damaged_events_come_out_the_same_by_both_paths(stream: Stream) -> None:
    chance = Random(20130101)
    accepted = sum(assert_agreed(stream, mutant(chance.choice(EVENTS[stream]), chance)) for _ in range(8000))
    assert 2000 < accepted < 7000  # else the mutations are too wild, or too tame, to say anything


@pytest.mark.parametrize("stream", ["predictions", "labels", "serving"])
def test_whatever_the_fast_path_accepts_the_contract_accepts(stream: Stream) -> None:
    """Directly: the struct decoder alone against the contract, with no way around it."""
    chance, plan, taken = Random(7), PLANS[stream], 0
    for _ in range(8000):
        value = mutant(chance.choice(EVENTS[stream]), chance)
        try:
            found = plan.decoder.fast(value)
            timestamp_ms_of(found.timestamp)
        except (ValueError, RecursionError, RejectedEvent):
            continue
        taken += 1
        assert not any(isinstance(strict, Rejected) for strict in parse_record(stream, value)), value
    assert taken > 1000


def test_damaged_samples_of_gpus_come_out_as_the_contract_reads_them() -> None:
    sample = {"timestamp": NOON, "gpu": 0, "uuid": "u", "host": "n7", "metrics": {"power_watts": 71.5, "xid": 79}}
    chance = Random(5)
    values = [mutant(sample, chance) for _ in range(2000)]
    assert 500 < sum(assert_agreed("serving", value) for value in values) < 1900


STRANGE = Strange(keys=("note", "weight"), features=("gust", "<b>"))


def taught_plan(stream: Stream) -> StreamPlan:
    """The plan once its decoder has learned the undeclared names that the events below hold."""
    plan = PLANS[stream]
    features = STRANGE.features if stream == "predictions" else ()
    shapes = tuple(replace(shape, strange=Strange(STRANGE.keys, features)) for shape in plan.decoder.shapes)
    return retaught(plan, shapes)


@pytest.mark.parametrize("stream", ["predictions", "labels", "serving"])
def test_learned_names_are_counted_as_the_contract_counts_them(stream: Stream) -> None:
    """Once more with undeclared names that the fast path skips: what it skips unread may hold invalid UTF-8, and no more."""
    chance, plan, taken = Random(11), taught_plan(stream), 0
    for _ in range(8000):
        found = dict(chance.choice(EVENTS[stream])) | {"note": {"a": ["\u00e9", 1.5, None]}, "weight": 3}
        if "features" in found:
            found["features"] = dict(found["features"]) | {"gust": "x", "<b>": None}
        value = mutant(found, chance)
        fast, strict = decoded(plan, value), by_contract(plan, stream, value)
        if fast != strict and reasons(fast) != ["unknown_model"]:
            assert reasons(strict) == ["not_utf8"], value
        taken += not reasons(fast)
    assert taken > 2000


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(EVENTS)), st.binary(max_size=200) | st.text(max_size=80).map(str.encode) | st.none())
def test_no_bytes_raise_or_divide_the_paths(stream: Stream, value: bytes | None) -> None:
    assert not assert_agreed(stream, value)


@settings(max_examples=500, deadline=None)
@given(st.floats(width=64) | st.integers(-(10**40), 10**40) | st.integers(-(2**70), 2**70), st.integers(0, 3))
def test_numbers_are_read_to_the_last_bit_alike(number: float, digits: int) -> None:
    text = f"{number!r}" if digits == 0 else f"{float(number):.{digits * 8}e}"
    value = b'{"model":"trees","timestamp":1357034400000,"features":{"temp":%s,"carrier":%s}}'
    text = text.replace("nan", "NaN").replace("inf", "Infinity")
    assert assert_agreed("predictions", value % (text.encode(), text.encode()))


@pytest.mark.parametrize("field", ["version", "id", "service", "shadow_of"])
def test_invalid_utf8_in_a_field_that_is_not_counted_is_refused_all_the_same(field: str) -> None:
    value = b'{"model":"trees","timestamp":1357034400000,"%s":"\xff"}' % field.encode()
    assert reasons(decoded(PLANS["predictions"], value)) == ["not_utf8"]


def test_the_permitted_difference_is_invalid_utf8_in_a_field_that_nobody_reads() -> None:
    value = b'{"model":"strangers","timestamp":1357034400000,"note":"\xff"}'
    assert reasons(decoded(PLANS["predictions"], value)) == ["unknown_model"]
    assert reasons(by_contract(PLANS["predictions"], "predictions", value)) == ["not_utf8"]


@pytest.mark.parametrize("label", [b'{"model":"trees","timestamp":1357034400000,"id":""}'])
def test_a_label_with_an_empty_id_is_a_label_without_one(label: bytes) -> None:
    assert reasons(decoded(PLANS["labels"], label)) == ["missing_field"]


@pytest.mark.parametrize("outcome", [b'"1.5"', b'"high"', b"1e400", b"%d" % 10**400])
def test_the_outcome_of_a_regression_is_a_number(outcome: bytes) -> None:
    value = b'{"model":"prices","timestamp":1357034400000,"id":"a","outcome":%s}' % outcome
    assert assert_agreed("labels", value)


def test_a_text_of_digits_is_no_time() -> None:
    assert reasons(decoded(PLANS["predictions"], event(timestamp=str(NOON)))) == ["wrong_type"]


def test_a_control_record_is_one_though_it_names_a_model_nobody_knows() -> None:
    value = b'{"control":"watermark","model":"strangers","timestamp":1357034400000}'
    assert decoded(PLANS["predictions"], value)[0][:2] == (CLOSE, NOON)


def test_a_large_record_of_an_unknown_model_is_too_large() -> None:
    value = b'{"model":"strangers","timestamp":1357034400000,"note":"%s"}' % (b"x" * 1024 * 1024)
    assert reasons(decoded(PLANS["predictions"], value)) == ["too_large"]


def test_an_ordinary_event_takes_the_fast_path() -> None:
    """Else all of the above compares the contract with itself."""
    for stream, events in EVENTS.items():
        for found in events:
            assert PLANS[stream].decoder.fast(msgspec.json.encode(found)).timestamp == NOON
