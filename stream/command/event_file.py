"""A file of events to send: JSON lines, or one JSON array; what is sent is what the file says, byte for byte in lines.

A line may be anything that one Kafka record may hold: an event, an array of events, a columnar batch.  Whether an event is a
good one is for the worker to say; that it is JSON at all is checked before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas import columnar
from schemas.errors import ConfigError, Problem, RejectedEvent
from schemas.timestamps import timestamp_ms_of
from stream.command.unusable import no_file, unusable

#: More problems of one file are not told: it is the wrong file.
MOST_PROBLEMS = 10
#: Names of files that are lines even where the only line is an array.
LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send.  ``line`` is its place in the file (of an array: the number of the element), from 1."""

    line: int
    value: bytes
    found: Any

    @property
    def key(self) -> bytes | None:
        """The model it is about (of a feature store's event: the feature), so that one partition gets all of it."""
        first = next(iter(_objects(self.found)), {})
        name = first.get("model", first.get("feature"))
        return name.encode("utf-8", "surrogatepass") if isinstance(name, str) else None

    @property
    def clock_ms(self) -> int | None:
        """The greatest event time in it, by the events' own rule; None where none can be read."""
        return max(_times(_objects(self.found)), default=None)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a whole file holds: how many records, and the greatest event time."""

    records: int
    clock_ms: int | None


def survey(path: Path) -> Survey:
    """Read the file once through.

    :raises ConfigError: it is missing or empty, or a line is no JSON object or array.
    """
    if not path.is_file():
        raise unusable(path, "", no_file(path))
    records, clocks = 0, []
    for outgoing in outgoings(path):
        records += 1
        clocks.append(outgoing.clock_ms)
    if not records:
        raise unusable(path, "", "holds no events")
    return Survey(records, max((clock for clock in clocks if clock is not None), default=None))


def outgoings(path: Path) -> Iterator[Outgoing]:
    """The file's records, in order.

    :raises ConfigError: after the last one, if a line was no JSON object or array; with the first ten of them.
    """
    problems: list[Problem] = []
    for line, value, found in _read(path):
        if isinstance(found, dict | list):
            yield Outgoing(line, value, found)
        elif len(problems) < MOST_PROBLEMS:
            said = str(found) if isinstance(found, ValueError) else "is JSON, but no object and no array of objects"
            problems.append(Problem(str(path), line, "", said))
    if problems:
        raise ConfigError(problems)


def clock_of(value: bytes | None) -> int | None:
    """The latest event time that a record's events have; None where none can be read.

    >>> clock_of(b'[{"timestamp": 1357035300000}, {"timestamp": 1357035360000}]'), clock_of(b"[")
    (1357035360000, None)
    """
    found = _decoded(value or b"")
    return Outgoing(0, b"", found).clock_ms


def _read(path: Path) -> Iterator[tuple[int, bytes, Any]]:
    """(line, bytes, what they are as JSON, or the error that says why they are not)."""
    array = _array(path)
    if array is not None:
        for number, found in enumerate(array, 1):
            yield number, json.dumps(found).encode(), found
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line.strip(), _decoded(line)


def _array(path: Path) -> list[Any] | None:
    """The elements of a file that is one array as a whole; in a file of lines an array is a record of several events."""
    with path.open("rb") as file:
        opens = file.read(64).lstrip()[:1] == b"["
    if not opens or path.suffix in LINES:
        return None
    found = _decoded(path.read_bytes())
    return found if isinstance(found, list) else None


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return ValueError(f"is not JSON: {error}")


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
    elif isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def _times(objects: Iterable[dict[str, Any]]) -> Iterator[int]:
    for one in objects:
        try:
            rows = columnar.rows_of(one) if columnar.is_batch(one) else [one]
        except RejectedEvent:
            continue
        yield from (time for row in rows if (time := _time(row.get("timestamp"))) is not None)


def _time(value: object) -> int | None:
    try:
        return timestamp_ms_of(value)
    except RejectedEvent:
        return None
