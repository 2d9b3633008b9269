"""The reference as a distribution that can be moved: atoms as points, the rest spread within its bins, its tails as tails.

Values of an outer bin are not spread evenly: it may reach from the 98th percentile to the one outlier.  They follow the generalised
Pareto law through both ends of that bin and of its neighbour (Pickands, 1975).  Where values are whole
numbers or rounded, all are points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from detectors.signatures.cells import Cells
from schemas.reference import NumericProfile

Floats = NDArray[np.float64]

#: A moved atom that comes so near to an atom is that atom: the window's values were rounded elsewhere.
SAME = 1e-9
#: The part of each prediction that is spread over all cells.
SPREAD = 0.003
#: Knots in a tail, and bounds of its shape.
_TAIL_KNOTS, _MOST_SHAPE = 24, 5.0
#: Fewer bins have no tails.
_LEAST_BINS = 4
#: Values lie on a lattice where most edges do (a quantile may lie between two values), and it has not more steps.
MOST_STEPS, _MOSTLY, _ON_STEP = 1_000, 0.75, 1e-6
_LEAST_ATOMS = 2


@dataclass(frozen=True, eq=False, slots=True)
class Distribution:
    """points and their shares; knots and the share of spread values below each; ``rows`` of the reference."""

    points: Floats
    point_shares: Floats
    knots: Floats
    below: Floats
    rows: int

    def quantiles(self, levels: Floats) -> Floats:
        """Values below which the levels lie; the middle of a jump is the point itself."""
        x = np.concatenate([self.knots, self.points])
        order = np.argsort(x, kind="stable")
        jumps = np.concatenate([np.zeros(len(self.knots)), self.point_shares])[order]
        x, upto = x[order], np.cumsum(jumps)
        spread = np.interp(x, self.knots, self.below)
        levels_at = np.column_stack([spread + upto - jumps, spread + upto]).ravel()
        found: Floats = np.interp(levels, levels_at, np.repeat(x, 2))
        return found


def distribution_of(profile: NumericProfile) -> Distribution:
    """The distribution of a profile that holds a value; a column that drifts is looked at again, so the last ones are kept."""
    return _distribution(replace(profile, pane_counts=(), deciles=()))


@lru_cache(maxsize=256)
def _distribution(profile: NumericProfile) -> Distribution:
    edges = np.asarray(profile.edges, dtype=np.float64)
    rows = sum(profile.counts)
    shares = np.asarray(profile.counts[1:-1], dtype=np.float64) / rows
    point = np.isin(edges[:-1], profile.atoms)
    knots, below = _with_tails(edges, np.where(point, 0.0, shares), point, rows=rows)
    points = lattice_of(profile)
    if points is not None:
        return _on_lattice(points, edges, np.where(point, shares, 0.0), spread=(knots, below), rows=rows)
    return Distribution(edges[:-1][point], shares[point], knots, below, rows)


def moved(of: Distribution, cells: Cells, *, scale: Floats, shift: Floats) -> Floats:
    """(maps, cells) shares of ``scale * x + shift`` in each cell, x from the distribution; no scale is 0."""
    with np.errstate(over="ignore"):
        origin = (cells.bounds[None, :] - shift[:, None]) / scale[:, None]
        below = np.interp(origin, of.knots, of.below)
        values = scale[:, None] * of.points + shift[:, None]
    found: Floats = np.abs(below[:, 1:] - below[:, :-1])
    if of.points.size:
        place = _places(of, cells, values) + np.arange(0, found.size, found.shape[1])[:, None]
        np.add.at(found.reshape(-1), place.reshape(-1), np.tile(of.point_shares, len(scale)))
    return found


def smoothed(shares: Floats, cells: int) -> Floats:
    """A small part spread over all cells, so that nothing is impossible: a tail may be longer than the reference's rows show."""
    found: Floats = (1.0 - SPREAD) * shares + SPREAD / cells
    return found


def _places(of: Distribution, cells: Cells, values: Floats) -> NDArray[np.int64]:
    """The cell of each point; one that comes next to a point of the reference lies on it."""
    right = np.minimum(of.points.searchsorted(values), len(of.points) - 1)
    for near in (of.points[np.maximum(right - 1, 0)], of.points[right]):
        values = np.where(np.abs(values - near) <= SAME * np.maximum(np.abs(values), np.abs(near)), near, values)
    found: NDArray[np.int64] = cells.bounds.searchsorted(values, side="right") - 1
    return np.minimum(found, len(cells.counts) - 1)


