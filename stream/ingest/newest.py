"""The newest value of each feature by event time, as events are counted, until Redis has it.

Of each model the newest row of a block tells most: only the features that it lacks are looked for in the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import compress, islice

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

#: Models in one round trip, for packing them holds the event loop.
AT_ONCE = 100


class Newest:
    """``see`` rows as they are counted; ``taken`` hands over what they told since it was called last."""

    def __init__(self) -> None:
        self._seen: dict[StreamTables, Ints] = {}
        self._given_back: dict[str, dict[str, int]] = {}

    def see(self, rows: Valued, tables: StreamTables) -> None:
        """These rows were counted in these tables' layouts."""
        featured = tables.featured
        if not featured.members or not featured.mask.any():
            return
        seen = self._seen.get(tables)
        if seen is None:
            seen = self._seen[tables] = np.full(featured.mask.shape, NEVER, np.int64)
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
        """By model, and by what Redis knows a feature as: epoch ms; it is forgotten here."""
        found, self._given_back = self._given_back, {}
        seen, self._seen = self._seen, {}
        for tables, times in seen.items():
            held = times > NEVER
            for number in np.flatnonzero(held.any(axis=1)).tolist():
                members = compress(tables.featured.members[number], held[number].tolist())
                told = dict(zip(members, times[number][held[number]].tolist(), strict=True))
                _add(found, tables.layouts[number].model, told)
        return found

    def give_back(self, untold: Updated) -> None:
        """What was taken and could not be stored."""
        for model, times in untold.items():
            _add(self._given_back, model, times)


class FeatureUpdates:
    """``settle`` returns once everything counted before is stored."""

    def __init__(self, redis: Redis, names: Names, newest: Newest, *, patience: Patience) -> None:
        self._redis, self._names, self._newest, self._patiently = redis, names, newest, patience

    async def settle(self) -> None:
        """Store what was counted, for as long as it takes."""
        taken = self._newest.taken()
        try:
            for some in _pieces(taken):
                await self._patiently(partial(write_updated, self._redis, self._names, some))
        except BaseException:
            self._newest.give_back(taken)
            raise


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


def _pieces(taken: Updated) -> Iterator[Updated]:
    models = iter(taken.items())
    while some := dict(islice(models, AT_ONCE)):
        yield some
