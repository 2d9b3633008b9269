"""Redis' clock, which the owner goes by, may be set: what has to be said of that, and what done.

One that was ahead and is right again stands behind the stored time: that steps back, or everything would wait for as long as
the clock had been ahead.  One that is a little behind is waited for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from alerting.shift import shifted
from alerting.state import State

log = logging.getLogger(__name__)

#: A clock that moves by more was set.
JUMP_MS = 300_000


@dataclass(slots=True)
class Watch:
    """What Redis' clock and the process' own said last."""

    redis_ms: int | None = None
    process_ms: int = 0

    def ahead_ms(self, *, redis_ms: int, process_ms: int) -> int:
        """How much further Redis' clock has gone than the process' own since the last look; 0 within the limit.

        >>> watch = Watch()
        >>> watch.ahead_ms(redis_ms=0, process_ms=0), watch.ahead_ms(redis_ms=360_000, process_ms=60_000)
        (0, 0)
        >>> watch.ahead_ms(redis_ms=960_001, process_ms=360_000)
        300001
        """
        more = 0 if self.redis_ms is None else (redis_ms - self.redis_ms) - (process_ms - self.process_ms)
        self.redis_ms, self.process_ms = redis_ms, process_ms
        if more <= JUMP_MS:
            return 0
        log.error(
            "Redis' clock was set forward, or this process stood still, for %d s: waits are over early", more // 1000
        )
        return more


def stepped_back(state: State, before: int, now: int) -> State | None:
    """The state by a clock that says ``now`` after it said ``before``; None where it is not behind, or little enough to wait."""
    if now >= before - JUMP_MS:
        return None
    log.error("Redis' clock was set back by %d s: the times of incidents go back with it", (before - now) // 1000)
    return shifted(state, now - before)
