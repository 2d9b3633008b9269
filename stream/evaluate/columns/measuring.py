"""What a window's counts say of every column beside its reference: all columns in one pass, as arrays by place.

Pure; nothing here decides.  A number that has no meaning (no value, no reference) is None once it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import chi_squared, kolmogorov_smirnov, psi_of_columns
from detectors.moments import STEPS
from detectors.segments import totals
from schemas.reports import Measure
from stream.evaluate.columns.rules import LEAST_ROWS, ColumnRules, Thresholds, exceeds
from stream.evaluate.columns.yardstick import Place, Yardstick
from stream.state.packing import Partial

Ints = NDArray[np.int64]
Numbers = list[float]


@dataclass(frozen=True, slots=True)
class Held:
    """Statistics by held column: PSI and its value with no drift, then KS of the numeric ones and chi-squared of names.

    Of a column of the other type the entry of a statistic is 0.  ``folded``: the counts in the yardstick's folded bins.
    """

    psi: Numbers
    expected: Numbers
    ks: Numbers
    ks_p: Numbers
    chi2: Numbers
    chi2_p: Numbers
    folded: Ints


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows with a value and without one, by place."""

    values: list[int]
    missing: list[int]


def sizes_of(yardstick: Yardstick, partial: Partial) -> Sizes:
    """How many rows of each place have a value, and how many have none that can be used."""
    sums = _between(partial.cells, yardstick.bounds)
    return Sizes(sums[0::3].tolist(), sums[1::3].tolist())


def statistics_of(yardstick: Yardstick, partial: Partial) -> Held:
    """Every held column against its reference; meaningless where the column has no row."""
    folded = folded_of(yardstick, partial)
    psi, bins = psi_of_columns.driftline(yardstick.folded, folded, yardstick.starts)
    rows = totals(folded, yardstick.starts)
    expected = psi_of_columns.expected(bins, rows, yardstick.rows)
    ks, ks_p = _kolmogorov_smirnov(yardstick, partial)
    chi2, chi2_p = _chi_squared(yardstick, folded)
    return Held(psi.tolist(), expected.tolist(), ks, ks_p, chi2, chi2_p, folded)


def folded_of(yardstick: Yardstick, partial: Partial) -> Ints:
    """The counts of all held columns in the yardstick's folded bins."""
    return _between(partial.cells, yardstick.fold_bounds)[yardstick.fold_kept]


def mean_of(place: Place, sums: Sequence[int], n: int) -> float | None:
    """The mean of a numeric column's values in their own unit, from a partial's sums; None of names or of no value."""
    if place.number is None or not n:
        return None
    mean = place.center + place.scale * (sums[2 * place.number] / (STEPS * n))
    # A reference near the end of the floats, and values far beyond it.
    return mean if math.isfinite(mean) else None


def measures_of(place: Place, rules: ColumnRules, held: Held, *, values: int) -> dict[str, Measure]:
    """The statistics of a held column, each marked where a rule decides by it; KS and chi-squared need enough values."""
    at, thresholds = place.held, rules.thresholds
    found = {"psi": _decided("psi", held.psi[at], thresholds, expected=held.expected[at])}
    if values < LEAST_ROWS:
        return found
    name, p_rule, value, p = (
        ("chi2", "chi2_p", held.chi2[at], held.chi2_p[at])
        if place.number is None
        else ("ks", "ks_p", held.ks[at], held.ks_p[at])
    )
    found[name] = _decided(name, value, thresholds, p=p)
    if p_rule in thresholds:
        found[p_rule] = _decided(p_rule, p, thresholds, p=p)
    return found


def missing_measures(ratio: float | None, rules: ColumnRules) -> dict[str, Measure]:
    """The share of rows without a usable value as a measure, where a rule decides by it."""
    if rules.missing is None or ratio is None:
        return {}
    return {"missing": Measure(ratio, "share of rows", threshold=rules.missing, exceeded=ratio > rules.missing)}


#: What each statistic is called in full.
CONVENTIONS = {
    "psi": "driftline",
    "ks": "stored bins",
    "ks_p": "stored bins, limit law",
    "chi2": "2 x k, values",
    "chi2_p": "2 x k, values",
}


def _decided(
    rule: str, value: float, thresholds: Thresholds, *, p: float | None = None, expected: float | None = None
) -> Measure:
    threshold = thresholds.get(rule)
    beyond = threshold is not None and exceeds(rule, value, threshold)
    return Measure(value, CONVENTIONS[rule], p, expected, threshold, beyond)


def _kolmogorov_smirnov(yardstick: Yardstick, partial: Partial) -> tuple[Numbers, Numbers]:
    counts = np.where(yardstick.inside, partial.cells[yardstick.grid], 0)
    n, m = counts.sum(axis=1), yardstick.values[yardstick.numeric]
    d = kolmogorov_smirnov.distance(yardstick.shares, kolmogorov_smirnov.cumulative(counts))
    p = kolmogorov_smirnov.p_value(d, kolmogorov_smirnov.effective(n, m))
    return _by_held(yardstick, yardstick.numeric, d), _by_held(yardstick, yardstick.numeric, p)


def _chi_squared(yardstick: Yardstick, folded: Ints) -> tuple[Numbers, Numbers]:
    names, starts = yardstick.names, yardstick.name_starts
    value, freedom = chi_squared.contingency(yardstick.folded[names], folded[names], starts)
    p = chi_squared.p_value(value, freedom)
    return _by_held(yardstick, yardstick.named, value), _by_held(yardstick, yardstick.named, p)


def _by_held(yardstick: Yardstick, held: Ints, values: NDArray[np.float64]) -> Numbers:
    spread = np.zeros(len(yardstick.starts))
    spread[held] = values
    found: Numbers = spread.tolist()
    return found


def _between(cells: Ints, bounds: Ints) -> Ints:
    """Sums of cells from each bound to the next, the last one to the end."""
    if not len(bounds):
        return bounds
    # A bound may be the end itself, where reduceat wants a cell.
    found: Ints = np.add.reduceat(np.concatenate([cells, _ZERO]), bounds)
    return found


_ZERO = np.zeros(1, np.int64)
