"""One replay at a time into an environment: each has a claim to it in Redis for as long as it runs.

Topics that hold records refuse another replay; those that are still empty, since an earlier one is being filled, do not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from uuid import uuid4

from redis.asyncio import Redis

from schemas.errors import DriftlineError, Unavailable
from schemas.names import Names
from schemas.settings import Settings
from stream.command.connect import ask_redis
from stream.state.lua import script

#: A replay that was killed is no longer in another's way by then; one that runs says so three times as often.
HELD_MS = 120_000
Item = TypeVar("Item")


class Claim:
    """The claim of one replay: it is told by a token of its own."""

    def __init__(self, shadow: Settings) -> None:
        self._shadow, self._token = shadow, uuid4().hex
        self._over = threading.Event()
        self._lost = False

    def hold(self, for_ms: int) -> bool:
        """Take it, or hold it for longer; 0: let go.  False: another has it.

        :raises Unavailable: Redis does not answer.
        """

        async def held(redis: Redis, names: Names) -> bool:
            return bool(await script(redis, "state", "hold")(keys=[names.replaying], args=[self._token, for_ms]))

        return ask_redis(self._shadow, held)

    def while_held(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; no further one once it is another's, as after a Redis that was away for long.

        :raises Unavailable: it is.
        """
        for item in items:
            if self._lost:
                raise self.refusal()
            yield item

    def keep(self) -> None:
        """Hold it on, asked now and not a while ago: before what would spoil what another sends.

        :raises Unavailable: it is another's; or Redis does not answer.
        """
        if self._lost or not self.hold(HELD_MS):
            raise self.refusal()

    def refusal(self) -> Unavailable:
        said = f"another replay into {self._shadow.environment!r} runs"
        return Unavailable(f"{said}: name another environment; of one that was killed nothing is left in two minutes")

    def renew(self) -> None:
        """Hold it until ``end``; blocks."""
        while not self._over.wait(HELD_MS / 3_000):
            with suppress(DriftlineError):  # it is asked again before the claim ends
                self._lost = not self.hold(HELD_MS) or self._lost

    def end(self) -> None:
        self._over.set()


@contextmanager
def claimed(shadow: Settings) -> Iterator[Claim]:
    """Be the only one who fills this environment.

    :raises Unavailable: another replay into it runs.
    """
    claim = Claim(shadow)
    if not claim.hold(HELD_MS):
        raise claim.refusal()
    renewing = threading.Thread(target=claim.renew, daemon=True)
    renewing.start()
    try:
        yield claim
    finally:
        claim.end()
        renewing.join()
        claim.hold(0)
