"""Columns to which something known has happened: seven distributions, sixteen causes, and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detectors.bin_counts import Binning
from detectors.moments import CLIP, STEPS, quantise, variance_of
from detectors.outside import outside_keys
from detectors.profile import numeric_profile
from detectors.signatures.cells import Window
from detectors.signatures.signature import Signature, signature
from detectors.value_buckets import bucket_of
from schemas.reference import NumericProfile

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
REFERENCE_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Cause:
    """What happens to the values; ``scale`` and ``shift`` (in sd where ``in_sd``) of a linear cause are what must be said."""

    name: str
    family: str
    to: Callable[[Floats, Floats, np.random.Generator], Floats]
    scale: float | None = None
    shift: float = 0.0
    in_sd: bool = False
    unit: str | None = None


DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda random, n: random.normal(15.0, 8.0, n),
    "lognormal": lambda random, n: random.lognormal(1.0, 0.8, n),
    "gamma": lambda random, n: random.gamma(2.0, 3.0, n),
    "uniform": lambda random, n: random.uniform(0.0, 100.0, n),
    "zero-inflated": lambda random, n: np.where(random.random(n) < 0.6, 0.0, random.gamma(2.0, 10.0, n)),
    "counts": lambda random, n: random.poisson(6.0, n).astype(np.float64),
    "heavy tails": lambda random, n: random.standard_t(3.0, n) * 2.0 + 1.0,
}


def _linear(name: str, family: str, scale: float, shift: float = 0.0, unit: str | None = None) -> Cause:
    return Cause(name, family, lambda x, of, random: scale * x + shift, scale, shift, unit=unit)


def _moved(sds: float) -> Cause:
    return Cause(f"shift {sds:g} sd", "shift", lambda x, of, random: x + sds * of.std(), 1.0, sds, in_sd=True)


def _lost(x: Floats, of: Floats, random: np.random.Generator) -> Floats:
    return x[x <= np.quantile(of, 0.7)]


def _two_atoms(random: np.random.Generator, rows: int) -> Floats:
    which = random.random(rows)
    return np.where(which < 0.3, 0.0, np.where(which < 0.5, 100.0, random.uniform(0.0, 100.0, rows)))


def _filled(with_value: float, share: float) -> Callable[[Floats, Floats, np.random.Generator], Floats]:
    return lambda x, of, random: np.where(random.random(len(x)) < share, with_value, x)


CAUSES = (
    _moved(1.0),
    _moved(3.0),
    _linear("scale 1.5", "scale", 1.5),
    _linear("x 100", "unit", 100.0, unit="x10^2"),
    _linear("x .01", "unit", 0.01, unit="x10^-2"),
    _linear("s -> ms", "unit", 1000.0, unit="x10^3"),
    _linear("degC -> degF", "unit", 1.8, 32.0, unit="degC->degF"),
    Cause("degF -> degC", "unit", lambda x, of, random: (x - 32.0) / 1.8, 1.0 / 1.8, -32.0 / 1.8, unit="degF->degC"),
    _linear("km -> mi", "unit", 1.0 / 1.609344, unit="km->mi"),
    _linear("m -> ft", "unit", 1.0 / 0.3048, unit="m->ft"),
    _linear("sign flip", "sign_flip", -1.0),
    Cause("clip at 80 %", "clip", lambda x, of, random: np.minimum(x, np.quantile(of, 0.8))),
    Cause("fill 0, 20 %", "fill", _filled(0.0, 0.2)),
    Cause("fill -999, 10 %", "fill", _filled(-999.0, 0.1)),
    Cause("stuck", "stuck", lambda x, of, random: np.full(len(x), x[0])),
    Cause("rows lost", "rows_lost", _lost),
)

OTHER_DISTRIBUTIONS: dict[str, Draw] = {
    "bimodal": lambda random, n: np.where(random.random(n) < 0.4, random.normal(0, 1, n), random.normal(6, 1.5, n)),
    "beta": lambda random, n: random.beta(2.0, 5.0, n),
    "weibull": lambda random, n: 10.0 * random.weibull(0.8, n),
    "rounded": lambda random, n: np.round(2.0 * random.normal(20.0, 5.0, n)) / 2.0,
    "pressure": lambda random, n: random.normal(1013.0, 7.0, n),
    "year": lambda random, n: np.floor(random.triangular(1960.0, 2005.0, 2013.0, n)),
    "two atoms": lambda random, n: _two_atoms(random, n),
}
"""Drawn up after the thresholds were set. Two rules came of them: lattices, and a shift before a scale that is the same."""

OTHER_CAUSES = (
    _moved(-1.0),
    _moved(2.0),
    _linear("scale .7", "scale", 0.7),
    _linear("x 10", "unit", 10.0, unit="x10^1"),
    _linear("ms -> s", "unit", 0.001, unit="x10^-3"),
    _linear("kg -> lb", "unit", 1.0 / 0.45359237, unit="kg->lb"),
    _linear("cm -> in", "unit", 1.0 / 2.54, unit="cm->in"),
    _linear("degC -> K", "unit", 1.0, 273.15, unit="degC->K"),
    _linear("min -> s", "unit", 60.0, unit="min->s"),
    Cause("clip below 15 %", "clip", lambda x, of, random: np.maximum(x, np.quantile(of, 0.15))),
    Cause("clip both ends", "clip", lambda x, of, random: np.clip(x, *np.quantile(of, (0.1, 0.9)))),
    Cause("fill mean, 30 %", "fill", lambda x, of, random: np.where(random.random(len(x)) < 0.3, of.mean(), x)),
    Cause("fill -1, 15 %", "fill", _filled(-1.0, 0.15)),
    Cause("lowest lost", "rows_lost", lambda x, of, random: x[x >= np.quantile(of, 0.25)]),
    Cause("middle lost", "rows_lost", lambda x, of, random: x[np.abs(x - np.quantile(of, 0.5)) > 0.4 * of.std()]),
    Cause("stuck", "stuck", lambda x, of, random: np.full(len(x), x[3])),
)

ALL = DISTRIBUTIONS | OTHER_DISTRIBUTIONS

DRIFTS: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = {
    "30 % at 3 sd": lambda x, of, random: _some(x, of.mean() + of.std() * random.normal(3.0, 0.5, len(x)), 0.3, random),
    "30 % at -1 sd": lambda x, of, random: _some(
        x, of.mean() - of.std() * random.normal(1.0, 0.3, len(x)), 0.3, random
    ),
    "half shifted by 1 sd": lambda x, of, random: _some(x, x + of.std(), 0.5, random),
    "10 % times 100": lambda x, of, random: _some(x, 100.0 * x, 0.1, random),
    "spread by 1.6": lambda x, of, random: of.mean() + 1.6 * (x - of.mean()),
    "noise of 1 sd": lambda x, of, random: x + of.std() * random.standard_normal(len(x)),
    "even over the range": lambda x, of, random: random.uniform(np.quantile(of, 0.01), np.quantile(of, 0.99), len(x)),
    "to the power 1.5": lambda x, of, random: np.sign(x) * np.abs(x) ** 1.5,
}
"""Drifts that are none of the causes."""


def _some(x: Floats, other: Floats, share: float, random: np.random.Generator) -> Floats:
    return np.where(random.random(len(x)) < share, other, x)


Said = Literal["right", "silent", "wrong"]


def window_of(values: Floats, profile: NumericProfile) -> Window:
    """A window as panes would count it."""
    if not values.size:
        return Window(np.zeros(len(profile.edges) + 1, np.int64), np.inf, -np.inf)
    keys = outside_keys(values, minimum=profile.minimum or 0.0, maximum=profile.maximum or 0.0, sd=profile.scale)
    return Window(
        Binning(profile.edges).count(values).bins,
        float(values.min()),
        float(values.max()),
        np.bincount(keys[keys >= 0], minlength=64),
        np.bincount(bucket_of(values), minlength=16),
        _sd(values, profile),
    )


def _sd(values: Floats, profile: NumericProfile) -> float | None:
    """As the fixed-point sums of panes give it, where nothing was cut before it was added."""
    q = quantise(values, mean=profile.center, sd=profile.scale)
    if np.abs(q).max() >= CLIP * STEPS:
        return None
    variance = variance_of(int(q.sum()), int((q * q).sum()), len(q), sd=profile.scale)
    return None if variance is None else variance**0.5


def reference(name: str, seed: int, rows: int = REFERENCE_ROWS) -> tuple[Floats, NumericProfile]:
    values = ALL[name](np.random.default_rng(seed), rows)
    return values, numeric_profile(values, None)


def said_of(cause: Cause, found: Signature | None, of: Floats) -> Said:
    """Right: the family with its parameters; of a unit also the same map without its name."""
    if found is None:
        return "silent"
    if found.family == cause.family and cause.scale is None:
        return "right"
    if cause.unit is not None and found.parameters.get("unit") == cause.unit:
        return "right"
    if cause.scale is None or found.family not in ("shift", "scale", "sign_flip"):
        return "wrong"
    flipped = -1.0 if found.family == "sign_flip" else 1.0
    scale, shift = float(found.parameters.get("scale", flipped)), float(found.parameters.get("shift", 0.0))
    return "right" if _near(cause, scale, shift, of) and found.family in (cause.family, "scale") else "wrong"


def _near(cause: Cause, scale: float, shift: float, of: Floats) -> bool:
    meant = cause.shift * (of.std() if cause.in_sd else 1.0)
    size = abs(cause.scale or 1.0)
    return abs(scale / (cause.scale or 1.0) - 1.0) <= 0.1 and abs(shift - meant) <= 0.2 * of.std() * size


def said(name: str, cause: Cause, *, rows: int, seeds: range) -> Counter[Said]:
    found: Counter[Said] = Counter()
    for seed in seeds:
        random = np.random.default_rng([seed, rows, (*CAUSES, *OTHER_CAUSES).index(cause)])
        of, profile = reference(name, seed)
        values = cause.to(ALL[name](random, rows), of, random)
        found[said_of(cause, signature(profile, window_of(values, profile)), of)] += 1
    return found
