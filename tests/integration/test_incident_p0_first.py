"""At an address whose other requests have to wait, a P0 does not wait with them."""

from __future__ import annotations

import asyncio

import pytest

from alerting.deliveries import Call
from schemas.names import Names
from tests.support.incident_owner import NoBudget, finding, running, two_receivers

#: What others wait for is longer than the test waits.
LONG_S = 60.0


def test_a_p0_is_told_while_what_the_owner_before_had_begun_may_still_arrive(
    redis_url: str, environment_name: str
) -> None:
    before, after = two_receivers(), two_receivers()
    before["slack:#ml"].free.clear()

    async def story() -> None:
        async with running(redis_url, Names(environment_name), receivers=before) as one:
            one.feed(finding())
            await one.until(lambda: before["slack:#ml"].kinds == ["open"])
        async with running(redis_url, Names(environment_name), receivers=after, in_doubt_s=LONG_S) as one:
            await asyncio.sleep(0.2)
            assert after["slack:#ml"].calls == []
            one.feed(finding("dewp", hours=100, onset_hours=100, severity="P0"))
            await one.until(lambda: after["slack:#ml"].kinds == ["open"])
            assert after["slack:#ml"].calls[0][0].severity == "P0"

    asyncio.run(story())


def test_a_p0_is_told_while_others_wait_for_their_share_of_the_budget(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def share(_: NoBudget, call: Call) -> float:
        return 0.0 if call.severity == "P0" else LONG_S

    monkeypatch.setattr(NoBudget, "seconds_until", share)
    receivers = two_receivers()

    async def story() -> None:
        async with running(redis_url, Names(environment_name), receivers=receivers) as one:
            one.feed(finding())
            await one.until(lambda: any(entry.want is not None for entry in one.tenure.state.entries.values()))
            await asyncio.sleep(0.2)
            one.feed(finding("dewp", hours=100, onset_hours=100, severity="P0"))
            await one.until(lambda: receivers["slack:#ml"].kinds == ["open"])
            assert receivers["slack:#ml"].calls[0][0].severity == "P0"

    asyncio.run(story())