def _with_tails(edges: Floats, spread: Floats, point: NDArray[np.bool_], *, rows: int) -> tuple[Floats, Floats]:
    """Knots and the share below each, with more knots in an outer bin where neither it nor its neighbour is an atom."""
    knots, below = edges, np.concatenate([[0.0], np.cumsum(spread)])
    if len(spread) < _LEAST_BINS:
        return knots, below
    if not point[-2:].any():
        x, above = _tail(edges[-3:], spread[-2:], rows)
        knots = np.concatenate([knots[:-1], x, knots[-1:]])
        below = np.concatenate([below[:-1], below[-1] - above, below[-1:]])
    if not point[:2].any():
        x, under = _tail(-edges[2::-1], spread[1::-1], rows)
        knots = np.concatenate([knots[:1], -x[::-1], knots[1:]])
        below = np.concatenate([below[:1], under[::-1], below[1:]])
    return knots, below


def _tail(edges: Floats, shares: Floats, rows: int) -> tuple[Floats, Floats]:
    """Knots between the last two of three edges, and the share beyond each, by the Pareto law of both bins."""
    if not (shares > 0).all():
        return np.empty(0), np.empty(0)
    total = shares.sum()
    near, least = shares[1] / total, min(0.5 / rows / total, 0.1 * shares[1] / total)
    wanted = (edges[2] - edges[0]) / (edges[1] - edges[0])

    def excess(shape: float) -> float:
        return float(np.log(_reach(least, shape) / _reach(near, shape)) - np.log(wanted))

    ends = excess(-_MOST_SHAPE), excess(_MOST_SHAPE)
    shape = float(optimize.brentq(excess, -_MOST_SHAPE, _MOST_SHAPE)) if ends[0] < 0 < ends[1] else -1.0
    left = np.geomspace(near, least, _TAIL_KNOTS + 2)[1:-1]
    x = edges[0] + (edges[2] - edges[0]) * _reach(left, shape) / _reach(least, shape)
    kept = (x > edges[1]) & (x < edges[2])
    beyond: Floats = (left[kept] - least) / (near - least) * shares[1]
    return x[kept], beyond


def _reach(left: Floats | float, shape: float) -> Floats:
    """How far the law goes until the share ``left`` is beyond, in its scale."""
    logs = -np.log(left)
    found: Floats = logs if abs(shape) < 1e-9 else np.expm1(shape * logs) / shape
    return found


def lattice_of(profile: NumericProfile) -> Floats | None:
    """The values that can occur where all are steps of one length, as counts and rounded ones are; None where they are not.

    >>> from detectors.profile import numeric_profile
    >>> lattice_of(numeric_profile(np.repeat([0.5, 1.0, 1.5, 2.5], 50), None)).tolist()
    [0.5, 1.0, 1.5, 2.0, 2.5]
    """
    edges = np.asarray(profile.edges, dtype=np.float64)
    if len(profile.atoms) < _LEAST_ATOMS or profile.minimum is None or profile.maximum is None:
        return None
    step, span = float(np.diff(profile.atoms).min()), profile.maximum - profile.minimum
    if not span <= MOST_STEPS * step:
        return None
    steps = (edges - profile.minimum) / step
    if np.mean(np.abs(steps - np.rint(steps)) <= _ON_STEP) < _MOSTLY:
        return None
    points = profile.minimum + step * np.arange(round(span / step) + 1)
    own = edges[np.append(True, edges[1:] > np.nextafter(edges[:-1], np.inf))]  # not those that only end an atom's bin
    near = own[np.clip(np.searchsorted(own, points - step / 2), 0, len(own) - 1)]
    found: Floats = np.where(np.abs(near - points) <= _ON_STEP * step, near, points)
    return found


def _on_lattice(
    points: Floats, edges: Floats, atoms: Floats, *, spread: tuple[Floats, Floats], rows: int
) -> Distribution:
    """All values at points: what is spread from one to the next belongs to the lower one."""
    ends = np.append(points, np.inf)
    shares = np.diff(np.interp(ends, *spread))
    held = np.flatnonzero(atoms)
    shares[np.searchsorted(points, edges[held])] += atoms[held]
    return Distribution(points, shares, edges[[0, -1]], np.zeros(2), rows)
