"""A column of the reference and the same column now: what a statistic is computed from.

Counts over the reference's profile are always there; the rows of both sides only where both were given as rows.  Values that are no
finite number count as missing, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.conventions.vectors import VectorsPair
from detectors.edges import Floats, bin_of, ordered
from detectors.profile import Coded, Panes, categorical_profile, numeric_profile
from detectors.segments import Ints
from schemas.reference import CategoricalProfile, NumericProfile

OTHER = "(other)"
"""Stands for the names of a profile that it does not list."""


@dataclass(frozen=True, slots=True, eq=False)
class NumericPair:
    """counts: current values over the profile's edges; span: the least and the greatest of them, None of none.

    rows: the finite values of reference and current, rising; None where the reference is a profile.
    """

    profile: NumericProfile
    counts: Ints
    missing: int
    span: tuple[float, float] | None
    rows: tuple[Floats, Floats] | None

    @property
    def n_reference(self) -> int:
        return sum(self.profile.counts)

    @property
    def n_current(self) -> int:
        return int(self.counts.sum())

    @property
    def has_rows(self) -> bool:
        return self.rows is not None

    @property
    def without_value(self) -> tuple[int, int]:
        """Rows of each side without a finite value."""
        return self.profile.missing + self.profile.nonfinite, self.missing


@dataclass(frozen=True, slots=True, eq=False)
class NamesPair:
    """counts, other, unseen, missing: current rows by the profile's categories, of names it does not list, never held, and none.

    names: all that either side holds, in order; union: rows of each in the reference and now. rows: index into names of each row
    that has one, in the rows' order; None where the reference is a profile.
    """

    profile: CategoricalProfile
    counts: Ints
    other: int
    unseen: int
    missing: int
    names: tuple[str, ...]
    union: tuple[Ints, Ints]
    rows: tuple[Ints, Ints] | None

    @property
    def n_reference(self) -> int:
        return int(self.union[0].sum())

    @property
    def n_current(self) -> int:
        return int(self.union[1].sum())

    @property
    def has_rows(self) -> bool:
        """Whether every name's count is known, as from rows: a profile with too many names adds some up."""
        return self.rows is not None or self.profile.other == 0

    @property
    def without_value(self) -> tuple[int, int]:
        """Rows of each side without a name."""
        return self.profile.missing, self.missing


#: What is counted over the bins of a profile.
CountedPair = NumericPair | NamesPair
Pair = CountedPair | VectorsPair


def numeric_pair(reference: Floats | NumericProfile, current: Floats, *, panes: Panes | None = None) -> NumericPair:
    """A numeric column; NaN is missing, and so are infinities. ``panes``: those of the reference's rows, where they have an order.

    >>> pair = numeric_pair(np.array([1.0, 2.0, np.nan]), np.array([2.0, 9.0, np.inf]))
    >>> pair.n_reference, pair.n_current, pair.missing, pair.span
    (2, 2, 1, (2.0, 9.0))
    """
    profile = reference if isinstance(reference, NumericProfile) else numeric_profile(reference, panes)
    finite = ordered(current)
    return NumericPair(
        profile=profile,
        counts=np.bincount(bin_of(finite, profile.edges), minlength=len(profile.edges) + 1),
        missing=len(current) - finite.size,
        span=(float(finite.min()), float(finite.max())) if finite.size else None,
        rows=None if isinstance(reference, NumericProfile) else (ordered(reference), finite),
    )


def names_pair(reference: Coded | CategoricalProfile, current: Coded, *, panes: Panes | None = None) -> NamesPair:
    """A column of names. ``panes``: those of the reference's rows, where they have an order.

    >>> from detectors.profile import coded
    >>> pair = names_pair(coded(["a", "a", "b"]), coded(["a", "c", None]))
    >>> pair.names, [side.tolist() for side in pair.union], pair.unseen, pair.missing
    (('a', 'b', 'c'), [[2, 1, 0], [1, 0, 1]], 1, 1)
    """
    if isinstance(reference, CategoricalProfile):
        return _of_profile(reference, current)
    names = tuple(sorted({*_used(reference), *_used(current)}))
    place = {name: at for at, name in enumerate(names)}
    rows = _placed(reference, place), _placed(current, place)
    then, now = (np.bincount(side, minlength=len(names)) for side in rows)
    profile = categorical_profile(reference, panes)
    listed = np.array([place[name] for name in profile.categories], dtype=np.int64)
    unseen = int(now[then == 0].sum())
    return NamesPair(
        profile=profile,
        counts=now[listed],
        other=int(now.sum() - now[listed].sum()) - unseen,
        unseen=unseen,
        missing=int((current.codes < 0).sum()),
        names=names,
        union=(then, now),
        rows=rows,
    )


def _of_profile(profile: CategoricalProfile, current: Coded) -> NamesPair:
    """Names that the profile does not list are new, or, where it added some up, taken for those."""
    held = _used(current)
    strange = [] if profile.other else sorted(set(held) - set(profile.categories))
    names = (*profile.categories, *strange, *([OTHER] if profile.other else []))
    place = {name: at for at, name in enumerate(names)}
    now = np.zeros(len(names), dtype=np.int64)
    for name, count in held.items():
        now[place.get(name, len(names) - 1)] += count
    listed = len(profile.counts)
    beyond = int(now[listed:].sum())
    then = np.array(
        [*profile.counts, *([0] * len(strange)), *([profile.other] if profile.other else [])], dtype=np.int64
    )
    return NamesPair(
        profile=profile,
        counts=now[:listed],
        other=beyond if profile.other else 0,
        unseen=0 if profile.other else beyond,
        missing=int((current.codes < 0).sum()),
        names=names,
        union=(then, now),
        rows=None,
    )


def _used(column: Coded) -> dict[str, int]:
    """The names that a row holds, and how many do."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.names))
    return {name: count for name, count in zip(column.names, counts.tolist(), strict=True) if count}


def _placed(column: Coded, place: dict[str, int]) -> Ints:
    places = np.array([place.get(name, -1) for name in column.names], dtype=np.int64)
    present = column.codes[column.codes >= 0]
    return places[present] if present.size else present
