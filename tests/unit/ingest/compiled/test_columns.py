"""A columnar record that a kernel reads has the columns that the contract finds, bit by bit; all else it leaves alone."""

from __future__ import annotations

import base64
import json
import struct
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import columnar
from schemas.columnar import Packed, batch_of, is_batch
from schemas.errors import RejectedEvent
from schemas.events import MOST_BYTES, read_record
from stream.ingest.columns import Column, ColumnReader
from stream.ingest.compiled.cells import MOST_SPELLINGS, STEPS
from stream.ingest.slab import numbers_of
from tests.support.mutation import batch_mutant
from tests.unit.ingest.test_batches_agree import BATCHES, TIMES

READER = ColumnReader()
BATCH = {"model": "trees", "timestamp": TIMES, "features": {"temp": [3.5, None, 7, -0.0]}}


def columns(**features: Any) -> dict[str, Any]:
    return {"model": "trees", "timestamp": TIMES, "features": features}


def packed(*values: float) -> dict[str, str]:
    return {"f64": base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()}


def by_contract(value: bytes) -> Any:
    """The columns that the contract finds; None where it finds none."""
    try:
        found = read_record(value)
        return plain(batch_of(found).columns) if type(found) is dict and is_batch(found) else None
    except RejectedEvent:
        return None


def read(value: bytes) -> Any:
    found = READER.read(value)
    return None if found is None else plain(found.columns)


def plain(columns: Any) -> Any:
    """Columns in a form that compares bit by bit: their values, and the numbers and marks that are made of them."""
    if isinstance(columns, dict):
        return {name: plain(column) for name, column in columns.items()}
    if isinstance(columns, list | Packed | Column):
        cells = (
            columns
            if isinstance(columns, list)
            else columns.numbers()
            if isinstance(columns, Packed)
            else columns.cells()
        )
        return [_bits(cell) for cell in cells], numbers_of(columns, len(cells), nan=True).tobytes()
    return _bits(columns)


def _bits(value: Any) -> Any:
    return struct.pack("<d", value) if type(value) is float and value == value else (type(value).__name__, repr(value))


def test_damaged_batches_are_read_as_the_contract_reads_them_or_not_at_all() -> None:
    chance, taken = Random(20130101), 0
    batches = [batch for several in BATCHES.values() for batch in several]
    for _ in range(2000):
        value = batch_mutant(chance.choice(batches), chance)
        found = read(value)
        assert found is None or found == by_contract(value), value
        taken += found is not None
    assert 800 < taken < 1800


CELLS = (
    st.none() | st.booleans() | st.floats() | st.integers(-(2**70), 2**70) | st.text(max_size=9)
    | st.sampled_from(["x", "y", "null", "", 7, "7", 7.0, "7.0"])
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=4), st.sampled_from([None, 1, "\t\r\n "]), st.booleans()
)
def test_columns_of_anything_in_any_layout(held: list[list[Any]], indent: Any, escaped: bool) -> None:
    batch = columns(**{f"f{number}": cells for number, cells in enumerate(held)})
    value = json.dumps(batch, indent=indent, ensure_ascii=escaped).encode()
    assert read(value) == by_contract(value) is not None


@pytest.mark.parametrize("digits", range(1, 22))
def test_numbers_of_so_many_digits(digits: int) -> None:
    """Short ones are read at once, longer ones by another kernel, and what that is not sure of by the contract's reader."""
    chance = Random(digits)
    for _ in range(50):
        text = str(chance.randrange(10 ** (digits - 1), 10**digits))
        point = chance.randrange(digits + 1)
        texts = (
            text,
            f"-{text}",
            f"{text[:point] or 0}.{text[point:] or 0}",
            f"-{text}.{text}e{chance.randrange(-30, 30)}",
        )
        value = json.dumps(columns(temp="?")).replace('"?"', f"[{','.join(texts)}]").encode()
        assert read(value) == by_contract(value) is not None, value


