"""From two files of rows, or a reference profile and a file of rows, to pairs of columns: what `driftline compare` compares.

A column has the kind that the reference gives it; the current file must agree, or the error says which option settles it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.conventions.pair import Pair, names_pair, numeric_pair
from detectors.conventions.vectors import Vectors, vectors_pair
from detectors.profile import Coded, Panes
from schemas.reference import BadReference, CategoricalProfile, NumericProfile, Profile, Reference
from stream.command.batches import READERS
from stream.command.reference_file import nearest, panes_of_times
from stream.command.row_file import Holds, RowFile, Rows, Wanted, current_rows, reference_rows
from stream.command.unusable import no_file, unusable

#: The name of the numeric columns as one; no column of a file is likely to bear it, and none may where they are asked for.
TOGETHER = "(numeric columns together)"
SUFFIXES = tuple(suffix for suffixes in READERS for suffix in suffixes)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The reference: its columns or profiles by name, its rows, and, where they are in order, their panes and how long one is.

    left_out: those of the columns to leave out that it has.
    """

    columns: Mapping[str, Rows | Profile]
    rows: int
    panes: Panes | None
    pane_ms: int | None
    left_out: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The common columns as pairs, rows of both sides, columns that one side has alone; panes: those the current rows span."""

    pairs: Mapping[str, Pair]
    rows: tuple[int, int]
    only_in_reference: tuple[str, ...]
    only_in_current: tuple[str, ...]
    panes: int | None


def compared_columns(reference: Path, current: Path, wanted: Wanted) -> Compared:
    """Read both files. Raises ConfigError naming file, column and value for what cannot be compared."""
    from_rows = reference.name.lower().endswith(SUFFIXES)
    known = _rows(reference, wanted) if from_rows else _profile(reference, wanted)
    held = {name: _held(column) for name, column in known.columns.items()}
    remedy = "--categorical" if from_rows else "a reference built with --categorical"
    now = current_rows(current, wanted, known=held, remedy=remedy)
    _check_left_out(current, wanted, known=known, now=now)
    if not now.columns:
        raise unusable(current, "", f"has no column of the reference, which has {', '.join(known.columns) or 'none'}")
    pairs = {name: _pair(known, now, name, path=current) for name in known.columns if name in now.columns}
    return Compared(
        pairs=pairs | (_together(known, now, tuple(pairs), path=reference) if wanted.together else {}),
        rows=(known.rows, now.rows),
        only_in_reference=tuple(name for name in known.columns if name not in now.columns),
        only_in_current=tuple(name for name in now.names if name not in known.columns),
        panes=None if known.pane_ms is None else len(_panes(current, now, wanted, pane_ms=known.pane_ms).starts),
    )


def _check_left_out(current: Path, wanted: Wanted, *, known: Known, now: RowFile) -> None:
    """A column to leave out that neither side has is a slip of the pen."""
    for name in wanted.exclude:
        if name not in known.left_out | now.left_out:
            near = nearest(name, list(dict.fromkeys([*now.names, *known.columns])))
            raise unusable(current, name, f"--exclude: no such column here, and none in the reference{near}")


def _held(column: Rows | Profile) -> Holds:
    if isinstance(column, Vectors):
        return "vectors"
    if isinstance(column, Coded | CategoricalProfile):
        return "names"
    empty = column.missing == column.rows if isinstance(column, NumericProfile) else bool(np.isnan(column).all())
    return "no value" if empty else "numbers"


def _rows(path: Path, wanted: Wanted) -> Known:
    found = reference_rows(path, wanted)
    if wanted.time is None:
        return Known(found.columns, found.rows, None, None, found.left_out)
    panes = _panes(path, found, wanted, pane_ms=wanted.pane_ms)
    return Known(found.columns, found.rows, panes, wanted.pane_ms, found.left_out)


def _profile(path: Path, wanted: Wanted) -> Known:
    if not path.is_file():
        raise unusable(path, "", no_file(path))
    try:
        built = Reference.from_json(path.read_bytes())
    except BadReference as error:
        raise unusable(path, "", f"{error}. (Rows are read from names that end in {', '.join(SUFFIXES)}.)") from None
    except OSError as error:
        raise unusable(path, "", f"cannot be read: {error.strerror}") from None
    if wanted.time is not None and built.pane_ms is None:
        raise unusable(path, "", f"was built without --time, so --time {wanted.time} finds no order in it")
    columns = {name: one for name, one in built.features.items() if name not in wanted.exclude}
    pane_ms = None if wanted.time is None else built.pane_ms
    return Known(columns, built.rows, None, pane_ms, frozenset(built.features).intersection(wanted.exclude))


def _panes(path: Path, rows: RowFile, wanted: Wanted, *, pane_ms: int) -> Panes:
    assert wanted.time is not None
    if rows.times is None:
        raise unusable(path, wanted.time, f"no such column{nearest(wanted.time, list(rows.names))}")
    return panes_of_times(path, rows.times, time=wanted.time, pane_ms=pane_ms)


def _pair(known: Known, now: RowFile, name: str, *, path: Path) -> Pair:
    then, column = known.columns[name], now.columns[name]
    if isinstance(then, Vectors):
        assert isinstance(column, Vectors)
        if then.width and column.width and then.width != column.width:
            lengths = f"holds vectors of {column.width} numbers, and in the reference of {then.width}"
            raise unusable(path, name, f"{lengths}; --exclude {name} leaves it out")
        return vectors_pair(then, column)
    if isinstance(then, Coded | CategoricalProfile):
        assert isinstance(column, Coded)
        return names_pair(then, column, panes=known.panes)
    assert not isinstance(column, Coded | Vectors)
    return numeric_pair(then, column, panes=known.panes)


def _together(known: Known, now: RowFile, names: Sequence[str], *, path: Path) -> dict[str, Pair]:
    """All numeric columns as one: a change of how they go together shows in none of them alone."""
    sides = [{n: c for n in names if isinstance(c := side.columns[n], np.ndarray)} for side in (known, now)]
    if any(isinstance(known.columns[name], NumericProfile) for name in names):
        raise unusable(path, "", "is a profile, and --together needs the reference's rows")
    if TOGETHER in names:
        raise unusable(path, TOGETHER, "is what --together calls its own; --exclude it, or give it another name")
    if len(sides[0]) < 2:
        raise unusable(path, "", f"--together needs two numeric columns, here are {', '.join(sides[0]) or 'none'}")
    then, current = (Vectors(np.column_stack(list(side.values()))) for side in sides)
    return {TOGETHER: vectors_pair(then, current)}
