"""What `driftline produce` takes from a file: records as they stand, keys, and the time to close with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from stream.command.event_file import Survey, outgoings, survey

START = 1357035300000
ONE = {"model": "m", "timestamp": START, "features": {"temp": 1}}
LATER = {"model": "n", "timestamp": "2013-01-01T10:15:01Z"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_line_is_sent_byte_for_byte(file: Path) -> None:
    lines = [b'{"model":"m",  "timestamp":1357035300000.50}', b'{"model":"m","x":1e400,"y":NaN}']
    file.write_bytes(b"\n".join([lines[0], b"", b"  " + lines[1] + b"  "]))

    assert [record.value for record in outgoings(file)] == lines
    assert [record.line for record in outgoings(file)] == [1, 3]


def test_the_key_is_the_model_or_the_feature(file: Path) -> None:
    found = [ONE, [LATER, ONE], {"feature": "temp", "source": "s"}, {"model": 7}, []]
    file.write_text("\n".join(map(json.dumps, found)))

    assert [record.key for record in outgoings(file)] == [b"m", b"n", b"temp", None, None]


def test_a_file_that_is_one_array_is_a_record_an_event(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps([ONE, LATER], indent=2))

    assert [json.loads(record.value) for record in outgoings(file)] == [ONE, LATER]
    assert survey(file) == Survey(2, START + 1000)


def test_in_a_file_of_lines_an_array_is_one_record(file: Path) -> None:
    file.write_text(json.dumps([ONE, LATER]))

    assert [json.loads(record.value) for record in outgoings(file)] == [[ONE, LATER]]


@pytest.mark.parametrize(
    ("line", "clock"),
    [
        (ONE, START),
        ([ONE, LATER], START + 1000),
        ({"model": "m", "timestamp": [START + 5, START], "features": {"temp": [1, 2]}}, START + 5),
        ({"model": "m", "timestamp": [START], "features": {"temp": [1, 2]}}, None),
        ({"model": "m", "timestamp": 1357035300}, None),
        ({"model": "m"}, None),
    ],
)
def test_the_time_to_close_with_is_the_greatest_that_an_event_has(file: Path, line: object, clock: int | None) -> None:
    file.write_text(json.dumps(line))

    assert survey(file) == Survey(1, clock)


def test_lines_that_are_no_json_are_told_by_line(file: Path) -> None:
    file.write_text('{"model": "m"}\n{"model": \n7\n')

    with pytest.raises(ConfigError) as raised:
        survey(file)
    first, second = str(raised.value).splitlines()
    assert first.startswith(f"{file}:2: is not JSON: ")
    assert second == f"{file}:3: is JSON, but no object and no array of objects"


def test_of_a_wrong_file_only_ten_lines_are_told(file: Path) -> None:
    file.write_text("temp,carrier\n" * 1000)

    with pytest.raises(ConfigError) as raised:
        survey(file)
    assert len(raised.value.problems) == 10


@pytest.mark.parametrize(("content", "said"), [(None, "no such file"), (b"\n\n", "holds no events")])
def test_a_missing_or_empty_file_is_told(file: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        survey(file)
