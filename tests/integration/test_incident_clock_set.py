"""Redis' clock is set while incidents wait: no page waits for the length of the jump, and it is said."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

import pytest

from alerting.inputs import Configure
from alerting.policy import Policy
from schemas.findings import Progress
from schemas.monitored import RouteMonitor
from schemas.names import Names
from stream.incidents.store import IncidentStore
from tests.support.incident_owner import HOUR, POLICY, T0, Running, finding, running

#: A page waits for two seconds.
WAITING = Policy.of(POLICY.lineage, RouteMonitor(receiver="team", open_wait_ms=2_000), POLICY.receivers, clock="event")


@dataclass
class SetClock:
    """How far Redis' clock is ahead, in ms."""

    ahead: int = 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    clock = SetClock()

    async def now_ms(_: IncidentStore) -> int:
        return time.time_ns() // 1_000_000 + clock.ahead

    monkeypatch.setattr(IncidentStore, "now_ms", now_ms)
    return clock


async def waiting(one: Running, clock: SetClock) -> None:
    """An incident that nobody is told of yet, begun by a clock that was six hours ahead and is right again."""
    await one.owner.submit(one.tenure, Configure(WAITING))
    clock.ahead = 6 * HOUR
    one.feed(finding())
    await one.until(lambda: bool(one.tenure.state.incidents))
    assert one.receivers["slack:#ml"].calls == []
    clock.ahead = 0


def is_present(at: int) -> bool:
    return abs(at - time.time() * 1000) < 10_000


def test_a_clock_that_was_six_hours_ahead_and_is_right_again_delays_no_page(
    redis_url: str, environment_name: str, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with running(redis_url, Names(environment_name)) as one:
            await waiting(one, clock)
            one.feed(Progress(model="m", stream="predictions", at=T0, seen=T0))
            await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
            await one.until(lambda: is_present(one.tenure.state.now))
            [incident] = one.tenure.state.incidents.values()
            assert is_present(incident.opened)
            assert one.owner.tally.clock_jumps == 2

    asyncio.run(story())
    said = [line.message for line in caplog.records if line.name == "stream.incidents.jumps"]
    assert [re.sub(r"2(1600|1599|1598) s", "6 h", text) for text in said] == [
        "Redis' clock was set forward, or this process stood still, for 6 h: waits are over early",
        "Redis' clock was set back by 6 h: the times of incidents go back with it",
    ]


def test_a_new_owner_finds_a_time_that_is_still_to_come_and_steps_back(
    redis_url: str, environment_name: str, clock: SetClock
) -> None:
    async def story() -> None:
        async with running(redis_url, Names(environment_name)) as one:
            await waiting(one, clock)
        async with running(redis_url, Names(environment_name)) as other:
            await other.until(lambda: other.receivers["slack:#ml"].kinds == ["open"])
            assert is_present(other.tenure.state.now)
            assert other.owner.tally.clock_jumps == 1

    asyncio.run(story())
