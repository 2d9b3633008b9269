"""From a file of rows to a reference: which columns play which part, and what is refused.

Reads the file, a batch of rows at a time, decides nothing about statistics (`detectors.profile` does), and leaves nothing behind.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from detectors.profile import Panes, categorical_profile, numeric_profile, of_profiles, panes_in_place, profile_of
from schemas.durations import duration_text
from schemas.reference import Reference
from stream.command.batches import Reading, fill
from stream.command.columns import is_name, is_number, times_of
from stream.command.spool import Names, Numbers, Sink, Spool, Times
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


@dataclass(frozen=True, slots=True)
class Build:
    """How a reference is built: its model, the length of its panes, where columns may lie meanwhile, and who is told.

    ``told(what, number, total)`` hears of every batch and every column.
    """

    model: str
    pane_ms: int
    scratch: Path
    told: Callable[[str, int, int | None], None] = lambda what, number, total: None


def reference_of(path: Path, parts: Parts, build: Build) -> Reference:
    """The reference of a file's rows, of which only a batch is in memory. Raises ConfigError naming file, column and value."""
    with _folder(build.scratch) as folder:
        spool = Spool(Path(folder), _sinks(path, parts))
        as_text = {*parts.names, *([parts.time] if parts.time else [])}
        left_out = set(parts.exclude) - set(parts.of_the_row)
        reading = Reading(
            as_text,
            left_out,
            names=lambda names: _check_parts(path, parts, names),
            rows=lambda rows: build.told("rows", rows, None),
        )
        fill(spool, path, reading)
        return _built(spool, parts, build, path=path)


def _folder(scratch: Path) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(dir=scratch, prefix=".driftline-")
    except OSError as error:
        raise unusable(scratch, "", f"cannot hold columns meanwhile: {error.strerror}") from None


def _sinks(path: Path, parts: Parts) -> Callable[[str, pa.DataType, Path], Sink]:
    """What each column is, by its part and its type; refuses what it cannot be."""

    def sink_of(name: str, kind: pa.DataType, file: Path) -> Sink:
        if name == parts.time:
            return Times(file, lambda values, before: times_of(values, path=path, name=name, before=before))
        if name in parts.names or name == parts.outcome:
            return Names(file)
        if name == parts.score and not is_number(kind):
            raise unusable(path, name, f"the score must be numbers; it is of type {kind}")
        if not is_number(kind) and not is_name(kind):
            message = f"is of type {kind}, which is neither numbers nor names; --exclude {name} leaves it out"
            raise unusable(path, name, message)
        return Numbers(file) if is_number(kind) else Names(file)

    return sink_of


def _built(spool: Spool, parts: Parts, build: Build, *, path: Path) -> Reference:
    names = _features(path, parts, spool.names)
    panes = (
        None
        if parts.time is None
        else panes_of_times(path, spool.column(parts.time), time=parts.time, pane_ms=build.pane_ms)
    )
    features = {}
    for number, name in enumerate(names, start=1):
        features[name] = profile_of(spool.column(name), panes)
        build.told("columns", number, len(names))
    return of_profiles(
        build.model,
        features,
        rows=spool.rows,
        panes=panes,
        score=None if parts.score is None else numeric_profile(spool.column(parts.score), panes),
        outcomes=None if parts.outcome is None else categorical_profile(spool.column(parts.outcome), panes),
    )


def _check_parts(path: Path, parts: Parts, names: list[str]) -> None:
    """Every column that was named is there."""
    for name in (*parts.of_the_row, *parts.names, *parts.exclude):
        if name not in names:
            raise unusable(path, name, f"no such column{nearest(name, names)}")


def nearest(name: str, names: list[str]) -> str:
    """What a person may have meant by a column that is not there."""
    close = difflib.get_close_matches(name, names, n=1)
    return (f", did you mean {close[0]}?" if close else ".") + f" The file has {', '.join(names)}"


def _features(path: Path, parts: Parts, columns: list[str]) -> list[str]:
    names = [name for name in columns if name not in (*parts.of_the_row, *parts.exclude)]
    if not names:
        raise unusable(path, "", "no column is left to be a feature")
    return names


def panes_of_times(path: Path, times: NDArray[np.int64], *, time: str, pane_ms: int) -> Panes:
    """The pane of each row, in the place of its time. Raises ConfigError where they span too many."""
    span = (int(times.max()) - int(times.min())) // pane_ms + 1
    if span > MOST_PANES:
        raise unusable(
            path,
            time,
            f"its rows span {span} panes of {duration_text(pane_ms)}, above {MOST_PANES}; "
            "correct the earliest or latest time, or take a longer --pane",
        )
    return panes_in_place(times, pane_ms=pane_ms)
