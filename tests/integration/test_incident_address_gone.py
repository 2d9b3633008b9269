"""An address is given up where nothing leads to it any more, and where it refuses for good: until its secret is another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from alerting.deliveries import Receipt
from alerting.inputs import Configure
from alerting.policy import Address
from schemas.names import Names
from stream.incidents import senders
from tests.support.incident_owner import POLICY, FakeReceiver, Running, finding, running, two_receivers


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


def test_an_address_that_refused_its_token_is_told_once_it_has_another(redis_url: str, environment_name: str) -> None:
    receivers = two_receivers()
    receivers["slack:#ml"].receipts.append(Receipt("permanent", why="token_revoked", secret="old"))

    def under(secret: str) -> Configure:
        slack = (Address("slack:#ml", "slack", secret),)
        return Configure(
            replace(POLICY, receivers={"team": slack, "pager": (Address("pagerduty:1", "pagerduty"), *slack)})
        )

    async def story(one: Running) -> None:
        await one.owner.submit(one.tenure, under("old"))
        one.feed(finding(severity="P0"))
        await one.until(lambda: any(entry.failed for entry in one.tenure.state.entries.values()))
        await one.owner.submit(one.tenure, under("old"))
        assert receivers["slack:#ml"].kinds == ["open"]
        await one.owner.submit(one.tenure, under("new"))
        await one.until(lambda: all(entry.confirmed for entry in one.tenure.state.entries.values()))
        assert receivers["slack:#ml"].kinds == ["open", "open"]
        assert receivers["pagerduty:1"].kinds == ["open"]

    async def run() -> None:
        async with running(redis_url, Names(environment_name), receivers=receivers) as one:
            await story(one)

    asyncio.run(run())
