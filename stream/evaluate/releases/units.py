"""The releases of the models that this worker evaluates: each goes on after the streams that it is taken from.

A model is looked at once, for a release that the file names or that is stored; of one without either nothing more is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import cast

from redis.asyncio import Redis

from schemas.names import Names, Stream
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.closing.roll import Roll
from stream.evaluate.closing.unit import Unit
from stream.evaluate.releases.memory import Remembered, standing_of
from stream.evaluate.releases.unit import FIELDS, RELEASE, Release
from stream.evaluate.releases.walk import Judging
from stream.evaluate.storing.breath import Asking
from stream.state.orders import read_orders

#: Where a model's release stands by what was told of it; blocks.
Recall = Callable[[str], Remembered | None]
#: Releases that are read in one round trip.
AT_ONCE = 50


class Releases:
    """At most one a model; each is dropped with the streams that it follows."""

    def __init__(
        self, redis: Redis, names: Names, *, roll: Roll, desk: Desk, asking: Asking, recall: Recall | None = None
    ) -> None:
        self._redis, self._names, self._roll, self._desk, self._asking = redis, names, roll, desk, asking
        self._recall = recall
        self._known: dict[str, Release] = {}
        self._of_interest: list[Release] = []
        self._turn: int | None = None

    def reset(self, release: Release) -> None:
        """Forget what is in memory of one; it is restored before its next turn."""
        if self._known.get(release.model) is release:
            del self._known[release.model]
            self._turn = None

    async def due(self, *, able: Callable[[Unit], bool], silent: Collection[Stream]) -> list[Release]:
        """Those that have something to do; ``able``: whether a stream is evaluated at this time, ``silent``: which are."""
        await self._follow()
        await self._order()
        found: list[Release] = []
        for release in self._of_interest:
            release.silent, sides = silent, release.sides
            if all(side.loaded and able(side) for side in sides) and release.is_due:
                found.append(release)
            await self._asking.breath()
        return found

    async def judge(self, release: Release, due: Due) -> None:
        """Judge and store what is due of one.

        :raises Refused: it was not stored.
        """
        if release.is_due and await self._may_begin(release, due):
            await Judging(self._desk, release, due=due).run()

    async def _may_begin(self, release: Release, due: Due) -> bool:
        """Whether it is known where it stands: nothing is stored of a new one, nor where Redis was emptied.

        There it is taken up as it was told once that is filled again, and begins no earlier than that.
        """
        if release.last is not None:
            return True
        if due.rebuild.running:
            return False
        found = await self._asking.beside(partial(self._recall, release.model)) if self._recall is not None else None
        if found is not None:
            release.resume(found.state, standing_of(found.state, release.phase.watched, at_ms=found.at_ms))
        last = release.first_after(due.rebuild.quiet_to if found is None else found.at_ms)
        if found is None and last > release.closed:
            return False
        release.last = last
        return True

    async def _follow(self) -> None:
        """Know a release of each model that is evaluated here, as its streams are followed now."""
        turn = self._roll.turn
        if self._turn == turn:
            return
        known, self._known = self._known, {}
        new: list[Release] = []
        for model, served in self._roll.units["predictions"].items():
            held = known.get(model)
            if held is None or held.units["predictions"] is not served:
                units = {stream: units[model] for stream, units in self._roll.units.items() if model in units}
                held = Release(units, self._roll.arms[model])
                new.append(held)
            self._known[model] = held
        for first in range(0, len(new), AT_ONCE):
            some = new[first : first + AT_ONCE]
            for release, values in zip(some, await self._asking(partial(self._read, some)), strict=True):
                release.restore(values)
            await self._asking.breath()
        self._of_interest = [release for release in self._known.values() if release.is_of_interest]
        self._turn = turn

    async def _order(self) -> None:
        """Have each release know what was last ordered of it; asked only where there is one."""
        if not any(release.stored is not None for release in self._of_interest):
            return
        orders = await self._asking(lambda: read_orders(self._redis, self._names))
        for model, order in orders.items():
            if model in self._known:
                self._known[model].order = order

    async def _read(self, releases: Sequence[Release]) -> list[list[bytes | None]]:
        pipe = self._redis.pipeline(transaction=False)
        for release in releases:
            pipe.hmget(self._names.evaluation(release.model, RELEASE), FIELDS)
        return cast("list[list[bytes | None]]", await pipe.execute())
