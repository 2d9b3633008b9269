"""JSON lines as typed columns: one object a line, one type a column, an absent key is a missing value.

Lines are read one by one, so that an error names its line.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from stream.command.unusable import unusable


def read_json_lines(path: Path, as_text: Collection[str], left_out: Collection[str]) -> pa.Table:
    """The columns as double, bool or string; those `as_text` as string, those `left_out` are null.

    Raises ConfigError, with the line, for what is no object and for a value unlike those before it.
    """
    columns: dict[str, list[Any]] = {}
    lines: list[int] = []
    with path.open("rb") as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                _append(_object(text, path=path, line=line), columns, len(lines))
                lines.append(line)
    for values in columns.values():
        values.extend([None] * (len(lines) - len(values)))
    return pa.table(
        {
            name: _column(values, path=path, name=name, lines=lines, as_text=as_text, left_out=left_out)
            for name, values in columns.items()
        }
    )


def _column(
    values: list[Any],
    *,
    path: Path,
    name: str,
    lines: list[int],
    as_text: Collection[str],
    left_out: Collection[str],
) -> pa.Array:
    if name in left_out:
        return pa.nulls(len(values))
    if name in as_text:
        return _array(_spelled(values), path=path, name=name)
    return _typed(values, path=path, name=name, lines=lines)


def _object(text: bytes, *, path: Path, line: int) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unusable(path, "", f"not JSON: {error}", line=line) from None
    if not isinstance(row, dict):
        raise unusable(path, "", f"must be an object, not {_kind(row)}", line=line)
    return row


def _append(row: dict[str, Any], columns: dict[str, list[Any]], before: int) -> None:
    """Put a row's values under the `before` rows already read."""
    for name, value in row.items():
        column = columns.setdefault(name, [])
        column.extend([None] * (before - len(column)))
        column.append(value)


def _typed(values: list[Any], *, path: Path, name: str, lines: list[int]) -> pa.Array:
    """An array of the one type that the values have."""
    kinds = [_kind(value) for value in values]
    first = next((kind for kind in kinds if kind != "null"), "null")
    for line, kind, value in zip(lines, kinds, values, strict=True):
        if kind not in (first, "null"):
            message = f"{_short(value)} is {kind}, but values before are {first}; correct it, or --exclude {name}"
            raise unusable(path, name, message, line=line)
    if first == "a number":
        return pa.array([None if value is None else _float(value) for value in values], pa.float64())
    return _array(values, path=path, name=name)


def _array(values: list[Any], *, path: Path, name: str) -> pa.Array:
    """The values as they are; lone surrogates and lists of unlike things are nothing a column can hold."""
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeError) as error:
        raise unusable(path, name, f"cannot be read ({error}); --exclude {name} leaves it out") from None


def _spelled(values: list[Any]) -> list[str | None]:
    """Names as they are, all else as JSON writes it."""
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _kind(value: object) -> str:
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
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"
