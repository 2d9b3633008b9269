"""The newest value of each feature by event time, as events are counted, until Redis has it.

Of each model the newest row of a block tells most: only the features that it lacks are looked for in the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt
from redis.asyncio import Redis

from schemas.names import Names
from stream.ingest.featured import Valued
from stream.ingest.tables import StreamTables
from stream.ingest.timing import NEVER
from stream.state.patience import Patience
from stream.state.updated import Updated, write_updated

Ints = npt.NDArray[np.int64]

#: Models of a stream that are stored at a time: packing them holds the event loop, and of thousands each has its turn.
AT_ONCE = 100


@dataclass(slots=True, eq=False)
class _Seen:
    """(layouts × columns) of event times; ``turn``: the layout that is stored next."""

    times: Ints
    turn: int = 0

    def next_numbers(self) -> list[int]:
        """Layouts of which something is to be stored, those whose turn it is."""
        told = np.flatnonzero((self.times > NEVER).any(axis=1))
        chosen: list[int] = np.roll(told, -int(np.searchsorted(told, self.turn)))[:AT_ONCE].tolist()
        self.turn = chosen[-1] + 1 if chosen else 0
        return chosen


class Newest:
    """``see`` rows as they are counted; ``taken`` hands over what they told since, of some models at a time."""

    def __init__(self) -> None:
        self._seen: dict[StreamTables, _Seen] = {}
        self._given_back: dict[str, dict[str, int]] = {}

    def see(self, rows: Valued, tables: StreamTables) -> None:
        """These rows were counted in these tables' layouts."""
        featured = tables.featured
        if not featured.mask.any():
            return
        held = self._seen.get(tables)
        if held is None:
            held = self._seen[tables] = _Seen(np.full(featured.mask.shape, NEVER, np.int64))
        seen = held.times
        newest = rows.only(_newest_rows(rows, len(seen)))
        present = featured.present(newest)
        reached = np.where(present, newest.times[:, None], NEVER)
        seen[newest.layout] = np.maximum(seen[newest.layout], reached)
        lacking = featured.mask[newest.layout] & ~present
        if lacking.any():
            sought = np.zeros_like(featured.mask)
            sought[newest.layout] = lacking
            row, column = featured.valued(rows, sought)
            np.maximum.at(seen.reshape(-1), rows.layout[row] * seen.shape[1] + column, rows.times[row])

    def taken(self) -> dict[str, dict[str, int]]:
        """By model, and by what Redis knows a feature as: epoch ms; it is forgotten here.  Empty: nothing is left."""
        found, self._given_back = self._given_back, {}
        for tables, seen in list(self._seen.items()):
            numbers = seen.next_numbers()
            for number in numbers:
                times = seen.times[number]
                told = times > NEVER
                members = compress(tables.featured.members[number], told.tolist())
                _add(found, tables.layouts[number].model, dict(zip(members, times[told].tolist(), strict=True)))
                times[:] = NEVER
            if not numbers:  # of a configuration that is in force no more, perhaps
                del self._seen[tables]
        return found

    def give_back(self, untold: Updated) -> None:
        """What was taken and could not be stored."""
        for model, times in untold.items():
            _add(self._given_back, model, times)


class FeatureUpdates:
    """``settle`` returns once what was counted before is stored: all of it of ``AT_ONCE`` models a stream, of more their turn."""

    def __init__(self, redis: Redis, names: Names, newest: Newest, *, patience: Patience) -> None:
        self._redis, self._names, self._newest, self._patiently = redis, names, newest, patience

    async def settle(self) -> bool:
        """Store it, for as long as it takes; whether there was any."""
        taken = self._newest.taken()
        try:
            if taken:
                await self._patiently(lambda: write_updated(self._redis, self._names, taken))
        except BaseException:
            self._newest.give_back(taken)
            raise
        return bool(taken)

    async def finish(self, before: Awaitable[None]) -> None:
        """Store everything, once the last that was counted is stored."""
        await before
        while await self.settle():
            pass


def _newest_rows(rows: Valued, layouts: int) -> Ints:
    """Of each layout one of its newest rows."""
    newest = np.full(layouts, NEVER, np.int64)
    np.maximum.at(newest, rows.layout, rows.times)
    at = np.flatnonzero(rows.times == newest[rows.layout])
    place = np.full(layouts, -1, np.int64)
    place[rows.layout[at]] = at
    return place[place >= 0]


def _add(found: dict[str, dict[str, int]], model: str, times: Mapping[str, int]) -> None:
    known = found.setdefault(model, {})
    for member, at_ms in times.items():
        known[member] = max(at_ms, known.get(member, at_ms))
