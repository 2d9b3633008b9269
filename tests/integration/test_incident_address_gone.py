"""An address that nothing leads to any more is given up, and its incident says so."""

from __future__ import annotations

import asyncio

from schemas.names import Names
from stream.incidents import senders
from tests.support.incident_owner import FakeReceiver, Running, finding, running


def test_an_address_that_left_a_configuration_which_is_all_there_is_given_up(
    redis_url: str, environment_name: str
) -> None:
    async def story(one: Running) -> None:
        one.senders._complete = lambda: True
        one.feed(finding(severity="P0"))
        await one.until(lambda: any(entry.failed for entry in one.tenure.state.entries.values()))
        [gone] = [entry for entry in one.tenure.state.entries.values() if entry.failed]
        assert (gone.address, gone.failed) == ("pagerduty:1", senders._GONE)

    async def run() -> None:
        receivers = {"slack:#ml": FakeReceiver("slack:#ml", "slack")}
        async with running(redis_url, Names(environment_name), receivers=receivers) as one:
            await story(one)

    asyncio.run(run())