@pytest.mark.parametrize(
    "features",
    [
        {}, {"temp": []}, {"temp": [None] * 4}, {"temp": packed(1.5, -0.0, float("nan"), float("inf"))}, {"temp": 3.5},
        {"temp": [None, True, "x", 2]}, {"carrier": ["UA", "é\u2028", "", "UA"]}, {"carrier": ["a\nb", "\U0001f600", "a", "b"]},
        {"temp": [float("nan"), 1, float("-inf"), 10**400]}, {"temp": [-0.0, 0, 5e-324, 1e308]}, {"é": [1, 2, 3, 4]},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_column_may_hold(features: dict[str, Any]) -> None:
    batch = columns(**features) if features.get("temp") != [] else {"model": "m", "timestamp": [], "features": features}
    value = json.dumps(batch).encode()
    assert read(value) == by_contract(value) is not None


@pytest.mark.parametrize("different", [MOST_SPELLINGS, MOST_SPELLINGS + 1, 5000])
def test_however_many_different_texts(different: int) -> None:
    names = [f"N{at % different}" for at in range(5000)]
    batch = {
        "model": "m",
        "timestamp": [TIMES[0]] * 5000,
        "features": {"a": names, "b": names[::-1], "c": ["x"] * 5000},
    }
    value = json.dumps(batch).encode()
    found = READER.read(value)
    assert found is not None
    assert [column.distinct is None for column in found.columns["features"].values()] == [different > 256] * 2 + [False]
    assert read(value) == by_contract(value)


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_what_is_no_utf_8_is_found_among_texts_that_nobody_reads(wrong: bytes) -> None:
    """Of so many different ones it is only known where they stand."""
    names = [f"N{at:04}" for at in range(MOST_SPELLINGS + 2)]
    value = json.dumps({"model": "m", "timestamp": [TIMES[0]] * len(names), "id": names}).encode()
    assert READER.read(value) is not None
    assert READER.read(value.replace(b"N0257", wrong)) is None


def test_texts_that_were_made_to_fall_into_one_place_are_not_looked_for() -> None:
    def place(text: str) -> int:
        mixed = 14695981039346656037
        for byte in text.encode():
            mixed = (mixed ^ byte) * 1099511628211 % (1 << 64)
        return (mixed ^ mixed >> 17) % 1024

    same = [text for text in map(str, range(40_000)) if place(text) == 7][: STEPS + 1]
    for count in (STEPS, STEPS + 1):
        value = json.dumps({"model": "m", "timestamp": [TIMES[0]] * count, "features": {"a": same[:count]}}).encode()
        found = READER.read(value)
        assert found is not None
        assert (found.columns["features"]["a"].distinct is None) == (count > STEPS)
        assert read(value) == by_contract(value)


WHOLE = json.dumps(
    BATCH | {"version": "3", "latency_s": 0.5, "prediction": {"score": packed(1.0, 2.0, 3.0, 4.0)}}
).encode()
LEFT = [
    b"", b"\0", b"[]", b"{}", b'"["', b"\xef\xbb\xbf" + WHOLE, WHOLE + b"x", WHOLE + b"\0", WHOLE * 2, WHOLE[:-1] + b",}",
    *(WHOLE.replace(*pair) for pair in (
        (b"3.5", b"03.5"), (b"3.5", b"3."), (b"3.5", b".5"), (b"3.5", b"+3.5"), (b"3.5", b"3.5 1"), (b"3.5", b"3.5,"),
        (b"3.5", b"3.5e"), (b"3.5", b"nul"), (b"3.5", b"nulll"), (b"3.5", b"[1]"), (b"3.5", b"{}"), (b"3.5", b""), (b"3.5", b"Nan"),
        (b"3.5", b"1_0"), (b"3.5", b'"a\tb"'), (b"3.5", b'"\xff"'), (b"3.5", b'"\\x"'), (b"3.5", b'"'), (b"3.5", b"tru"),
        (b"0.5", b"0.5.5"), (b"0.5", b""), (b"0.5", b"5 5"), (b"0.5", b"{}"), (b"0.5", b'"\x1f"'), (b'"3"', b'"\\u12"'),
        (b'"version"', b'"mod\\u0065l"'), (b'"version"', b'"\\x"'),
        (b'"f64"', b'"\\u006664"'), (b'"version"', b'"model"'), (b'"version"', b"version"),
        (b'"version":', b'"version"'),
        (b'"temp"', b'"temp": [1, 2, 3, 4], "temp"'), (b'{"temp"', b'{"a": {}, "temp"'), (b'"features"', b'"other"'),
        (b"7,", b""), (b'"f64":', b'"f64"'), (b'"f64"', b'"f65"'), (b'"f64":', b'"f64": "", "a":'), (b'"}}', b'", "a": 1}}'),
        (b"AAAA8D8", b"AAA*8D8"), (b"AAAA8D8", b"AAAA8D"), (b'A="', b'A"'), (b'A="', b'B="'), (b'EEA="', b'EE=="'),
        (b'A="', b'A=A"'),
        (b"AAAA8D8", b"AAAA\\n8D8"), (b"[1357", b"[1, 1357"), (b"[1357", b'"'),
    )),
]  # fmt: skip


@pytest.mark.parametrize("value", LEFT, ids=range(len(LEFT)))
def test_what_is_no_columnar_record_is_left_alone(value: bytes) -> None:
    assert read(WHOLE) == by_contract(WHOLE) is not None
    assert value != WHOLE
    assert READER.read(value) is None


def test_no_beginning_of_a_record_is_one() -> None:
    assert [size for size in range(len(WHOLE)) if READER.read(WHOLE[:size]) is not None] == []


def test_a_record_that_would_expand_too_far_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "MOST_CELLS", 4 * 4)
    assert READER.read(json.dumps(BATCH).encode()) is not None
    value = json.dumps(BATCH | {"version": "3"}).encode()
    assert READER.read(value) is None
    with pytest.raises(RejectedEvent, match="expands to 4 rows of 5 names"):
        batch_of(read_record(value))


def test_as_large_as_a_record_may_be() -> None:
    """Every value takes two bytes at least, so there is room for all, however they stand."""
    empty = len(json.dumps({"timestamp": []}))
    for cell in ("1", "1.5", '"a"', '""', "null"):
        count = (MOST_BYTES - empty) // (len(cell) + 1)
        value = f'{{"timestamp": [{",".join([cell] * count)}]}}'.encode()
        found = READER.read(value)
        assert found is not None
        assert (found.count, found.columns["timestamp"].cells()) == (count, json.loads(value)["timestamp"])
    assert READER.read(value + b" " * MOST_BYTES) is None
    for value in (
        b"[" * MOST_BYTES,
        b'{"a":' * 200_000,
        b'{"timestamp":[' + b"true," * 200_000,
        b'{"a":["' + b"\\" * 10**6,
    ):
        assert READER.read(value) is None


def test_more_names_than_there_is_room_for() -> None:
    names = {f"f{number}": [1] for number in range(600)}
    assert READER.read(json.dumps({"timestamp": [TIMES[0]], "features": names}).encode()) is None


def test_what_was_read_before_leaves_nothing_behind() -> None:
    large = json.dumps({"timestamp": [1.5] * 500, "a": [f'{at}}},[]"' for at in range(500)]}).encode()
    reader = ColumnReader()
    for value in (WHOLE, WHOLE[:-1], b'{"timestamp":[1', b'{"timestamp":["a', b'{"timestamp":["a\\'):
        assert reader.read(large) is not None
        found = reader.read(value)
        assert (found is None) == (value != WHOLE)
        assert found is None or plain(found.columns) == by_contract(WHOLE)
