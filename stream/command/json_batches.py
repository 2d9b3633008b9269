"""JSON lines as typed columns, some thousand lines at a time: one object a line, one type a column, an absent key is missing.

Lines are read one by one, so that an error names its line.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from stream.command.spool import Batch
from stream.command.unusable import unusable

LINES = 8_192
Rows = list[tuple[int, dict[str, Any]]]


def json_batches(path: Path, as_text: Collection[str], left_out: Collection[str]) -> Iterator[Batch]:
    """The columns as double, bool or string (null until the first value); those `as_text` as string, those `left_out` null.

    Raises ConfigError, with the line, for what is no object and for a value unlike those before it.
    """
    kinds: dict[str, str] = {}
    for rows in _blocks(path):
        names = list(dict.fromkeys(name for _, row in rows for name in row))
        columns = {}
        for name in names:
            values = [row.get(name) for _, row in rows]
            if name in left_out:
                columns[name] = pa.nulls(len(rows))
            elif name in as_text:
                columns[name] = _array_of(_spelled(values), path=path, name=name)
            else:
                _check_kinds(name, rows, kinds, path=path)
                columns[name] = _typed(values, kinds[name], path=path, name=name)
        yield len(rows), columns


def _blocks(path: Path) -> Iterator[Rows]:
    with path.open("rb") as file:
        lines = ((line, text) for line, text in enumerate(file, start=1) if text.strip())
        while texts := list(islice(lines, LINES)):
            yield [(line, _object_of(text, path=path, line=line)) for line, text in texts]


def _check_kinds(name: str, rows: Rows, kinds: dict[str, str], *, path: Path) -> None:
    """Every value is of the kind of the column's first."""
    for line, row in rows:
        value = row.get(name)
        kind = _kind_of(value)
        if kinds.get(name, "null") == "null":
            kinds[name] = kind
        elif kind not in (kinds[name], "null"):
            message = f"{_short(value)} is {kind}, but values before are {kinds[name]}; correct it, or --exclude {name}"
            raise unusable(path, name, message, line=line)


def _typed(values: list[Any], kind: str, *, path: Path, name: str) -> pa.Array:
    if kind == "a number":
        return pa.array([None if value is None else _float(value) for value in values], pa.float64())
    known = {"text": pa.string(), "true or false": pa.bool_()}.get(kind)
    return _array_of(values, known, path=path, name=name)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _object_of(text: bytes, *, path: Path, line: int) -> dict[str, Any]:
    """The row of a line."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unusable(path, "", f"not JSON: {error}", line=line) from None
    if not isinstance(row, dict):
        raise unusable(path, "", f"must be an object, not {_kind_of(row)}", line=line)
    return row


def _array_of(values: list[Any], kind: pa.DataType | None = None, *, path: Path, name: str) -> pa.Array:
    """The values as they are; lone surrogates and lists of unlike things are nothing a column can hold."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, UnicodeError) as error:
        raise unusable(path, name, f"cannot be read ({error}); --exclude {name} leaves it out") from None


def _spelled(values: list[Any]) -> list[str | None]:
    """Names as they are, all else as JSON writes it."""
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _kind_of(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"


def _short(value: object) -> str:
    """A value as JSON, cut to what a message can hold."""
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"
