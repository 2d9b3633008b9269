"""A statistic of a pair of columns under a convention: a number, or a state that says why there is none.

Never NaN, never infinity, never a warning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detectors.conventions.matrix import CONVENTIONS, kinds
from detectors.conventions.method import STATISTICS, Convention, Found, Kind, OfNames, OfNumbers, OfVectors, Statistic
from detectors.conventions.pair import NamesPair, Pair
from detectors.conventions.vectors import VectorsPair

State = Literal["ok", "not_enough_data", "no_traffic", "no_reference"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A number under its convention.

    value: None where there is no number; state and reason then say why. n: rows with a value on each side.
    """

    statistic: Statistic
    convention: str
    value: float | None
    p_value: float | None
    n_reference: int
    n_current: int
    state: State
    reason: str = ""


class NoSuchPair(ValueError):
    """A statistic that a convention does not have, or not for such a column."""


def measure(pair: Pair, statistic: str, convention: str = "driftline") -> Measured:
    """The statistic of a pair.

    :raises NoSuchPair: the matrix has no such cell for this kind of column.

    >>> from detectors.conventions.pair import numeric_pair
    >>> measure(numeric_pair(np.arange(10.0), np.arange(10.0) + 5), "ks").value
    0.5
    """
    kind = kind_of(pair)
    if kind not in kinds(statistic, convention):
        raise NoSuchPair(f"there is no {statistic} of a {kind} column in the convention {convention}")
    named = next(name for name in STATISTICS if name == statistic)
    return _told(pair, named, convention, found=_found(pair, named, convention))


def kind_of(pair: Pair) -> Kind:
    """The kind of a column's values."""
    if isinstance(pair, VectorsPair):
        return "embedding"
    return "categorical" if isinstance(pair, NamesPair) else "numeric"


def state_of(pair: Pair, *, counts_missing: bool) -> State:
    """``ok`` where both sides hold something to compare.

    counts_missing: rows without a value are something, a bin of their own.
    """
    then, now = pair.n_reference, pair.n_current
    if counts_missing and not isinstance(pair, VectorsPair):
        then, now = pair.profile.rows, now + pair.missing
    if not then:
        return "no_reference"
    return "ok" if now else "no_traffic"


#: What stands in words where a side is empty.
EMPTY = {"no_reference": "the reference holds no value", "no_traffic": "there is no current value"}


def _found(pair: Pair, statistic: Statistic, convention: str) -> Found:
    """What the method finds; what it cannot compute, such as bins of an infinite range, is a reason."""
    whose = CONVENTIONS[convention]
    state = _state(pair, statistic, convention)
    if state != "ok":
        return Found(None, reason=EMPTY[state])
    method = _method(pair, statistic, whose)
    if method.needs == "rows" and not pair.has_rows:
        return Found(None, reason=f"{convention} needs the reference's rows; the reference is a profile")
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return method.function(pair)  # type: ignore[arg-type]
    except (ValueError, ArithmeticError, MemoryError) as error:
        return Found(None, reason=f"cannot be computed on these values: {error}")


def _method(pair: Pair, statistic: Statistic, whose: Convention) -> OfNumbers | OfNames | OfVectors:
    if isinstance(pair, VectorsPair):
        return whose.embedding[statistic]
    return whose.categorical[statistic] if isinstance(pair, NamesPair) else whose.numeric[statistic]


def _state(pair: Pair, statistic: Statistic, convention: str) -> State:
    binned = CONVENTIONS[convention].counts_missing and statistic in ("psi", "kl", "js", "hellinger", "tv", "linf")
    return state_of(pair, counts_missing=binned)


def _told(pair: Pair, statistic: Statistic, convention: str, *, found: Found) -> Measured:
    value, reason = found.value, found.reason
    if value is not None and not math.isfinite(value):
        value, reason = None, "infinite: a bin that one side fills and the other leaves empty"
    state = _state(pair, statistic, convention)
    return Measured(
        statistic=statistic,
        convention=f"{convention} ({found.exactly})" if found.exactly else convention,
        value=None if value is None else value + 0.0,
        p_value=None if found.p_value is None or math.isnan(found.p_value) else found.p_value,
        n_reference=pair.n_reference,
        n_current=pair.n_current,
        state="not_enough_data" if state == "ok" and value is None else state,
        reason="" if value is not None else reason or "there is no such number of these values",
    )
