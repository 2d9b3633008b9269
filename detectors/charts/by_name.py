"""Charts that a user asks for by name, each of many columns: what it concludes from a series of values, one after the other.

Each is a function of the series: built anew and shown the same values it says the same.  ``then`` takes a value of each column
(NaN where there is none, which moves nothing) and gives the chart after it.  A detector of river changes as it sees a value, so a
chart of it can go on only once.

An alarm lasts until the value is within half of the limit, for at the limit itself noise would cross it again and again; that of
a detector of river, which begins from nothing after it, for `STANDS` further values.  Those that watch errors are shown
which values lie beyond `WRONG`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from detectors.charts import shewhart
from detectors.charts.river import Shown
from schemas.river import DETECTORS, Value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Values for which an alarm of a detector of river stands.
STANDS = 20
#: A value counts as an error beyond so many sd: one of three that are normal, and still one of twelve of panes
#: whose autocorrelation is .5, so that the first thirty hold one (DDM of river alarms at the first error where they held none).
WRONG = 1.0
#: An alarm lasts until the value is within this share of the limit.
BACK = 0.5
#: Of an exponential weight so much lies on the values that an alarm of the rolling rule may be dated to.
_SURE = 0.95


@dataclass(frozen=True, eq=False, slots=True)
class Signs:
    """What a chart says of each column.

    :param beyond: whether it alarms; ``ready``: whether it can.
    :param value: what it judges, ``limit`` beyond which it alarms; NaN where there is none.
    :param since: values since the alarm began, that one included; 0 where there is none.
    :param back: the first of them and so many before it may be the first that was touched; 0 where the chart does not know.
    """

    beyond: Bools
    ready: Bools
    value: Floats
    limit: Floats
    since: Ints
    back: Ints


class Chart(Protocol):
    """A chart of many columns."""

    def then(self, values: Floats) -> Self:
        """The chart after a further value of each column."""

    @property
    def is_spent(self) -> bool:
        """Whether it cannot go on."""

    @property
    def signs(self) -> Signs:
        """What it says."""


@dataclass(frozen=True, eq=False, slots=True)
class Shewhart:
    """An alarm where a standardised value lies beyond the width."""

    width: float
    value: Floats
    since: Ints

    @staticmethod
    def begun(columns: int, *, width: float) -> Shewhart:
        """No value yet."""
        return Shewhart(width, np.full(columns, np.nan), np.zeros(columns, np.int64))

    def then(self, values: Floats) -> Shewhart:
        """The chart after a further value of each column."""
        since = _since(self.since, np.abs(values), np.full(len(values), self.width))
        return Shewhart(self.width, np.where(np.isnan(values), self.value, values), since)

    @property
    def is_spent(self) -> bool:
        """It can always go on."""
        return False

    @property
    def signs(self) -> Signs:
        """What it says."""
        width, none = np.full(len(self.value), self.width), np.zeros(len(self.value), np.int64)
        return Signs(self.since > 0, ~np.isnan(self.value), self.value, width, self.since, none)


@dataclass(frozen=True, eq=False, slots=True)
class Rolling:
    """An alarm where a value lies so many sd off the mean of those before it (:class:`detectors.charts.shewhart.RollingRule`)."""

    width: float
    rule: shewhart.RollingRule
    value: Floats
    limit: Floats
    since: Ints

    @staticmethod
    def begun(columns: int, *, weight: float, width: float) -> Rolling:
        """No value yet."""
        rule, none = shewhart.RollingRule.begun(columns, weight=weight), np.full(columns, np.nan)
        return Rolling(width, rule, none, none, np.zeros(columns, np.int64))

    def then(self, values: Floats) -> Rolling:
        """The chart after a further value of each column."""
        off, limit = self.rule.distances(values), self.rule.limits(width=self.width)
        seen = ~np.isnan(values) & np.isfinite(limit)
        return Rolling(
            self.width,
            self.rule.after(values),
            np.where(seen, off, self.value),
            np.where(seen, limit, self.limit),
            _since(self.since, np.abs(off), limit),
        )

    @property
    def is_spent(self) -> bool:
        """It can always go on."""
        return False

    @property
    def signs(self) -> Signs:
        """What it says; a jump is absorbed, so it is not older than what the mean remembers."""
        back = math.ceil(math.log(1.0 - _SURE) / math.log(1.0 - self.rule.weight)) if self.rule.weight < 1.0 else 1
        ready = ~np.isnan(self.limit)
        return Signs(self.since > 0, ready, self.value, self.limit, self.since, np.minimum(back, self.rule.count))


class _Detectors:
    """One of river for each column, and how many times values were shown to them: they change as they see them."""

    __slots__ = ("_watches", "each", "shown")

    def __init__(self, columns: int, *, name: str, settings: Mapping[str, Value]) -> None:
        self.each = [Shown(name, **settings) for _ in range(columns)]
        self._watches = DETECTORS[name].watches
        self.shown = 0

    def alarms_at(self, values: Floats, there: Bools) -> Bools:
        """Whether each alarms at one more value; those without one are shown nothing."""
        self.shown += 1
        seen = as_errors(values) if self._watches == "errors" else values
        raised = np.zeros_like(there)
        for column in np.flatnonzero(there).tolist():
            raised[column] = self.each[column].alarms_at(float(seen[column]))
        return raised


@dataclass(frozen=True, eq=False, slots=True)
class River:
    """A detector of river for each column, after it was ``shown`` values so many times.

    count: values of each column, ``waits`` of which it needs.  first, last: numbers of the values, from 1, at which the newest
    alarm was raised first and last, 0 where there was none; ``back``: values from the alarm before it, or from the beginning.
    """

    waits: int
    detectors: _Detectors
    shown: int
    count: Ints
    first: Ints
    last: Ints
    back: Ints

    @staticmethod
    def begun(columns: int, *, name: str, settings: Mapping[str, Value]) -> River:
        """No value yet.

        :raises NoRiver: river is not installed.
        """
        none = np.zeros(columns, np.int64)
        detectors = _Detectors(columns, name=name, settings=settings)
        return River(DETECTORS[name].waits(settings), detectors, 0, none, none, none, none)

    def then(self, values: Floats) -> River:
        """The chart after a further value of each column; a further alarm while one stands is the same alarm, which stands longer.

        :raises ValueError: this one is spent.
        """
        if self.is_spent:
            raise ValueError("its detectors have seen further values: build the chart anew")
        there = ~np.isnan(values)
        raised = self.detectors.alarms_at(values, there)
        count = self.count + there
        new = raised & ((self.last == 0) | (count - self.last >= STANDS))
        return River(
            self.waits,
            self.detectors,
            self.shown + 1,
            count,
            np.where(new, count, self.first),
            np.where(raised, count, self.last),
            np.where(new, count - self.last, self.back),
        )

    @property
    def is_spent(self) -> bool:
        """Whether another chart went on from this one: its detectors know more than it."""
        return self.shown != self.detectors.shown

    @property
    def signs(self) -> Signs:
        """What it says; its value is how many values ago it last alarmed."""
        raised, ago = self.last > 0, self.count - self.last
        beyond, none = raised & (ago < STANDS), np.full(len(ago), np.nan)
        return Signs(
            beyond,
            raised | (self.count >= self.waits),
            np.where(raised, ago, np.nan),
            none,
            np.where(beyond, self.count - self.first + 1, 0),
            self.back,
        )


def as_errors(values: Floats) -> Floats:
    """What a detector of errors is shown of values in sd: 1 for each beyond `WRONG`, 0 for the others.

    >>> as_errors(np.array([0.3, -1.5, 1.0, 4.0])).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    found: Floats = (np.abs(values) > WRONG).astype(np.float64)
    return found


def _since(before: Ints, sizes: Floats, limits: Floats) -> Ints:
    """Values since each alarm began: one goes on until a value is within half of its limit."""
    beyond = (sizes > limits) | ((before > 0) & (sizes > BACK * limits))
    found: Ints = np.where(np.isnan(sizes), before, np.where(beyond, before + 1, 0))
    return found
