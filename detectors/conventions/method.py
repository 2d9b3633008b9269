"""What a convention is made of: functions from a pair of columns to a number, each with what it needs to be computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from detectors.conventions.pair import NamesPair, NumericPair
from detectors.conventions.vectors import VectorsPair

Statistic = Literal[
    "psi", "kl", "js", "hellinger", "tv", "linf", "wasserstein", "ks", "cvm", "chi2", "cramers_v", "z", "mmd"
]
STATISTICS: tuple[Statistic, ...] = (
    "psi",
    "kl",
    "js",
    "hellinger",
    "tv",
    "linf",
    "wasserstein",
    "ks",
    "cvm",
    "chi2",
    "cramers_v",
    "z",
    "mmd",
)
Kind = Literal["numeric", "categorical", "embedding"]
Needs = Literal["counts", "rows"]


class Found(NamedTuple):
    """A number, its p-value where there is one, why there is no number, and a name finer than the convention's."""

    value: float | None
    p_value: float | None = None
    reason: str = ""
    exactly: str = ""


@dataclass(frozen=True, slots=True)
class OfNumbers:
    """A method for numeric columns; both sides hold a value."""

    function: Callable[[NumericPair], Found]
    needs: Needs = "rows"


@dataclass(frozen=True, slots=True)
class OfNames:
    """A method for columns of names; both sides hold one."""

    function: Callable[[NamesPair], Found]
    needs: Needs = "rows"


@dataclass(frozen=True, slots=True)
class OfVectors:
    """A method for embeddings; both sides hold one. There is no profile of them, so it always has rows."""

    function: Callable[[VectorsPair], Found]
    needs: Needs = "rows"


@dataclass(frozen=True, slots=True)
class Convention:
    """A convention: its name, whose it is, and its methods.

    counts_missing: rows without a value are a bin of its own, so a side needs no value to be compared.
    """

    name: str
    source: str
    numeric: Mapping[Statistic, OfNumbers]
    categorical: Mapping[Statistic, OfNames]
    embedding: Mapping[Statistic, OfVectors] = field(default_factory=dict)
    counts_missing: bool = False
