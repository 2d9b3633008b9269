"""What a request may leave at a vendor is stored before it is made: after a crash, or where it hangs, nobody else could tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from alerting.deliveries import Call, Message
from schemas.names import Names
from tests.support.incident_owner import FakeReceiver, Running, finding, running


@dataclass
class Registering(FakeReceiver):
    """At which what is posted is found by how many findings it shows; ``meanwhile`` happens once while that is stored."""

    meanwhile: Callable[[], None] | None = None

    def registered(self, call: Call, message: Message) -> str | None:
        if self.meanwhile is not None:
            happen, self.meanwhile = self.meanwhile, None
            happen()
        return f"{len(message.members)} shown"


@pytest.mark.parametrize("more", [False, True])
def test_what_is_delivered_is_what_was_stored_before(redis_url: str, environment_name: str, more: bool) -> None:
    slack = Registering("slack:#ml", "slack")
    slack.free.clear()

    async def story() -> None:
        async with running(redis_url, Names(environment_name), receivers={slack.address: slack}) as one:
            if more:
                slack.meanwhile = lambda: one.feed(finding("dewp"))
            one.feed(finding())
            await one.until(lambda: bool(slack.calls))
            [(call, message)] = slack.calls
            assert len(message.members) == (2 if more else 1)
            assert stored(one, call) == f"{len(message.members)} shown"

    asyncio.run(story())


def stored(one: Running, call: Call) -> str | None:
    """How what is there is found, as it is stored while the request hangs."""
    return one.tenure.state.entries[call.entry].believed[call.generation].thread
