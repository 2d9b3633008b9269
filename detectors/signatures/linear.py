"""Linear causes: every value became ``scale * x + shift``. Units and the sign flip are tried, the others are fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.signatures.fits import Family, Fit
from detectors.signatures.scores import Scene
from detectors.signatures.units import UNITS, Unit

Floats = NDArray[np.float64]
Map = Callable[[Floats], tuple[Floats, Floats]]

LEVELS = np.arange(1, 20) / 20
TINY = 1e-300
_FARTHEST = 60.0
#: A search looks at so many points a round and narrows to a part of the width; seven rounds end at 1e-4 of it.
_POINTS, _PART, _ROUNDS = 13, 0.3, 7
_AROUND = np.linspace(-1.0, 1.0, _POINTS)
_GRID = np.linspace(-1.0, 1.0, 7)


def linear_fits(scene: Scene) -> list[Fit]:
    """The best of each: units, sign flip, shift and scale."""
    then, now = scene.of.quantiles(LEVELS), window_quantiles(scene)
    found = [*_named(scene), _shift(scene, then, now), _scale(scene, then, now)]
    return [fit for fit in found if fit is not None]


def affine_fits(scene: Scene) -> list[Fit]:
    """Scale and shift together, of either sign: the better one, which no cause is named after."""
    fit = _affine(scene, scene.of.quantiles(LEVELS), window_quantiles(scene))
    return [] if fit is None else [fit]


def window_quantiles(scene: Scene) -> Floats:
    """The window's values at `LEVELS`, spread within cells that the exact ends close."""
    held = np.flatnonzero(scene.cells.counts)
    low, high = scene.cells.bounds[held], scene.cells.bounds[held + 1]
    upto = np.cumsum(scene.shares[held])
    levels = np.column_stack([upto - scene.shares[held], upto]).ravel()
    found: Floats = np.interp(LEVELS, levels, np.column_stack([low, high]).ravel())
    return found


def _named(scene: Scene) -> list[Fit]:
    scale = np.array([unit.scale for unit in UNITS] + [-1.0])
    shift = np.array([unit.shift for unit in UNITS] + [0.0])
    predicted = scene.predicted(scale, shift)
    scores, chance = scene.divergence(predicted).tolist(), scene.chances(predicted).tolist()
    found = [
        Fit("unit", score, by_chance, 0, _said(unit), {"unit": unit.name}, unit.scale, unit.shift)
        for unit, score, by_chance in zip(UNITS, scores, chance, strict=False)
    ]
    return [*found, Fit("sign_flip", scores[-1], chance[-1], 0, "the sign is flipped: x -> -x", {}, -1.0, 0.0)]


def _said(unit: Unit) -> str:
    return f"{unit.words}: x -> {_map(unit.scale, unit.shift)}"


def _shift(scene: Scene, then: Floats, now: Floats) -> Fit | None:
    """Every value moved by the same: from the differences of quantiles, then closer."""
    candidates = now - then
    width = float(np.ptp(candidates)) / 4.0 or 1e-6 * (1.0 + abs(float(candidates[0])))
    ones = np.ones_like
    best = _search(scene, candidates, width=width, to=lambda moves: (ones(moves), moves))
    return _fit(scene, "shift", 1, scale=1.0, shift=best)


def _scale(scene: Scene, then: Floats, now: Floats) -> Fit | None:
    """Every value times the same, sign kept: the logarithm of the factor is searched."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = now / then
    usable = np.isfinite(ratio) & (ratio > 0)
    if not usable.any():
        return None
    logs = np.log(ratio[usable])
    width = max(float(np.ptp(logs)) / 4.0, 1e-6)
    best = _search(scene, logs, width=width, to=lambda moves: (_exp(moves), np.zeros_like(moves)))
    return _fit(scene, "scale", 1, scale=float(_exp(best)), shift=0.0)


def _search(scene: Scene, candidates: Floats, *, width: float, to: Map) -> float:
    """The best of the candidates, then of points around the best so far, ever closer."""
    best, least = 0.0, np.inf
    points = np.unique(candidates)
    for turn in range(_ROUNDS):
        scores = scene.divergences(*to(points))
        at = int(np.argmin(scores))
        if scores[at] < least:
            best, least = float(points[at]), float(scores[at])
        points = best + width * _PART**turn * _AROUND
    return best


def _exp(log: Floats | float) -> Floats:
    """A factor that neither vanishes nor overflows."""
    found: Floats = np.exp(np.clip(log, -_FARTHEST, _FARTHEST))
    return found


def _affine(scene: Scene, then: Floats, now: Floats) -> Fit | None:
    """Scale and shift together, of either sign; searched in where the median goes and the logarithm of the factor."""
    fits = [_affine_of(scene, then, end, sign=sign) for sign, end in ((1.0, now), (-1.0, now[::-1]))]
    return min((fit for fit in fits if fit is not None), key=lambda fit: fit.score, default=None)


def _affine_of(scene: Scene, then: Floats, now: Floats, *, sign: float) -> Fit | None:
    middle, spread = float(then[9]), float(then[15] - then[3])
    to, size = float(now[9]), abs(float(now[15] - now[3]))
    if spread < TINY or size < TINY:
        return None
    log, far = float(np.log(size / spread)), size / 2.0
    near = 0.5
    least = np.inf
    best = (to, log)
    for _ in range(_ROUNDS - 1):
        places, logs = np.meshgrid(best[0] + far * _GRID, best[1] + near * _GRID)
        scale = sign * _exp(logs.ravel())
        scores = scene.divergences(scale, places.ravel() - scale * middle)
        at = int(np.argmin(scores))
        if scores[at] < least:
            best, least = (float(places.ravel()[at]), float(logs.ravel()[at])), float(scores[at])
        far, near = far * _PART, near * _PART
    factor = sign * float(_exp(best[1]))
    return _fit(scene, "affine", 2, scale=factor, shift=best[0] - factor * middle)


def _fit(scene: Scene, family: Family, fitted: int, *, scale: float, shift: float) -> Fit:
    predicted = scene.predicted(np.array([scale]), np.array([shift]))[0]
    score = float(scene.divergence(predicted)) + scene.price(fitted)
    parameters: dict[str, float | str] = {}
    if family != "shift":
        parameters["scale"] = scale
    if family != "scale":
        parameters["shift"] = shift
    words = f"x -> {_map(scale, shift, digits=3)}"
    return Fit(family, score, scene.chance(predicted), fitted, words, parameters, scale, shift)


def _map(scale: float, shift: float, *, digits: int = 6) -> str:
    """
    >>> _map(1.8, 32.0), _map(1.0, -2.0), _map(0.001, 0.0), _map(1.4971, 0.0, digits=3)
    ('1.8 x + 32', 'x - 2', '0.001 x', '1.5 x')
    """
    of = "x" if scale == 1.0 else f"{scale:.{digits}g} x"
    return of if shift == 0.0 else f"{of} {'+' if shift > 0 else '-'} {abs(shift):.{digits}g}"
