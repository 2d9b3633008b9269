"""Causes that touch a part of the values: clipped at an end, replaced by a default, lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.signatures.distribution import smoothed
from detectors.signatures.fits import Family, Fit
from detectors.signatures.scores import Scene
from detectors.value_buckets import HASH_BUCKETS, bucket_of
from schemas.reference import NumericProfile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: What clips or loses nearly everything is not told from other causes.
MOST_TOUCHED = 0.9
#: Gaps looked into: those where most rows were to be expected.
_MOST_GAPS = 4
#: So much of a filled share must lie in one bucket.
_IN_ONE = 0.6


def clip_fits(scene: Scene, *, ends: tuple[float, float]) -> list[Fit]:
    """Values beyond the window's least and greatest value all set to it."""
    first, last = _span(scene)
    end, low, high = len(scene.shares) - 1, f"{ends[0]:.6g}", f"{ends[1]:.6g}"
    found = [
        _clipped(scene, (first, end), f"clipped below at {low}", parameters={"low": ends[0]}),
        _clipped(scene, (0, last), f"clipped above at {high}", parameters={"high": ends[1]}),
        _clipped(scene, (first, last), f"clipped to {low} … {high}", parameters={"low": ends[0], "high": ends[1]}),
    ]
    return [fit for fit in found if fit is not None]


def lost_fits(scene: Scene, *, ends: tuple[float, float]) -> list[Fit]:
    """Rows lost whose values lay below, above or between: nothing is left where the reference holds some."""
    (first, last), cells = _span(scene), len(scene.shares)
    low, high = f"{ends[0]:.6g}", f"{ends[1]:.6g}"
    below, above = (0, first), (last + 1, cells)
    found = [
        _lost(scene, [below], f"rows below {low} lost", parameters={"below": ends[0]}),
        _lost(scene, [above], f"rows above {high} lost", parameters={"above": ends[1]}),
        _lost(
            scene, [below, above], f"rows outside {low} … {high} lost", parameters={"below": ends[0], "above": ends[1]}
        ),
        *(_between(scene, gap) for gap in _gaps(scene, first, last)),
    ]
    return [fit for fit in found if fit is not None]


def fill_fits(
    scene: Scene, profile: NumericProfile, buckets: ArrayLike | None, *, ends: tuple[float, float]
) -> list[Fit]:
    """A share of the rows replaced by one value: the cell that explains most."""
    w, r = scene.shares, scene.unmoved
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (w - r) / (1.0 - r)
        gain = np.where(share > 0, w * np.log(w / r) + (1.0 - w) * np.log1p(-np.minimum(share, 1.0 - 1e-12)), -np.inf)
    at = int(np.argmax(np.where(np.isfinite(gain), gain, -np.inf)))
    if not np.isfinite(gain[at]):
        return []
    filled = float(share[at])
    value = _value(scene, profile, at, ends=ends)
    if value is None and buckets is not None and not _in_one_bucket(profile, np.asarray(buckets), filled):
        return []
    shares = (1.0 - filled) * scene.unmoved
    shares[at] += filled
    words, parameters = _filled(scene, at, filled, value=value)
    return [_fit(scene, "fill", shares, words=words, parameters=parameters)]


def _filled(scene: Scene, at: int, share: float, *, value: float | None) -> tuple[str, dict[str, float | str]]:
    if value is not None:
        return f"{share:.0%} of the rows hold the default {value:.6g}", {"share": share, "value": value}
    low, high = float(scene.cells.bounds[at]), float(scene.cells.bounds[at + 1])
    words = f"{share:.0%} of the rows hold one value between {low:.6g} and {high:.6g}"
    return words, {"share": share, "from": low, "to": high}


