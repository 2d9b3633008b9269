"""Maximum mean discrepancy by random Fourier features: one feature or many together, from sums that merge.

A row x of d standardised values becomes cosines and sines of D random projections (Rahimi and Recht, 2007), whose inner product is
near the Gaussian kernel exp(-|x - y|² / 2d): two rows' |x - y|² is 2d in the mean, so that without d the kernel would see nothing
of an embedding.  A sample is the sum of its rows' vectors and their number, so samples merge by ``+`` and none of their rows is
kept; the squared distance of two means estimates MMD² without bias once each row's product with itself is taken off.  The seed
fixes the projections: two sums are comparable only where seed, D and the number of features agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from detectors.edges import Floats

#: Projections (each gives a cosine and a sine) and seed of the convention ``driftline``.
PROJECTIONS, SEED = 64, 20260101
#: A variance of unit vectors below which nothing varies.
ROUNDING = 1e-15
#: Rows turned at once, few enough to stay in a processor's cache.
BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Sum of the vectors of n rows, 2 D entries."""

    n: int
    sums: Floats

    def __add__(self, other: Sample) -> Sample:
        """Both samples together."""
        return Sample(self.n + other.n, self.sums + other.sums)

    @property
    def mean(self) -> Floats:
        """The mean vector of at least one row."""
        found: Floats = self.sums / self.n
        return found


def name(*, projections: int = PROJECTIONS, seed: int = SEED) -> str:
    """What the number is called: two of other projections are not comparable.

    >>> name()
    'rff 64 seed 20260101'
    """
    return f"rff {projections} seed {seed}"


def sample(standardised: Floats, *, projections: int = PROJECTIONS, seed: int = SEED) -> Sample:
    """The sample of rows (n, features), standardised by the reference's means and standard deviations."""
    total = np.zeros(2 * projections)
    for start in range(0, len(standardised), BLOCK):
        total += vectors(standardised[start : start + BLOCK], projections=projections, seed=seed).sum(axis=0)
    return Sample(len(standardised), total)


def vectors(standardised: Floats, *, projections: int = PROJECTIONS, seed: int = SEED) -> Floats:
    """The vector of each row, (n, 2 D), each of length 1."""
    drawn = np.random.default_rng(seed).standard_normal((standardised.shape[1], projections))
    angles = standardised @ (drawn / np.sqrt(standardised.shape[1]))
    found: Floats = np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(projections)
    return found


def squared(reference: Sample, current: Sample) -> float | None:
    """MMD² without bias, so a little below 0 at times; None below two rows on a side.

    >>> rows = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> round(squared(sample(rows), sample(rows + 1.0)), 3)
    0.349
    """
    if min(reference.n, current.n) < 2:
        return None
    return _gap(reference, current) - _own(reference) - _own(current)


def p_value(reference: Sample, current: Sample, *, rows: Floats) -> float | None:
    """P(means at least so far apart) with no difference; None below two rows on a side.

    The gap of the means is a weighted sum of squared normals, whose weights are the eigenvalues of the vectors' covariance; a
    chi-squared with its first three moments stands for it.  ``rows``: standardised rows of both, for the covariance.
    """
    if min(reference.n, current.n) < 2:
        return None
    covariance = np.cov(vectors(rows), rowvar=False) * (1.0 / reference.n + 1.0 / current.n)
    return _tail(_gap(reference, current), covariance)


def some(rows: Floats, *, most: int = 4_000) -> Floats:
    """Rows evenly spaced through a sample: enough of them for a covariance.

    >>> some(np.arange(10.0)[:, None], most=4).ravel().tolist()
    [0.0, 3.0, 6.0, 9.0]
    """
    return rows[:: -(-len(rows) // most) or 1]


def _tail(gap: float, covariance: Floats) -> float:
    """P(sum of eigenvalues x chi-squared_1 > gap) by three moments (Imhof, 1961); 1 where nothing varies."""
    square = covariance @ covariance
    c1, c2, c3 = float(np.trace(covariance)), float(np.trace(square)), float((square * covariance).sum())
    if c1 <= ROUNDING or c3 <= 0.0:
        return 1.0
    freedom = c2**3 / c3**2
    standing = (gap - c1) / np.sqrt(2.0 * c2) * np.sqrt(2.0 * freedom) + freedom
    return float(special.chdtrc(freedom, max(0.0, standing)))


def _gap(reference: Sample, current: Sample) -> float:
    return float(((reference.mean - current.mean) ** 2).sum())


def _own(one: Sample) -> float:
    """What rows' products with themselves add to the squared gap: each vector has length 1."""
    return (1.0 - float((one.mean**2).sum())) / (one.n - 1)
