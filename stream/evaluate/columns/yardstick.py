"""The reference in the bins that a layout counts in: worked out once, so that a judgement is a few passes of numpy.

Every feature and every part of the prediction has a `Place`.  Those that the reference knows are *held*, numbered in their
order: their reference counts lie behind one another, folded as the conventions want them.

A column of names is folded to its categories, other, unseen and missing.  Where the reference itself lists not all names it
held, an unlisted one cannot be told from an unseen one: then the two are one bin on both sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.kolmogorov_smirnov import cumulative
from detectors.moments import scale_of
from detectors.psi import decile_and_atom_edges, fold_to
from schemas.reference import CategoricalProfile, NumericProfile, Profile, Reference
from stream.state.layout import SPECIALS, CategoricalColumn, Layout, NumericColumn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: The parts of a prediction that a report shows, in its order; the grid of scores is for labels.
PREDICTION = ("score", "value", "label", "confidence")
NOT_HELD = -1


@dataclass(frozen=True, slots=True)
class Place:
    """One column of a report: where its cells begin, how many bins it has, and which of the held ones it is.

    ``number`` counts the layout's numeric columns (None: a column of names); ``center`` and ``scale`` are its moments'.
    """

    name: str
    room: str
    first: int
    bins: int
    number: int | None
    held: int = NOT_HELD
    center: float = 0.0
    scale: float = 1.0

    @property
    def values_end(self) -> int:
        """The cell behind those that count a value (names: other and unseen are values too)."""
        return self.first + self.bins + (2 if self.number is None else 0)

    @property
    def rows_end(self) -> int:
        """The cell behind those that count a row: what has no value stands behind the values."""
        return self.values_end + (2 if self.number is None else len(SPECIALS))


@dataclass(frozen=True, eq=False, slots=True)
class Yardstick:
    """Places, and the reference of those that are held.

    bounds: (2 x places) first cell of the values and of what has none, then the end, for sums over ``cells``.
    fold_bounds, fold_kept: sums over ``cells`` between bounds, of which the kept ones are the folded bins of all held
        columns; ``starts``: where each begins; ``folded``: the reference's counts in them; ``rows``: its rows by column,
        ``values`` and ``known``: its values.
    numeric: held numbers of the numeric ones; ``grid``: their cells (columns x widest), ``inside`` where there is one;
        ``shares``: the reference's cumulative shares.
    named: held numbers of the columns of names; ``names``: which folded bins are values of theirs, ``name_starts`` likewise.
    profiles: of the held columns; ``begins``: the cell at which each of their folded bins begins.
    """

    places: tuple[Place, ...]
    bounds: Ints
    fold_bounds: Ints
    fold_kept: Ints
    starts: Ints
    folded: Ints
    rows: Ints
    values: Ints
    known: tuple[int, ...]
    numeric: Ints
    grid: Ints
    inside: NDArray[np.bool_]
    shares: Floats
    named: Ints
    names: Ints
    name_starts: Ints
    profiles: tuple[Profile, ...]
    begins: tuple[tuple[int, ...], ...]

    def values_of(self, place: Place) -> int:
        """How many values the reference holds of a column."""
        return 0 if place.held == NOT_HELD else self.known[place.held]

    def bins_of(self, place: Place) -> int:
        """How many folded bins of a held column hold values: all but the last, of rows without one."""
        return len(self.begins[place.held]) - 1

    def bins_in(self, place: Place) -> slice:
        """Which of all folded bins these are."""
        start = int(self.starts[place.held])
        return slice(start, start + self.bins_of(place))


@dataclass(frozen=True, slots=True)
class _Held:
    """A held column: its place, where its folded bins begin (cells), and the reference's counts in them.

    The last folded bin is of rows without a value.
    """

    place: Place
    profile: Profile
    begins: tuple[int, ...]
    reference: tuple[int, ...]


def yardstick_of(layout: Layout, reference: Reference) -> Yardstick:
    """What a layout's counts are held against; the layout was made from this reference."""
    places = list(_places(layout))
    held: list[_Held] = []
    for at, place in enumerate(places):
        known = _held(place, layout, reference, number=len(held))
        if known is not None:
            held.append(known)
            places[at] = known.place
    numeric = [each for each in held if isinstance(each.profile, NumericProfile)]
    named = [each for each in held if isinstance(each.profile, CategoricalProfile)]
    starts = _starts([len(each.reference) for each in held])
    fold_bounds, fold_kept = _fold(held)
    grid, inside = _grid(numeric)
    names, name_starts = _names(named, starts)
    return Yardstick(
        places=tuple(places),
        bounds=_ints(bound for place in places for bound in (place.first, place.values_end, place.rows_end)),
        fold_bounds=fold_bounds,
        fold_kept=fold_kept,
        starts=starts,
        folded=_ints(count for each in held for count in each.reference),
        rows=_ints(sum(each.reference) for each in held),
        values=_ints(sum(each.reference[:-1]) for each in held),
        known=tuple(sum(each.reference[:-1]) for each in held),
        numeric=_ints(each.place.held for each in numeric),
        grid=grid,
        inside=inside,
        shares=_shares(numeric, grid.shape),
        named=_ints(each.place.held for each in named),
        names=names,
        name_starts=name_starts,
        profiles=tuple(each.profile for each in held),
        begins=tuple(each.begins for each in held),
    )


