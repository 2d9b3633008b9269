"""From a file of rows to a reference: which columns play which part, and what is refused.

Reads the file, decides nothing about statistics (`detectors.profile` does) and writes nothing.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from detectors.edges import Floats
from detectors.profile import Panes, build_reference, panes_of
from schemas.durations import duration_text
from schemas.reference import Reference
from stream.command.columns import feature_of, is_number, names_of, numbers_of, times_of
from stream.command.table import read_table
from stream.command.unusable import unusable

MOST_PANES = 1_000_000
"""Panes that a reference may span: 114 years of hours. More: a wrong time somewhere, or too short a pane."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which column is what; all others are features, by their own type, those in `names` as names."""

    time: str | None = None
    score: str | None = None
    outcome: str | None = None
    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def of_the_row(self) -> tuple[str, ...]:
        """The columns that are no features."""
        return tuple(name for name in (self.time, self.score, self.outcome) if name is not None)


def reference_of(path: Path, parts: Parts, *, model: str, pane_ms: int) -> Reference:
    """The reference of a file's rows. Raises ConfigError naming file, column, value and the way out."""
    as_text = {*parts.names, *([parts.time] if parts.time else [])}
    table = read_table(path, as_text=as_text, left_out=set(parts.exclude) - set(parts.of_the_row))
    _check_parts(path, parts, table)
    features = {
        name: names_of(table[name]) if name in parts.names else feature_of(table[name], path=path, name=name)
        for name in _features(path, parts, table)
    }
    return build_reference(
        model,
        features,
        panes=None if parts.time is None else _panes(path, table, time=parts.time, pane_ms=pane_ms),
        score=None if parts.score is None else _score(path, table, name=parts.score),
        outcomes=None if parts.outcome is None else names_of(table[parts.outcome]),
    )


def _check_parts(path: Path, parts: Parts, table: pa.Table) -> None:
    """Every column that was named is there."""
    for name in (*parts.of_the_row, *parts.names, *parts.exclude):
        if name not in table.column_names:
            raise unusable(path, name, f"no such column{_nearest(name, table)}")


def _nearest(name: str, table: pa.Table) -> str:
    close = difflib.get_close_matches(name, table.column_names, n=1)
    return (f", did you mean {close[0]}?" if close else ".") + f" The file has {', '.join(table.column_names)}"


def _features(path: Path, parts: Parts, table: pa.Table) -> list[str]:
    names = [name for name in table.column_names if name not in (*parts.of_the_row, *parts.exclude)]
    if not names:
        raise unusable(path, "", "no column is left to be a feature")
    return names


def _panes(path: Path, table: pa.Table, *, time: str, pane_ms: int) -> Panes:
    times = times_of(table[time], path=path, name=time)
    span = (int(times.max()) - int(times.min())) // pane_ms + 1
    if span > MOST_PANES:
        raise unusable(
            path,
            time,
            f"its rows span {span} panes of {duration_text(pane_ms)}, above {MOST_PANES}; "
            "correct the earliest or latest time, or take a longer --pane",
        )
    return panes_of(times, pane_ms=pane_ms)


def _score(path: Path, table: pa.Table, *, name: str) -> Floats:
    if not is_number(table[name].type):
        raise unusable(path, name, f"the score must be numbers; it is of type {table[name].type}")
    return numbers_of(table[name])
