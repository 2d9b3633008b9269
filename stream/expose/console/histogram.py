"""A feature's window against its reference, bin by bin, with what each bin adds to the index.

Pure.  Numeric bins are those of the convention ``driftline`` (`detectors.psi`): deciles, atoms by themselves, and missing; so
what the bars show is what the index was computed from.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from detectors.psi import decile_and_atom_edges, fold_to, jeffreys
from schemas.reference import CategoricalProfile, NumericProfile, Profile
from stream.expose.console.format import named, number

#: Names that are shown one by one; the rest stands together.
MOST_NAMES = 20
#: What a stored numeric column calls values that are no finite number; the convention counts them with the missing.
NOT_FINITE = ("missing", "nan", "positive_infinity", "negative_infinity")


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin: rows of the window, its share, the reference's share, and what it adds to the index.

    ``tick`` is what stands under its left side, or under its middle where it is ``centered`` (one value, or none).
    """

    label: str
    count: int
    share: float
    reference: float
    contribution: float
    tick: str = ""
    centered: bool = False


@dataclass(frozen=True, slots=True)
class Histogram:
    """All bins; ``top`` is the highest share of either side, which fills the picture."""

    kind: Literal["numeric", "categorical"]
    bins: Sequence[Bin]
    n: int
    n_reference: int

    @property
    def top(self) -> float:
        return max([max(one.share, one.reference) for one in self.bins], default=0.0) or 1.0


def histogram(counted: Mapping[str, Any], profile: Profile) -> Histogram | None:
    """A feature as `stream.state.summary` writes it, on its profile; None where they do not fit (names counted by a hash)."""
    if isinstance(profile, NumericProfile):
        return _numeric(counted, profile) if list(counted.get("edges", ())) == list(profile.edges) else None
    fits = "categories" in counted and not any(name.startswith("#") for name in counted["categories"])
    return _categorical(counted, profile) if fits else None


def bins_of(labels: Sequence[str], now: Sequence[int], then: Sequence[int]) -> list[Bin]:
    """Bins from the counts of both sides.

    >>> [(bin.share, bin.reference) for bin in bins_of(["a", "b"], [1, 3], [1, 1])]
    [(0.25, 0.5), (0.75, 0.5)]
    """
    shares, before, added = _shares(now), _shares(then), contributions(now, then)
    return [Bin(label, now[at], shares[at], before[at], added[at]) for at, label in enumerate(labels)]


def contributions(now: Sequence[int], then: Sequence[int]) -> list[float]:
    """What each bin adds to the index of the convention ``driftline``; 0 for one that both sides leave empty.

    >>> [round(part, 3) for part in contributions([90, 10, 0], [50, 50, 0])]
    [0.231, 0.622, 0.0]
    """
    counts, reference = np.asarray(now, dtype=np.int64), np.asarray(then, dtype=np.int64)
    used = (counts > 0) | (reference > 0)
    added = np.zeros(len(counts))
    if counts.sum() and reference.sum():
        before, after = jeffreys(reference, counts)
        added[used] = (after - before) * np.log(after / before)
    found: list[float] = added.tolist()
    return found


def labels_of(edges: Sequence[float]) -> list[str]:
    """The bins between edges in words; an atom's bin is its value.

    >>> labels_of([0.0, 5e-324, 10.0])
    ['< 0', '= 0', '0 … 10', '≥ 10']
    """
    if not edges:
        return ["all"]
    # The edge behind an atom is the next float: it is written as the atom.
    written = [number(edges[0])]
    for low, high in pairwise(edges):
        written.append(written[-1] if np.nextafter(low, np.inf) == high else number(high))
    between = [f"= {low}" if low == high else f"{low} … {high}" for low, high in pairwise(written)]
    return [f"< {written[0]}", *between, f"≥ {written[-1]}"]


def ticks_of(edges: Sequence[float]) -> list[tuple[str, bool]]:
    """What stands under each bin, and whether under its middle: each edge once, an atom under its own bin.

    >>> ticks_of([0.0, 5e-324, 10.0])
    [('', False), ('0', True), ('', False), ('10', False)]
    """
    ticks: list[tuple[str, bool]] = [("", False)]
    for low, high in pairwise([*edges, math.inf]):
        after_an_atom = ticks[-1][1]
        ticks.append(("", False) if after_an_atom else (f"{low:.3g}", bool(np.nextafter(low, np.inf) == high)))
    return ticks


def _numeric(counted: Mapping[str, Any], profile: NumericProfile) -> Histogram:
    edges = decile_and_atom_edges(profile)
    absent = sum(counted.get(kind, 0) for kind in NOT_FINITE)
    now = [*fold_to(profile.edges, edges, counted["counts"]).tolist(), absent]
    then = [*fold_to(profile.edges, edges, profile.counts).tolist(), profile.missing + profile.nonfinite]
    bins = bins_of([*labels_of(edges.tolist()), "missing"], now, then)
    ticks = [*ticks_of(edges.tolist()), ("missing", True)]
    used = [
        dataclasses.replace(one, tick=tick, centered=centered)
        for one, (tick, centered) in zip(bins, ticks, strict=True)
        if one.share or one.reference
    ]
    return Histogram("numeric", used, sum(now), profile.rows)


def _categorical(counted: Mapping[str, Any], profile: CategoricalProfile) -> Histogram:
    listed = counted["categories"]
    known = {name: at for at, name in enumerate(profile.categories)}
    reference = [profile.counts[known[name]] if name in known else 0 for name in listed]
    labels = [*map(named, listed), "(other)", "(unseen)", "(missing)"]
    now = [*listed.values(), counted["other"], counted["unseen"], counted["missing"]]
    then = [*reference, profile.rows - profile.missing - sum(reference), 0, profile.missing]
    bins = folded(bins_of(labels, now, then), most=MOST_NAMES)
    return Histogram("categorical", bins, sum(now), profile.rows)


def folded(bins: Sequence[Bin], *, most: int) -> list[Bin]:
    """Bins that hold anything, the greatest first; beyond ``most`` they are added up into one."""
    held = sorted((one for one in bins if one.share or one.reference), key=lambda one: -max(one.share, one.reference))
    if len(held) <= most:
        return held
    rest = held[most - 1 :]
    return [
        *held[: most - 1],
        Bin(
            f"{len(rest)} more",
            sum(one.count for one in rest),
            sum(one.share for one in rest),
            sum(one.reference for one in rest),
            sum(one.contribution for one in rest),
        ),
    ]


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]
