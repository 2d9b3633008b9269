"""The name that a worker has across restarts (static membership): one worker at a time has it, and says so in Redis.

Kafka would let two workers of one name push each other out of the group for ever: whoever joins is taken for the other, restarted.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from typing import cast

from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from schemas.errors import ConfigError, Problem
from schemas.settings import Settings
from stream.state.patience import Patience
from stream.tasks import Periodic

log = logging.getLogger(__name__)

EXIT_NAME_TAKEN = 2
#: Without a word for so long, its worker is gone; one that is killed and started again waits for it.
GONE_AFTER_S = 5.0
SAY_EVERY_S = 1.0


class Instance:
    """Of one process; without ``DRIFTLINE_INSTANCE_ID`` it does nothing."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.instance_id
        self._key = settings.names.instance(self.name)
        self._who = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}".encode()

    def claim(self, redis: BlockingRedis) -> None:
        """Take the name, waiting for a worker that was killed to be gone.

        :raises ConfigError: another worker has it, and lives.
        """
        until = time.monotonic() + GONE_AFTER_S + SAY_EVERY_S
        while self.name and not redis.set(self._key, self._who, nx=True, px=int(GONE_AFTER_S * 1000)):
            if time.monotonic() > until:
                raise ConfigError([self._taken(cast("bytes | None", redis.get(self._key)) or b"")])
            time.sleep(SAY_EVERY_S / 5)

    def tasks(self, redis: Redis, patience: Patience) -> list[Periodic]:
        """What a worker of a name does again and again."""
        return [Periodic("saying_its_name", SAY_EVERY_S, lambda: self.say(redis, patience))] if self.name else []

    async def say(self, redis: Redis, patience: Patience) -> None:
        """Say once more that this worker lives; the process ends where another one has the name by now."""
        holder = cast("bytes | None", await patience(lambda: redis.get(self._key)))
        if holder not in (None, self._who):
            log.critical("%s; this worker ends", self._taken(holder))
            os._exit(EXIT_NAME_TAKEN)
        await patience(lambda: redis.set(self._key, self._who, px=int(GONE_AFTER_S * 1000)))

    async def leave(self, redis: Redis) -> None:
        """Give the name back: a worker that is started again need not wait."""
        if self.name and await redis.get(self._key) == self._who:
            await redis.delete(self._key)

    def _taken(self, holder: bytes) -> Problem:
        where = holder.decode(errors="replace").rpartition(":")[0]
        said = f"is {self.name!r}, and the worker {where} runs under it: each worker needs one of its own"
        return Problem("environment", 0, "DRIFTLINE_INSTANCE_ID", said)
