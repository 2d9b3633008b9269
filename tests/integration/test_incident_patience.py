"""What must not give a page up: no configuration yet, a secret that is missing for a while, a vendor that drips, an entry
that is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import redis.asyncio as redis_async
from faust.types import TP

from alerting.inputs import Confirmed
from alerting.policy import Address
from schemas.findings import Progress
from schemas.monitored import PagerDutyReceiver, ReceiverMonitor, RouteMonitor, SecretPlace
from schemas.names import Names
from schemas.settings import Settings
from stream.incidents import senders
from stream.incidents.agent import IncidentAgent
from stream.incidents.configured import NOTHING, Configured
from stream.incidents.owner import Owner
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.ingest.dead_letters import DeadLetters
from stream.state import generations
from stream.state.epochs import Log
from stream.state.patience import Patience
from stream.transport import RunConsumer
from tests.support.incident_owner import HOUR, T0, Running, finding, running
from tests.support.models import monitor, monitors, reference

KEY = "0123456789abcdef0123456789abcdef"


def told(url: str, environment: str, story: Callable[[Running], Awaitable[None]], **more: Any) -> None:
    async def run() -> None:
        async with running(url, Names(environment), **more) as one:
            await story(one)

    asyncio.run(run())


def test_a_page_whose_receiver_cannot_be_built_for_a_while_is_closed_once_it_can(
    redis_url: str, environment_name: str
) -> None:
    async def opens(one: Running) -> None:
        one.feed(finding(severity="P0"))
        await one.until(
            lambda: (
                all(entry.confirmed for entry in one.tenure.state.entries.values())
                and len(one.receivers["pagerduty:1"].calls) == 1
            )
        )

    async def recovers(one: Running) -> None:
        one.feed(*(finding(hours=hours, state="ok", severity="P0") for hours in (1, 2)))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: one.owner.tally.failing == {"pagerduty:1", "slack:#ml"})
        assert [entry.failed for entry in one.tenure.state.entries.values()] == [None, None]
        assert doubts(one) == [], "nothing was begun"

    async def closes(one: Running) -> None:
        await one.until(lambda: [receiver.kinds for receiver in one.receivers.values()] == [["close"], ["close"]])

    told(redis_url, environment_name, opens)
    told(redis_url, environment_name, recovers, receivers={})
    told(redis_url, environment_name, closes)


def doubts(one: Running) -> list[Any]:
    return [belief for entry in one.tenure.state.entries.values() for belief in entry.believed.values() if belief.doubt]


def test_a_vendor_that_never_ends_its_answer_is_asked_again_in_doubt_and_not_without_end(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "DEADLINE_S", 0.05)
    monkeypatch.setattr(senders, "pause_s", lambda failures, **_: 0.01)

    async def story(one: Running) -> None:
        channel = one.receivers["slack:#ml"]
        channel.free.clear()
        one.feed(finding())
        await one.until(lambda: len(channel.calls) == 3)
        await asyncio.sleep(0.3)
        assert [(call.kind, call.doubt) for call, _ in channel.calls] == [
            ("open", False),
            ("open", True),
            ("open", True),
        ]
        channel.free.set()
        await one.until(lambda: all(entry.confirmed for entry in one.tenure.state.entries.values()))
        assert len(channel.calls) == 4

    told(redis_url, environment_name, story)


def test_a_call_whose_entry_is_settled_when_it_begins_is_made_all_the_same(
    redis_url: str, environment_name: str
) -> None:
    """What the core lets go in the turn of ``Began`` is no bug: the close is still said."""

    async def story(one: Running) -> None:
        one.feed(finding())
        await one.until(
            lambda: (
                all(entry.confirmed for entry in one.tenure.state.entries.values())
                and len(one.receivers["slack:#ml"].calls) == 1
            )
        )
        submit = one.owner.submit

        async def and_gone(tenure: Any, given: Any) -> None:
            await submit(tenure, given)
            if not isinstance(given, Confirmed):
                kept = {name: one for name, one in tenure.state.entries.items() if name != given.entry}
                object.__setattr__(tenure.state, "entries", kept)

        one.owner.submit = and_gone  # type: ignore[method-assign]
        one.feed(finding(hours=2, state="ok"))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: one.receivers["slack:#ml"].kinds[-1] == "close")

    told(redis_url, environment_name, story)


class Site:
    """A configuration with a pager, whose key is in a file, and workers that follow it."""

    def __init__(self, redis: redis_async.Redis, names: Names, folder: Path) -> None:
        self.redis, self.names, self.key = redis, names, folder / "key"
        self.receivers = {
            "oncall": ReceiverMonitor(pagerduty=PagerDutyReceiver(routing_key=SecretPlace(file=str(self.key))))
        }

    async def apply(self) -> None:
        changes = {"receivers": self.receivers, "route": RouteMonitor(receiver="oncall", open_wait_ms=0)}
        file = monitors(m=monitor()).model_copy(update=changes)
        references = {model: reference() for model in file.models}
        await generations.publish(self.redis, self.names, file, references=references, now_ms=7, clock_ms=None)

    def following(self) -> Configured:
        return Configured(self.redis, Settings(environment=self.names.environment), patience=Patience())

    async def owner(self, configured: Configured) -> Owner:
        """The owner of a worker that starts, assigned both inputs."""
        owner = Owner(IncidentStore(self.redis, self.names), lock_step=False, patience=Patience(), tally=OwnerTally())

        async def survey(tps: set[TP]) -> dict[TP, Log]:
            return {tp: Log(0, 100, "id", None) for tp in tps}

        agent = IncidentAgent(owner, configured, survey=survey, letters=cast(DeadLetters, None), who="test:1")
        await agent.take(cast(RunConsumer, Consumer()), set(agent.inputs))
        return owner


class Consumer:
    """A consumer that has just been assigned."""

    def commit_later(self, tps: object) -> None:
        """Nothing is committed here."""

    def placement(self, tp: TP) -> int:
        return 0

    def stored(self, tp: TP, offset: int) -> None:
        """Committed, as far as a test is concerned."""


@pytest.fixture
def at(redis_url: str, environment_name: str, tmp_path: Path) -> Callable[[Callable[[Site], Awaitable[None]]], None]:
    async def run(story: Callable[[Site], Awaitable[None]]) -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            await story(Site(redis, Names(environment_name), tmp_path))

    return lambda story: asyncio.run(run(story))


def test_a_secret_that_cannot_be_read_for_one_look_changes_nothing(at: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(site: Site) -> None:
        site.key.write_text(KEY)
        await site.apply()
        followed = site.following()
        assert await followed.refresh()
        policy = followed.policy
        assert [address.kind for address in policy.addresses("oncall")] == ["pagerduty"]
        site.key.write_text("")
        assert [await followed.refresh() for _ in range(2)] == [False, False]
        assert (followed.policy is policy, followed.complete) == (True, False)
        await site.apply()  # the same receivers once more
        await followed.refresh()
        assert followed.policy.addresses("oncall") == policy.addresses("oncall")
        site.key.write_text("f" * 32)
        assert await followed.refresh()
        assert followed.policy.addresses("oncall") != policy.addresses("oncall"), "a rotated key is another address"
        assert followed.complete

    with caplog.at_level(logging.ERROR):
        at(story)
    assert len([line for line in caplog.messages if "is empty" in line]) == 2, "once a configuration"


def test_another_configuration_takes_a_receiver_out(at: Any) -> None:
    async def story(site: Site) -> None:
        site.key.write_text(KEY)
        await site.apply()
        followed = site.following()
        await followed.refresh()
        site.key.write_text("")
        site.receivers = {"oncall": ReceiverMonitor()}
        await site.apply()
        assert await followed.refresh()
        assert (followed.policy.addresses("oncall"), followed.complete) == ((), True)

    at(story)


def test_a_worker_that_starts_without_the_secret_keeps_whom_the_register_knows(at: Any) -> None:
    async def story(site: Site) -> None:
        site.key.write_text(KEY)
        await site.apply()
        first = site.following()
        await first.refresh()
        [before] = first.policy.addresses("oncall")
        async with turning(await site.owner(first)) as owner:
            await first.follow(owner)
            assert owner.tenure is not None
            await owner.submit(owner.tenure, finding(severity="P0"))
            assert [entry.want for entry in owner.tenure.state.entries.values()] == [1]
        site.key.unlink()
        second = site.following()
        async with turning(await site.owner(second)) as owner:
            await second.follow(owner)
            assert second.policy.addresses("oncall") == (Address(before.name, before.kind),), (
                "its secret is not known now"
            )
            assert owner.tenure is not None
            assert [entry.want for entry in owner.tenure.state.entries.values()] == [1], "it is still to be told"

    at(story)


def test_nothing_is_decided_before_there_is_a_configuration(at: Any) -> None:
    async def story(site: Site) -> None:
        site.key.write_text(KEY)
        await site.apply()
        first = site.following()
        await first.refresh()
        async with turning(await site.owner(first)) as owner:
            await first.follow(owner)
            assert owner.tenure is not None
            await owner.submit(owner.tenure, finding(severity="P0"))
        second = site.following()
        refreshed, second._refreshed = second._refreshed, cast(Any, nothing)  # type: ignore[method-assign]
        owner = await site.owner(second)
        async with turning(owner):
            tenure = owner.tenure
            assert tenure is not None
            assert (second.policy, tenure.unread is None) == (NOTHING, False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(owner.submit(tenure, finding(hours=1, severity="P0")), 0.2)
            assert [entry.want for entry in tenure.state.entries.values()] == [1]
            second._refreshed = refreshed  # type: ignore[method-assign]
            tenure.own.clear()
            await second.follow(owner)
            assert [
                (entry.want, incident.state)
                for entry in tenure.state.entries.values()
                for incident in tenure.state.incidents.values()
            ] == [(1, "open")]

    at(story)


async def nothing() -> bool:
    raise ValueError("the configuration cannot be read")


@contextlib.asynccontextmanager
async def turning(owner: Owner) -> Any:
    async def run() -> None:
        while True:
            await owner.run()

    task = asyncio.create_task(run())
    try:
        async with asyncio.timeout(5):
            yield owner
    finally:
        if task.done():
            task.result()
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
