"""The budget in a real Redis: the script is the pure function, and workers share one bucket."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from schemas.findings import Severity
from schemas.names import Names
from stream.incidents.budget import RATES, Bucket, RedisBudget, taken
from tests.support.incident_messages import call

STEPS = st.lists(st.tuples(st.integers(-2_000, 3_000), st.sampled_from(["P0", "P1"])), min_size=1, max_size=60)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, address=st.sampled_from(["slack:#x", "pagerduty:0123456789ab"]))
def test_the_script_is_the_pure_function(
    steps: list[tuple[int, Severity]], address: str, redis_url: str, environment_name: str
) -> None:
    async def asked() -> list[float]:
        async with Redis.from_url(redis_url) as redis:
            names = Names(environment_name)
            await redis.delete(names.incidents("budget", address))
            budget, now, waits = RedisBudget(redis, names), 1_700_000_000_000, []
            for step, severity in steps:
                now += step
                waits.append(await budget.take(address, severity, now))
            return waits

    rate = RATES["slack" if address.startswith("slack") else "pagerduty"]
    bucket: Bucket | None = None
    now, expected = 1_700_000_000_000, []
    for step, severity in steps:
        now += step
        bucket, wait = taken(bucket, rate, severity=severity, now=now)
        expected.append(wait / 1000)
    assert asyncio.run(asked()) == expected


def test_workers_share_a_bucket_and_addresses_do_not(redis_url: str, environment_name: str) -> None:
    async def storm() -> tuple[int, int]:
        async with Redis.from_url(redis_url) as one, Redis.from_url(redis_url) as two:
            workers = [RedisBudget(redis, Names(environment_name)) for redis in (one, two)]
            now = 1_700_000_000_000
            asks = [worker.take("pagerduty:a", "P1", now) for worker in workers for _ in range(40)]
            waits = await asyncio.gather(*asks)
            return waits.count(0.0), int(await workers[0].take("pagerduty:b", "P1", now))

    assert asyncio.run(storm()) == (19, 0)


def test_by_redis_own_clock(redis_url: str, environment_name: str) -> None:
    async def asked() -> list[float]:
        async with Redis.from_url(redis_url) as redis:
            budget = RedisBudget(redis, Names(environment_name))
            address = call(at="slack", address="slack:#y", severity="P2")
            waits = [await budget.seconds_until(address) for _ in range(6)]
            assert 0 < await redis.pttl(Names(environment_name).incidents("budget", "slack:#y")) <= 125_000
            return waits

    waits = asyncio.run(asked())
    assert waits[:4] == [0.0] * 4
    assert 0 < waits[5] <= 1
