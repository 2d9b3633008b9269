"""From two files of rows, or a reference profile and a file of rows, to pairs of columns: what `driftline compare` compares.

A column has the kind that the reference gives it; the current file must agree, or the error says which option settles it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from detectors.conventions.pair import Pair, names_pair, numeric_pair
from detectors.edges import Floats
from detectors.profile import Coded, Column, Panes, profile_of
from schemas.reference import BadReference, CategoricalProfile, NumericProfile, Profile, Reference
from stream.command.columns import feature_of, is_number, names_of, numbers_of
from stream.command.reference_file import panes_of_rows
from stream.command.table import READERS, read_table
from stream.command.unusable import unusable


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns, and how: those of `names` as names, those of `exclude` not at all; `time` names the rows' order."""

    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    time: str | None = None
    pane_ms: int = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The common columns as pairs, the columns that one side has alone, and the panes that the current rows span (None: no order)."""

    pairs: Mapping[str, Pair]
    rows: tuple[int, int]
    only_in_reference: tuple[str, ...]
    only_in_current: tuple[str, ...]
    panes: int | None


def compared_columns(reference: Path, current: Path, wanted: Wanted) -> Compared:
    """Read both files. Raises ConfigError naming file, column and value for what cannot be compared."""
    if reference.name.lower().endswith(tuple(suffix for suffixes in READERS for suffix in suffixes)):
        return _two_files(reference, current, wanted)
    return _profile_and_file(reference, current, wanted)


def _two_files(reference: Path, current: Path, wanted: Wanted) -> Compared:
    then = _table(reference, wanted, names=wanted.names)
    columns = {name: _column(reference, then, name, wanted) for name in _features(then, wanted)}
    names = tuple(name for name, column in columns.items() if isinstance(column, Coded))
    now = _table(current, wanted, names=names)
    common = [name for name in columns if name in now.column_names]
    _some_common(current, common, columns)
    panes = _panes(reference, then, wanted)
    pairs = {name: _pair_of_rows(current, now, name, column=columns[name], panes=panes) for name in common}
    return _compared(pairs, (then.num_rows, now.num_rows), list(columns), now, wanted, span=_panes(current, now, wanted))


def _profile_and_file(reference: Path, current: Path, wanted: Wanted) -> Compared:
    built = _profile(reference)
    if wanted.time is not None and built.pane_ms is None:
        raise unusable(reference, "", f"was built without --time, so --time {wanted.time} has no order to compare with")
    profiles = {name: one for name, one in built.features.items() if name not in wanted.exclude}
    names = tuple(name for name, profile in profiles.items() if isinstance(profile, CategoricalProfile))
    now = _table(current, wanted, names=names)
    common = [name for name in profiles if name in now.column_names]
    _some_common(current, common, profiles)
    pairs = {name: _pair_of_profile(current, now, name, profile=profiles[name]) for name in common}
    panes = None if wanted.time is None else _panes(current, now, wanted, pane_ms=built.pane_ms)
    return _compared(pairs, (built.rows, now.num_rows), list(profiles), now, wanted, span=panes)