def _places(layout: Layout) -> Iterator[Place]:
    """Features and parts of the prediction, in the order of their cells."""
    for number, (column, first) in enumerate(zip(layout.numeric, layout.numeric_starts, strict=True)):
        if _shown(column):
            yield Place(
                column.name, _room(column), first, column.bins, number, center=column.mean, scale=scale_of(column.sd)
            )  # fmt: skip
    for named, first in zip(layout.categorical, layout.categorical_starts, strict=True):
        if _shown(named):
            yield Place(named.name, _room(named), first, named.bins, None)


def _shown(column: NumericColumn | CategoricalColumn) -> bool:
    return _room(column) == "features" or (_room(column) == "prediction" and column.name in PREDICTION)


def _room(column: NumericColumn | CategoricalColumn) -> str:
    return column.path.partition(".")[0]


def _held(place: Place, layout: Layout, reference: Reference, *, number: int) -> _Held | None:
    """The column as the reference knows it; None where it does not, or holds no value of it."""
    profile = reference.features.get(place.name) if place.room == "features" else _of_prediction(place, reference)
    if profile is None or not sum(profile.counts):
        return None
    place = replace(place, held=number)
    if isinstance(profile, NumericProfile):
        return _held_numbers(place, profile) if place.number is not None and place.bins == len(profile.counts) else None
    column = next(each for each in layout.categorical if each.name == place.name and _room(each) == place.room)
    return None if place.number is not None or column.buckets else _held_names(place, profile)


def _of_prediction(place: Place, reference: Reference) -> Profile | None:
    """Only the score: a reference's outcomes are what came true, not what the model says."""
    return reference.score if place.name == "score" else None


def _held_numbers(place: Place, profile: NumericProfile) -> _Held:
    edges = decile_and_atom_edges(profile)
    inner = np.searchsorted(np.asarray(profile.edges), edges) + 1
    folded = fold_to(profile.edges, edges, profile.counts)
    return _Held(
        place,
        profile,
        tuple(int(place.first + at) for at in (0, *inner, place.bins)),
        (*folded.tolist(), profile.missing + profile.nonfinite),
    )


def _held_names(place: Place, profile: CategoricalProfile) -> _Held:
    listed, further = profile.counts[: place.bins], sum(profile.counts[place.bins :]) + profile.other
    merged = profile.other > 0
    tail = (0, 2) if merged else (0, 1, 2)
    begins = (*range(place.first, place.first + place.bins), *(place.first + place.bins + at for at in tail))
    return _Held(place, profile, begins, (*listed, further, *(() if merged else (0,)), profile.missing))


def _fold(held: Sequence[_Held]) -> tuple[Ints, Ints]:
    """Bounds of the folded bins with each column's end behind them, and which sums between bounds are bins."""
    bounds = _ints(bound for each in held for bound in (*each.begins, each.place.rows_end))
    kept = np.ones(len(bounds), dtype=np.bool_)
    ends = np.cumsum([len(each.begins) + 1 for each in held], dtype=np.int64) - 1
    kept[ends] = False
    return bounds, np.flatnonzero(kept)


def _grid(numeric: Sequence[_Held]) -> tuple[Ints, NDArray[np.bool_]]:
    widest = max((each.place.bins for each in numeric), default=0)
    steps = np.arange(widest)
    inside = steps < _ints(each.place.bins for each in numeric)[:, None]
    return np.where(inside, _ints(each.place.first for each in numeric)[:, None] + steps, 0), inside


def _shares(numeric: Sequence[_Held], shape: tuple[int, ...]) -> Floats:
    counts = np.zeros(shape)
    for row, each in enumerate(numeric):
        counts[row, : each.place.bins] = each.profile.counts
    return cumulative(counts)


def _names(named: Sequence[_Held], starts: Ints) -> tuple[Ints, Ints]:
    """The folded bins of each column of names but its last, which has no value."""
    lengths = [len(each.reference) - 1 for each in named]
    bins = (np.arange(length) + starts[each.place.held] for each, length in zip(named, lengths, strict=True))
    return np.concatenate([_ints(()), *bins]), _starts(lengths)


def _starts(lengths: Sequence[int]) -> Ints:
    return _ints(itertools.accumulate(lengths[:-1], initial=0)) if lengths else _ints(())


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
