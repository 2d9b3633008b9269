"""What an arm of an experiment is known by: sums that add exactly over panes, workers and looks.

`Counts` of a thing that happens or not (a request fails, is slower than its limit), `Sample` of a measured quantity (latency,
rating).  Both add by ``+``, and ``-`` gives what came between two looks.  A sum of whole numbers stays whole up to the last
division, so a constant column has variance 0 exactly; ``unit`` says what one of them is worth.

An answer that cannot be given has a state of its own, never a NaN:

``no_traffic``: an arm without a row. ``not_enough_data``: fewer rows than the method needs. ``no_variance``: all values of
both arms are the same number, or two numbers, each arm its own: by how much they differ is known, by chance it cannot be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: Of a sum of squares in floats, a spread of less is what rounding made: mean / standard deviation above four million.
ROUNDED = 2.0**-44

State = Literal["ok", "no_traffic", "not_enough_data", "no_variance"]


class Interval(NamedTuple):
    """From ``low`` to ``high``, both inside."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies inside.

        >>> Interval(-1.0, 2.0).holds(0.0)
        True
        """
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Counts:
    """``n`` rows, of which ``hits`` are what is counted.  Numbers with a fraction are allowed: see `deflated`.

    >>> Counts(10, 2) + Counts(5, 1)
    Counts(n=15, hits=3)
    """

    n: float
    hits: float

    def __post_init__(self) -> None:
        _refuse(not math.isfinite(self.n) or self.n < 0, f"n is {self.n}: a number of rows, 0 or more")
        _refuse(not 0 <= self.hits <= self.n, f"hits is {self.hits}: some of the {self.n} rows, 0 to {self.n}")

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.n + other.n, self.hits + other.hits)

    def __sub__(self, earlier: Counts) -> Counts:
        return Counts(self.n - earlier.n, self.hits - earlier.hits)

    @property
    def share(self) -> float:
        """Of no row: 0."""
        return self.hits / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """``n`` values with their sum and sum of squares, in units of ``unit``.

    >>> Sample(3, 6, 14).mean, Sample(3, 6, 14).variance
    (2.0, 1.0)
    >>> Sample(3, 6_000_000, 14_000_000_000_000, unit=1e-6).mean
    2.0
    """

    n: float
    total: float
    squares: float
    unit: float = 1.0

    def __post_init__(self) -> None:
        _refuse(not math.isfinite(self.n) or self.n < 0, f"n is {self.n}: a number of values, 0 or more")
        _refuse(not math.isfinite(self.total), f"total is {self.total}: a finite sum")
        _refuse(
            not math.isfinite(self.squares) or self.squares < 0, f"squares is {self.squares}: a finite sum, 0 or more"
        )
        _refuse(not (math.isfinite(self.unit) and self.unit > 0), f"unit is {self.unit}: a number above 0")

    def __add__(self, other: Sample) -> Sample:
        _refuse(self.unit != other.unit, f"a sample in units of {self.unit} and one of {other.unit} have no sum")
        return Sample(self.n + other.n, self.total + other.total, self.squares + other.squares, self.unit)

    def __sub__(self, earlier: Sample) -> Sample:
        _refuse(
            self.unit != earlier.unit, f"a sample in units of {self.unit} and one of {earlier.unit} have no difference"
        )
        return Sample(self.n - earlier.n, self.total - earlier.total, self.squares - earlier.squares, self.unit)

    @property
    def mean(self) -> float:
        """Of no value: 0."""
        return self.unit * (self.total / self.n) if self.n else 0.0

    @property
    def variance(self) -> float:
        """With divisor n - 1; of fewer than two values: 0.  What may be the rounding of float sums is 0, too."""
        if self.n <= 1:
            return 0.0
        spread = self.n * self.squares - self.total * self.total
        if isinstance(spread, float) and spread <= ROUNDED * self.n * self.squares:
            return 0.0
        return max(0.0, spread / (self.n * (self.n - 1))) * self.unit**2


def sample_of(values: list[float]) -> Sample:
    """The sums of some values.

    >>> sample_of([1.0, 2.0, 3.0])
    Sample(n=3, total=6.0, squares=14.0, unit=1.0)
    """
    return Sample(len(values), math.fsum(values), math.fsum(x * x for x in values))


def deflated_counts(counts: Counts, effect: float) -> Counts:
    """The counts of rows of which ``effect`` count as one, because ids come again: see `detectors.experiments.overlap`.

    >>> deflated_counts(Counts(100, 20), 4.0)
    Counts(n=25.0, hits=5.0)
    """
    _refuse(not effect >= 1.0, f"effect is {effect}: so many rows count as one, 1 or more")
    return Counts(counts.n / effect, counts.hits / effect)


def deflated_sample(sample: Sample, effect: float) -> Sample:
    """The sample of values of which ``effect`` count as one.

    >>> deflated_sample(Sample(30, 60, 140), 3.0)
    Sample(n=10.0, total=20.0, squares=46.666666666666664, unit=1.0)
    """
    _refuse(not effect >= 1.0, f"effect is {effect}: so many values count as one, 1 or more")
    return Sample(sample.n / effect, sample.total / effect, sample.squares / effect, sample.unit)


def level(alpha: float) -> float:
    """A level as it may be asked for: above 0, below 1."""
    _refuse(not 0.0 < alpha < 1.0, f"level is {alpha}: a chance above 0 and below 1")
    return alpha


def _refuse(wrong: bool, words: str) -> None:
    if wrong:
        raise ValueError(words)
