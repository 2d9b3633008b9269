"""What follows a model's streams once they are closed: the comparison of serving and feature store, and its release.

They have their turn after the streams, in the same look: what those told is not decided before these are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from redis.asyncio import Redis

from schemas.names import Names, Stream
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.closing.roll import Roll
from stream.evaluate.closing.unit import Unit
from stream.evaluate.releases.unit import Release
from stream.evaluate.releases.units import Recall, Releases
from stream.evaluate.skew.unit import Skew
from stream.evaluate.skew.units import Skews
from stream.evaluate.storing.breath import Asking

Follower = Skew | Release


class Followers:
    """Those of all models that this worker evaluates."""

    def __init__(
        self, redis: Redis, names: Names, *, roll: Roll, desk: Desk, asking: Asking, recall: Recall | None
    ) -> None:
        self._skews = Skews(redis, names, roll=roll, desk=desk, asking=asking)
        self._releases = Releases(redis, names, roll=roll, desk=desk, asking=asking, recall=recall)

    async def due(self, *, able: Callable[[Unit], bool], silent: Collection[Stream]) -> list[Follower]:
        """Those that have something to do; ``able``: whether a stream is evaluated at this time, ``silent``: which are."""
        return [*await self._skews.due(able=able), *await self._releases.due(able=able, silent=silent)]

    async def work(self, follower: Follower, due: Due) -> None:
        """Judge and store what is due of one.

        :raises Refused: it was not stored.
        """
        if isinstance(follower, Skew):
            await self._skews.compare(follower, due)
        else:
            await self._releases.judge(follower, due)

    def reset(self, follower: Follower) -> None:
        """Forget what is in memory of one; it is restored before its next turn."""
        if isinstance(follower, Skew):
            self._skews.reset(follower)
        else:
            self._releases.reset(follower)
