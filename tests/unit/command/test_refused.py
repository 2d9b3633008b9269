"""Which events of a record are sent again: those that its dead letters refuse, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.names import Stream
from stream.command.letters import DeadLetter
from stream.command.refused import Original, Untold, record_of, refused_events

NOW = 1_741_000_000_000
SKEW = 300_000
UNKNOWN = "no model 'beta' in force; apply a monitors file that declares it"


def letter(reason: str, *, index: int | None = None, field: str = "", detail: str = "") -> DeadLetter:
    return DeadLetter("predictions", 0, 7, index, reason, field, detail, NOW, "", 10, True)


def event(model: str = "alpha", **more: Any) -> dict[str, Any]:
    return {"model": model, "timestamp": NOW, **more}


def places(found: object, *letters: DeadLetter, stream: Stream = "predictions") -> tuple[int, ...] | None:
    value = found if isinstance(found, bytes) else json.dumps(found).encode()
    return refused_events(Original(stream, value, NOW), letters, skew_ms=SKEW)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"no JSON", "not_json"),
        (b'{"model": "beta", "timestamp": 1741000000000}', "unknown_model"),
        (b"[" * 400, "too_deep"),
    ],
)
def test_a_record_of_one_event_or_none_is_sent_as_it_is(value: bytes, reason: str) -> None:
    assert places(value, letter(reason)) is None


def test_of_an_array_what_the_letters_name() -> None:
    record = [event(), event("beta"), event(), "x"]
    assert places(record, letter("unknown_model", index=1, detail=UNKNOWN), letter("not_an_event", index=3)) == (1, 3)


def test_a_batch_that_does_not_fit_is_sent_whole() -> None:
    assert places(event(timestamp=[NOW, NOW], version=["1"]), letter("bad_columns", field="version")) is None


def test_letters_of_older_workers_name_no_event_and_it_is_found_by_what_they_say() -> None:
    record = [event(), event("beta"), event("gamma"), event("beta")]
    assert places(record, letter("unknown_model", detail=UNKNOWN)) == (1, 3)


def test_events_from_the_future_are_those_beyond_the_records_own_time() -> None:
    times = [NOW, NOW + SKEW, NOW + SKEW + 1, NOW + 10 * SKEW]
    assert places({"model": "alpha", "timestamp": times}, letter("future", field="timestamp")) == (2, 3)


def test_of_more_refused_events_than_letters_the_others_are_found() -> None:
    record = [event("beta") if at % 2 else event() for at in range(400)]
    kept = [letter("unknown_model", index=at, detail=UNKNOWN) for at in range(1, 199, 2)]
    last = letter(
        "unknown_model", index=199, detail=f"{UNKNOWN} (100 more refused events of this record are counted only)"
    )
    assert places(record, *kept, last) == tuple(range(1, 400, 2))


def test_where_they_do_not_add_up_nothing_is_sent() -> None:
    record = [event("beta"), *(event("gamma") for _ in range(5))]
    last = letter("unknown_model", index=0, detail=f"{UNKNOWN} (5 more refused events of this record are counted only)")
    with pytest.raises(Untold, match=r"it has 6 refused events, and 1 that may be: send them from the source"):
        places(record, last)


def test_a_letter_about_an_event_that_the_record_does_not_hold() -> None:
    with pytest.raises(Untold, match="holds 1 events, and its dead letter is about event 3"):
        places([event()], letter("not_an_event", index=3))


def test_features_that_nobody_declared() -> None:
    values = [{"feature": name, "source": "s", "timestamp": NOW, "values": [1.0]} for name in ("temp", "gust", "gust")]
    found = letter("unknown_feature", index=1, field="feature")
    assert places(values, found, stream="features") == (1,)
    with pytest.raises(Untold, match="which of its features"):
        places(values, letter("unknown_feature", field="feature"), stream="features")
    assert places(values[1:], letter("unknown_feature", field="feature"), stream="features") == (0, 1)


def test_samples_that_say_no_host() -> None:
    samples: list[dict[str, Any]] = [
        {"gpu": "0", "uuid": "GPU-1", "timestamp": NOW, "metrics": {}, "host": host} for host in ("a", None)
    ]
    assert places(samples, letter("missing_field", field="host"), stream="serving") == (1,)


def test_the_rows_of_a_batch_alone_packed_and_bit_for_bit() -> None:
    packed = {"f64": "w/UoXI+CQ0AAAAAAAIBEQAAAAAAAAPh/"}
    batch = {
        "model": "m",
        "timestamp": [1, 2, 3],
        "features": {"temp": packed, "city": "Oslo"},
        "version": ["a", None, "c"],
    }
    found = json.loads(record_of(json.dumps(batch).encode(), [1, 2]))
    assert found == {
        "model": "m", "timestamp": [2, 3], "features": {"temp": {"f64": "AAAAAACAREAAAAAAAAD4fw=="}, "city": "Oslo"},
        "version": [None, "c"],
    }  # fmt: skip


def test_numbers_that_json_has_no_word_for_stay_what_they_are() -> None:
    assert record_of(b'[{"x": NaN, "y": 1e400, "z": 0.1, "n": 9007199254740993, "name": "\xc3\xa9"}]', [0]) == (
        b'[{"x":NaN,"y":Infinity,"z":0.1,"n":9007199254740993,"name":"\xc3\xa9"}]'
    )
