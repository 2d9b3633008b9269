"""Health by progress: a worker that reads nothing while there is something to read is not well, whatever it says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the judgement needs: records left to read, seconds since any offset was stored, whether partitions are held.

    ``refusing`` says why the newest configuration is not followed, if it is not; ``again`` records are read again, since Redis
    was emptied.
    """

    lag: int
    quiet_s: float
    assigned: int
    redis_answers: bool
    refusing: str = ""
    again: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """``well`` decides the HTTP status; ``says`` is for a person."""

    well: bool
    says: str


def judge(pulse: Pulse, *, patience_s: float) -> Health:
    """Well while offsets move, or where there is nothing left to read.

    Also with a configuration that is not the newest: to begin anew would lose the one that is followed.

    >>> judge(Pulse(lag=10, quiet_s=120.0, assigned=4, redis_answers=True), patience_s=60.0).well
    False
    """
    if not pulse.redis_answers:
        return Health(False, "Redis does not answer; reading is paused, nothing is lost")
    if pulse.lag > 0 and pulse.quiet_s > patience_s:
        return Health(False, f"no progress for {pulse.quiet_s:.0f} s with {pulse.lag} records to read")
    said = f"{pulse.assigned} partitions, {pulse.lag} records to read"
    if pulse.again:
        said += f"; warming: Redis was emptied, {pulse.again} records are read again and alerts are held meanwhile"
    return Health(True, f"{said}; {pulse.refusing}" if pulse.refusing else said)
