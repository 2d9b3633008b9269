"""What may have happened to a numeric feature, from counts alone; silent when unsure.

Each cause predicts how a window would lie in the reference's bins and beyond them.  A cause is named where it explains at least
`EXPLAINED` of the divergence from the reference and no other family comes near; among linear maps, where no other map comes near.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.signatures.cells import Cells, Window, cells_of
from detectors.signatures.fits import Family, Fit
from detectors.signatures.linear import affine_fits, linear_fits
from detectors.signatures.partial import clip_fits, fill_fits, lost_fits
from detectors.signatures.scores import Scene, scene_of
from schemas.reference import NumericProfile

#: Fewer values than these are not looked at.
LEAST_ROWS = 50
#: A reference of fewer values has too rough a shape to be moved.
LEAST_REFERENCE = 1_000
#: Share of the divergence that a cause must explain, and shares of it by which rivals must be worse.
EXPLAINED, FAMILY_GAP, LINEAR_GAP = 0.85, 0.05, 0.02
#: Where the divergence is huge, so much of it is enough; and where rows are few, so much of twice the log-likelihood.
MOST_FAMILY_GAP, MOST_LINEAR_GAP, LEAST_RATIO = 0.05, 0.05, 6.0
#: A free shift or scale is what any drift looks like a little: it must explain more.
EXPLAINED_FREE = 0.95
#: A cause that leaves no more than chance, within so many standard errors, need not explain as much.
FITS_WITHIN, EXPLAINED_IF_FITS = 2.0, 0.6
#: Twice the log-likelihood that the cause must gain: what is no drift has no cause.
LEAST_GAIN = 30.0
#: A free fit so near to a unit is the unit.
SNAP = 0.02
#: Beyond such a factor only units are believed; and a map must make the standard deviation so nearly what it is.
FAR, SD_WITHIN = 5.0, 1.5
#: Factors so far from a unit must be worse by so much, in twice the log-likelihood.
PRECISE, PRECISE_RATIO = 1.06, 4.0
#: Maps are the same where they move the quantiles alike: in sd of the window, at least, and standard errors of a mean.
SAME_SD, SAME_ERRORS = 0.1, 3.0
#: Values are told apart up to here.
FARTHEST = 1e100
_STUCK_BY_CHANCE = 1e-6
_COMPARED = np.arange(1, 10) / 10


@dataclass(frozen=True, slots=True)
class Signature:
    """A likely cause. ``explained``: the share of the divergence from the reference that it accounts for, 0 to 1."""

    family: Family
    words: str
    explained: float
    n: int
    parameters: Mapping[str, float | str]


def signature(profile: NumericProfile, window: Window) -> Signature | None:
    """The cause of what a window looks like, or None: no drift, too few values, or nothing that stands out.

    :raises ValueError: the window's counts do not fit the profile.
    """
    cells = cells_of(profile, window)
    if cells.rows < LEAST_ROWS or sum(profile.counts) < LEAST_REFERENCE or not _is_usable(profile, window):
        return None
    if window.minimum == window.maximum:
        return _stuck(profile, cells, window.minimum)
    scene = scene_of(profile, cells, sd=window.sd)
    ends = (window.minimum, window.maximum)
    filled = fill_fits(scene, profile, window.buckets, ends=ends)
    linear, others = linear_fits(scene), (clip_fits(scene, ends=ends), lost_fits(scene, ends=ends), filled)
    # Most drifts are none of the causes, and the free map, which is only a rival, costs more than all the others.
    if not any(_convincing(scene, fit) for fits in (linear, *others) for fit in fits):
        return None
    best = _best(scene, [*linear, *affine_fits(scene)], others)
    return None if best is None else _named(scene, best)


def _is_usable(profile: NumericProfile, window: Window) -> bool:
    """Whether the reference holds two values, and nothing is so far out that it cannot be multiplied."""
    if profile.minimum is None or profile.maximum is None or profile.minimum == profile.maximum:
        return False
    ends = (profile.minimum, profile.maximum, window.minimum, window.maximum)
    return max(map(abs, ends)) < FARTHEST and profile.maximum - profile.minimum > 1.0 / FARTHEST


def _stuck(profile: NumericProfile, cells: Cells, value: float) -> Signature | None:
    """One value in all rows, unless the reference holds it so often that chance may do that."""
    at = int(np.searchsorted(profile.edges, value, side="right"))
    share = profile.counts[at] / sum(profile.counts)
    if share > 0 and cells.rows * math.log(share) > math.log(_STUCK_BY_CHANCE):
        return None
    return Signature("stuck", f"stuck at {value:.6g}", 1.0, cells.rows, {"value": value})


def _best(scene: Scene, linear: list[Fit], others: tuple[list[Fit], ...]) -> Fit | None:
    """The best fit of the family that stands out, or None."""
    families = [min(fits, key=lambda fit: fit.score) for fits in (linear, *others) if fits]
    families.sort(key=lambda fit: fit.score)
    best = families[0]
    if any(rival.score - best.score < min(FAMILY_GAP * scene.base, MOST_FAMILY_GAP) for rival in families[1:]):
        return None
    chosen = _plain(scene, linear, best) if best.linear else best
    return chosen if chosen is not None and _convincing(scene, chosen) else None


def _convincing(scene: Scene, fit: Fit) -> bool:
    gain = scene.base - fit.score
    noise = FITS_WITHIN * math.sqrt(2.0 * np.count_nonzero(scene.shares)) / (2.0 * scene.known)
    explained, fits = explained_by(scene, fit), fit.score - fit.chance <= noise
    least = EXPLAINED_FREE if fit.family in ("shift", "scale") else EXPLAINED
    return 2.0 * scene.known * gain >= LEAST_GAIN and (explained >= least or (fits and explained >= EXPLAINED_IF_FITS))


def explained_by(scene: Scene, fit: Fit) -> float:
    """Of the divergence beyond chance, the share that is gone once this is assumed."""
    beyond = scene.base - fit.chance
    return min(1.0, (scene.base - fit.score) / beyond) if beyond > 0 else 0.0


def _plain(scene: Scene, linear: list[Fit], best: Fit) -> Fit | None:
    """The map in words, if only one comes near: a unit where it must be that one, else the free fit."""
    gap = max(min(LINEAR_GAP * scene.base, MOST_LINEAR_GAP), LEAST_RATIO / (2.0 * scene.known))
    near = [fit for fit in linear if fit.score <= best.score + gap and fit.family != "affine" and _spreads(scene, fit)]
    units = [fit for fit in near if _is_scale_unit(fit)]
    whole = sorted((fit for fit in near if not _is_scale_unit(fit)), key=lambda fit: fit.score)
    if not all(_same(scene, whole[0], fit) for fit in whole[1:]):
        return None
    chosen = min(whole, key=lambda fit: (fit.fitted, fit.family == "scale"), default=None)  # sorted: the best of equals
    return chosen if chosen is not None and chosen.family != "scale" else _unit_or_scale(scene, chosen, units)


def _unit_or_scale(scene: Scene, free: Fit | None, units: list[Fit]) -> Fit | None:
    """The unit that the free fit snaps to, else the free fit; far from 1, where nothing else scales, the only unit there."""
    if any(fit.scale is not None and abs(math.log(fit.scale)) >= math.log(FAR) for fit in units):
        return units[0] if len(units) == 1 else None
    snapping = [unit for unit in units if free is not None and _snaps(free, unit) and _is_precise(scene, unit)]
    return snapping[0] if len(snapping) == 1 else free


def _is_scale_unit(fit: Fit) -> bool:
    """A point of the family of scales: no rival of the free one, but a name for it."""
    return fit.family == "unit" and fit.shift == 0.0


def _snaps(free: Fit, unit: Fit) -> bool:
    return free.scale is not None and unit.scale is not None and abs(unit.scale / free.scale - 1.0) <= SNAP


def _is_precise(scene: Scene, unit: Fit) -> bool:
    """Whether factors a little smaller and larger fit clearly worse: else many a factor may be meant."""
    near = np.array([1.0 / PRECISE, PRECISE]) * (unit.scale or 1.0)
    worse = scene.divergences(near, np.zeros(2)) - unit.score
    return bool(2.0 * scene.known * worse.min() >= PRECISE_RATIO)


def _spreads(scene: Scene, fit: Fit) -> bool:
    """Whether a map makes the standard deviation what it is, where that is known: all values may lie in one cell."""
    ratio = scene.sd_ratio
    return ratio is None or fit.scale is None or abs(math.log(abs(fit.scale) / ratio)) <= math.log(SD_WITHIN)


def _same(scene: Scene, one: Fit, other: Fit) -> bool:
    """Whether two maps move the reference's deciles alike, as far as so many rows can tell."""
    then = scene.of.quantiles(_COMPARED)
    maps = [(fit.scale or 0.0) * then + fit.shift for fit in (one, other)]
    spread = max(float(np.ptp(each)) for each in maps) / 2.563
    allowed = max(SAME_SD, SAME_ERRORS / math.sqrt(scene.known)) * spread
    return bool(np.abs(maps[0] - maps[1]).max() <= allowed)


def _named(scene: Scene, fit: Fit) -> Signature:
    return Signature(fit.family, f"looks like {fit.words}", explained_by(scene, fit), scene.rows, fit.parameters)