def _value(scene: Scene, profile: NumericProfile, at: int, *, ends: tuple[float, float]) -> float | None:
    """The filled value where the cell tells it: an atom's, or an end of the window that lies beyond the reference."""
    low, high = scene.cells.bounds[at], scene.cells.bounds[at + 1]
    if np.nextafter(low, np.inf) == high:
        return float(low)
    first, last = _span(scene)
    if at == first and profile.minimum is not None and ends[0] < profile.minimum:
        return ends[0]
    if at == last and profile.maximum is not None and ends[1] > profile.maximum:
        return ends[1]
    return None


def _clipped(scene: Scene, kept: tuple[int, int], words: str, *, parameters: Mapping[str, float]) -> Fit | None:
    """The first and the last cell that are kept hold what lay beyond; None where nearly all did."""
    first, last = kept
    below, above = float(scene.unmoved[:first].sum()), float(scene.unmoved[last + 1 :].sum())
    if below + above > MOST_TOUCHED:
        return None
    shares = np.zeros_like(scene.unmoved)
    shares[first : last + 1] = scene.unmoved[first : last + 1]
    shares[first] += below
    shares[last] += above
    return _fit(scene, "clip", shares, words=words, parameters=parameters)


def _lost(scene: Scene, stretches: list[tuple[int, int]], words: str, *, parameters: Mapping[str, float]) -> Fit | None:
    shares = scene.unmoved.copy()
    for start, end in stretches:
        shares[start:end] = 0.0
    lost = 1.0 - float(shares.sum())
    if lost > MOST_TOUCHED:
        return None
    fit = _fit(
        scene, "rows_lost", shares / shares.sum(), words=f"{lost:.0%} of the rows: {words}", parameters=parameters
    )
    return replace(fit, parameters={"share": lost, **parameters})


def _between(scene: Scene, gap: tuple[int, int]) -> Fit | None:
    low, high = (float(scene.cells.bounds[at]) for at in gap)
    return _lost(scene, [gap], f"rows between {low:.6g} and {high:.6g} lost", parameters={"from": low, "to": high})


def _fit(scene: Scene, family: Family, shares: Floats, *, words: str, parameters: Mapping[str, float | str]) -> Fit:
    """A fit with a price for each of its parameters."""
    predicted, fitted = smoothed(shares, len(shares)), len(parameters)
    score = float(scene.divergence(predicted)) + scene.price(fitted)
    return Fit(family, score, scene.chance(predicted), fitted, words, parameters)


def _span(scene: Scene) -> tuple[int, int]:
    held = np.flatnonzero(scene.cells.counts)
    return int(held[0]), int(held[-1])


def _gaps(scene: Scene, first: int, last: int) -> list[tuple[int, int]]:
    """Stretches of empty cells between the ends, most expected rows first."""
    empty = np.concatenate([[False], scene.cells.counts[first : last + 1] == 0, [False]]).astype(np.int8)
    starts, stops = (first + np.flatnonzero(np.diff(empty) == step) for step in (1, -1))
    below = np.concatenate([[0.0], np.cumsum(scene.unmoved)])
    expected = below[stops] - below[starts]
    order = np.argsort(-expected)[:_MOST_GAPS]
    return [(int(starts[at]), int(stops[at])) for at in order if expected[at] * scene.rows >= math.e]


def _in_one_bucket(profile: NumericProfile, buckets: Ints, filled: float) -> bool:
    """Whether one bucket holds what was filled in; values that merely lie close are in many.

    :param buckets: (16,) rows; :param filled: the share of rows that hold one value, if they do.
    """
    rows = int(buckets.sum())
    if not rows:
        return False
    atoms = np.asarray(profile.atoms, dtype=np.float64)
    held = np.asarray(profile.counts)[np.searchsorted(profile.edges, atoms, side="right")] / sum(profile.counts)
    known = np.bincount(bucket_of(atoms), weights=held, minlength=HASH_BUCKETS)
    expected = (1.0 - filled) * (known + (1.0 - held.sum()) / HASH_BUCKETS)
    return bool((buckets / rows - expected).max() >= _IN_ONE * filled)
