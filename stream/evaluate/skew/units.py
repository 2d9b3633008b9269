"""The comparisons of the models that this worker evaluates: each goes on after the two streams that it compares.

A model has one as soon as its predictions and the feature store's events of its features are closed for the first time, and from
then on, whether any feature is compared or not: so what is switched on later begins where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.closing.roll import Roll
from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.touched import Touched
from stream.evaluate.skew.unit import FIELDS, Skew
from stream.evaluate.skew.walk import Comparing
from stream.evaluate.storing.breath import Asking


class Skews:
    """At most one a model; each is dropped with the units that it compares."""

    def __init__(self, redis: Redis, names: Names, *, roll: Roll, desk: Desk, asking: Asking) -> None:
        self._redis, self._names, self._roll, self._desk, self._asking = redis, names, roll, desk, asking
        self._known: dict[str, Skew] = {}
        self._nothing_since: int | None = None

    def reset(self, skew: Skew) -> None:
        """Forget what is in memory of one; it is restored before its next turn."""
        self._nothing_since = None
        if self._known.get(skew.model) is skew:
            del self._known[skew.model]

    async def due(self, *, able: Callable[[Unit], bool]) -> list[Skew]:
        """Those that have something to do; ``able``: whether a stream is evaluated at this time."""
        turn = self._roll.turn
        found = [] if self._nothing_since == turn else await self._found(able)
        self._nothing_since = None if found else turn
        return found

    async def _found(self, able: Callable[[Unit], bool]) -> list[Skew]:
        known, self._known = self._known, {}
        found: list[Skew] = []
        for model, events in list(self._roll.units["features"].items()):
            served = self._roll.units["predictions"].get(model)
            if served is None or not served.loaded or not events.loaded:
                continue
            if served.stored is None or events.stored is None:
                for side in (served, events):
                    _forget(side)
                continue
            skew = known.get(model)
            if skew is None or skew.served is not served or skew.events is not events:
                skew = Skew(served, events)
            self._known[model] = skew
            if able(served) and able(events) and (not skew.loaded or skew.is_due or skew.withheld.newest):
                found.append(skew)
            await self._asking.breath()
        return found

    async def compare(self, skew: Skew, due: Due) -> None:
        """Judge and store what is due of one.

        :raises Refused: it was not stored.
        """
        if not skew.loaded:
            key = self._names.evaluation(skew.model, skew.stream)
            await self._asking.beside(skew.prepare)
            stored = await self._asking(partial(self._redis.hmget, key, FIELDS))
            skew.restore(cast("list[bytes | None]", stored))
        if skew.is_due or skew.is_freed(due):
            await Comparing(self._desk, skew, due=due).run()


def _forget(side: Unit) -> None:
    """Nothing is compared yet: what late events changed until now is judged with the first windows."""
    if side.touched.starts:
        side.touched = Touched(side.touched.number, side.touched.since)
