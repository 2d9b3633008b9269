"""Which models go behind the others, and which partitions wait for that: decided from counts, offsets and seconds.  Pure.

A quota is events a second that a model may have counted by one worker while others wait; beyond it the model goes behind them,
and nothing of it is dropped.  What nobody else waits for is free: a model over its quota has all that a worker can do then.

Records of a partition are read in their order, so what goes behind is a partition, and only one that is nearly all of models
over their quota: in one that they share, the others would be put behind with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from faust.types import TP

#: A model that was quiet may have so many seconds of its quota at once.
BURST_S = 2.0
#: One that was read beyond it owes so many seconds of it at most: then it has its quota again, whatever it had before.
DEBT_S = 60.0
#: A partition is a model's (or several models') where it has so much of what was counted of it lately.
MOSTLY = 0.9
#: A model with less of it is left out: of thousands in a partition none is what it is of.
LEAST = 0.01
#: Lately: events after which what was counted before weighs half.
HALF = 10_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """Events that a model may have counted now; below 0 it is over its quota."""

    tokens: float

    @property
    def is_over(self) -> bool:
        """Whether the model goes behind others that wait."""
        return self.tokens < 0

    def after(self, seconds: float, *, quota: float, counted: int) -> Bucket:
        """So much later, when so many of its events were counted that others waited for.

        >>> Bucket(0.0).after(1.0, quota=100, counted=30), Bucket(0.0).after(9.0, quota=100, counted=0)
        (Bucket(tokens=70.0), Bucket(tokens=200.0))
        """
        filled = min(self.tokens + quota * seconds, quota * BURST_S)
        return Bucket(max(filled - counted, -quota * DEBT_S))


def full(quota: float) -> Bucket:
    """What a model begins with.

    >>> full(100)
    Bucket(tokens=200.0)
    """
    return Bucket(quota * BURST_S)


@dataclass(frozen=True, slots=True)
class Mix:
    """What was counted of a partition lately: in all, and of each model that has a quota and more than a hundredth of it."""

    events: float = 0.0
    models: Mapping[str, float] = field(default_factory=dict)

    def and_then(self, events: int, models: Mapping[str, int]) -> Mix:
        """After so many more, which weigh more than those before; a partition that is not read stays what it is.

        >>> Mix(10_000, {"a": 10_000}).and_then(10_000, {"a": 1_000})
        Mix(events=15000.0, models={'a': 6000.0})
        """
        keep = 0.5 ** (events / HALF)
        total = self.events * keep + events
        found = {
            name: self.models.get(name, 0.0) * keep + models.get(name, 0) for name in self.models.keys() | models.keys()
        }
        return Mix(total, {name: weight for name, weight in found.items() if weight >= total * LEAST})

    def is_of(self, models: Set[str]) -> bool:
        """Whether it is nearly all of these models'.

        >>> Mix(100, {"a": 80, "b": 15}).is_of({"a"}), Mix(100, {"a": 80, "b": 15}).is_of({"a", "b"}), Mix().is_of({"a"})
        (False, True, False)
        """
        return 0 < self.events * MOSTLY <= sum(count for name, count in self.models.items() if name in models)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a partition is read, and where its log ended; ``ended`` is where it did at the look before."""

    read: int
    end: int
    ended: int

    @property
    def waits(self) -> bool:
        """Whether what was there at the look before is not read yet.

        >>> Reading(5, end=9, ended=5).waits, Reading(4, end=9, ended=5).waits
        (False, True)
        """
        return self.read < min(self.end, self.ended)


@dataclass(frozen=True, slots=True)
class Order:
    """Buckets by model, mixes by partition; ``behind`` are the partitions that wait, for these ``models``."""

    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    mixes: Mapping[TP, Mix] = field(default_factory=dict)
    behind: frozenset[TP] = frozenset()
    models: frozenset[str] = frozenset()
    #: Whether others waited at this look.
    contended: bool = False


Counted = Mapping[TP, Counter[str | None]]


def looked(
    before: Order, counted: Counted, readings: Mapping[TP, Reading], *, quotas: Mapping[str, float], seconds: float
) -> Order:
    """The order after another look, ``seconds`` after the one before; a partition that moved away is forgotten.

    :param counted: events by partition since, by model; None: of all models without a quota.
    """
    mixes = {tp: _mixed(before.mixes.get(tp, Mix()), counted.get(tp, Counter())) for tp in readings}
    of_models: Counter[str | None] = Counter()
    for some in counted.values():
        of_models.update(some)
    buckets = _filled(before, quotas, of_models, seconds=seconds)
    over = {model for model, bucket in buckets.items() if bucket.is_over}
    theirs = frozenset(tp for tp, mix in mixes.items() if mix.is_of(over))
    contended = any(reading.waits for tp, reading in readings.items() if tp not in theirs)
    if not contended:  # nobody waited for what was counted: it costs its models nothing
        buckets = _filled(before, quotas, Counter(), seconds=seconds)
    found = Order(buckets, mixes, contended=contended)
    return replace(found, behind=theirs, models=frozenset(over)) if contended and theirs else found


def _mixed(mix: Mix, counted: Counter[str | None]) -> Mix:
    return mix.and_then(counted.total(), {name: count for name, count in counted.items() if name is not None})


def _filled(
    before: Order, quotas: Mapping[str, float], counted: Counter[str | None], *, seconds: float
) -> dict[str, Bucket]:
    return {
        model: before.buckets.get(model, full(quota)).after(seconds, quota=quota, counted=counted[model])
        for model, quota in quotas.items()
    }
