"""The incident owner on a real Redis: what it stores, whom it tells, and what a new owner goes on with."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from redis import Redis

from alerting.deliveries import Receipt
from alerting.inputs import Configure
from alerting.policy import Address, Policy
from schemas.actions import Acknowledge, Resolve
from schemas.findings import Progress
from schemas.incidents import IncidentView, decode
from schemas.monitored import RouteMonitor
from schemas.names import Names
from tests.support.incident_owner import HOUR, POLICY, T0, FakeReceiver, Running, finding, running, two_receivers

Story = Callable[[Running], Awaitable[None]]


class Place:
    """An environment's incidents in Redis, and owners one after the other."""

    def __init__(self, url: str, names: Names) -> None:
        self.url, self.names = url, names
        self.redis = Redis.from_url(url)

    def tell(self, story: Story, **more: Any) -> None:
        async def run() -> None:
            async with running(self.url, self.names, **more) as one:
                await story(one)

        asyncio.run(run())

    def documents(self) -> list[IncidentView]:
        found = cast("dict[bytes, bytes]", self.redis.hgetall(self.names.incidents("documents")))
        return [decode(value) for value in found.values()]

    def stored(self, field: str) -> bytes | None:
        return cast("bytes | None", self.redis.hget(self.names.incidents("owner"), field))

    def answer(self, offset: int) -> Any:
        return json.loads(cast(bytes, self.redis.get(self.names.incidents("answer", f"0:{offset}"))))


@pytest.fixture
def place(redis_url: str, environment_name: str) -> Place:
    return Place(redis_url, Names(environment_name))


async def opened(one: Running) -> None:
    one.feed(finding())
    await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
    await one.until(lambda: not untold(one))


def untold(one: Running) -> list[str]:
    return [entry.id for entry in one.tenure.state.entries.values() if not entry.settled and not entry.confirmed]


def test_a_finding_becomes_an_incident_that_is_stored_published_and_told_once(place: Place) -> None:
    async def story(one: Running) -> None:
        await opened(one)
        one.feed(finding(hours=1), finding("dewp", hours=1))
        await one.until(lambda: place.stored("next:findings") == b"3")

    place.tell(story)
    [incident] = place.documents()
    assert (incident.state, incident.severity, len(incident.members)) == ("open", "P1", 2)
    assert [(each.receiver, each.wants, each.believes, each.confirmed) for each in incident.deliveries] == [
        ("team", "open P1", "open P1", True)
    ]
    outbox = cast("list[tuple[bytes, dict[bytes, bytes]]]", place.redis.xrange(place.names.incidents("outbox")))
    assert outbox[-1][1][b"id"] == incident.id.encode()
    lines = cast("list[Any]", place.redis.xrange(place.names.incidents("timeline", incident.id)))
    assert lines
    assert len({fields[b"text"] for _, fields in lines}) == len(lines), "each line of the timeline is written once"


def test_the_next_owner_goes_on_where_the_last_one_stored(place: Place) -> None:
    async def first(one: Running) -> None:
        await opened(one)

    async def second(one: Running) -> None:
        assert one.offsets == {"findings": 1, "actions": 0}
        one.feed(finding(), finding(hours=1))  # the first comes again, as after a crash of the relay
        one.feed(finding(hours=2, state="ok"), finding(hours=4, state="ok"), finding(hours=6, state="ok"))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: "close" in one.receivers["slack:#ml"].kinds)
        assert "open" not in one.receivers["slack:#ml"].kinds

    place.tell(first)
    place.tell(second)
    [incident] = place.documents()
    assert (incident.state, incident.end_reason) == ("ended", "recovered")
    assert place.redis.zcard(place.names.incidents("ended")) == 1


def test_a_p0_reaches_the_receiver_without_waiting(place: Place) -> None:
    async def story(one: Running) -> None:
        began = time.monotonic()
        one.feed(finding(severity="P0"))
        await one.until(lambda: bool(one.receivers["pagerduty:1"].calls))
        assert time.monotonic() - began < 5, "a poll somewhere in the way"
        call, message = one.receivers["pagerduty:1"].calls[0]
        assert (call.kind, call.severity, message.incident) == ("open", "P0", place.documents()[0].id)

    place.tell(story)


def test_a_receiver_that_hangs_blocks_only_itself(place: Place) -> None:
    async def story(one: Running) -> None:
        one.receivers["slack:#ml"].free.clear()
        one.feed(finding(severity="P0"))
        await one.until(lambda: one.receivers["pagerduty:1"].kinds == ["open"])
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
        one.feed(finding("temp", hours=1, state="ok"), finding(hours=4, state="ok"))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: one.receivers["pagerduty:1"].kinds == ["open", "close"])
        assert one.receivers["slack:#ml"].kinds == ["open"]
        one.receivers["slack:#ml"].free.set()
        await one.until(lambda: one.receivers["slack:#ml"].kinds[-1] == "close")

    place.tell(story)


def test_a_p0_is_never_delayed_by_other_addresses_that_hang_however_many(place: Place) -> None:
    """Forty channels hang with a P0 each; the pager's own request is made all the same."""
    channels = [Address(f"slack:#{number}", "slack") for number in range(40)]
    policy = Policy.of(
        POLICY.lineage, RouteMonitor(receiver="all", open_wait_ms=0),
        {"all": (*channels, Address("pagerduty:1", "pagerduty"))},
    )  # fmt: skip
    receivers = {address.name: FakeReceiver(address.name, "slack") for address in channels}
    for receiver in receivers.values():
        receiver.free.clear()

    async def story(one: Running) -> None:
        await one.owner.submit(one.tenure, Configure(policy))
        one.feed(finding(severity="P0"))
        await one.until(lambda: one.receivers["pagerduty:1"].kinds == ["open"])
        await one.until(lambda: all(receiver.kinds == ["open"] for receiver in receivers.values()))
        assert not any(receiver.free.is_set() for receiver in receivers.values()), "they hang still"

    place.tell(story, receivers=receivers | {"pagerduty:1": FakeReceiver("pagerduty:1", "pagerduty")})


def test_a_request_that_failed_is_made_again_and_its_key_stays(place: Place) -> None:
    receivers = two_receivers()
    receivers["slack:#ml"].receipts = [Receipt("retry", why="503"), Receipt("ok", thread="C1:1")]

    async def story(one: Running) -> None:
        one.feed(finding())
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open", "open"])
        await one.until(lambda: not untold(one))
        first, second = (call for call, _ in one.receivers["slack:#ml"].calls)
        assert (first.dedup_key, first.doubt, second.doubt) == (second.dedup_key, False, True)
        assert one.owner.tally.deliveries == {("slack", "open", "retry"): 1, ("slack", "open", "ok"): 1}
        assert one.owner.tally.failing == set()

    place.tell(story, receivers=receivers)


def test_an_address_that_will_never_take_it_is_said_in_the_incident(place: Place) -> None:
    receivers = two_receivers()
    receivers["pagerduty:1"].receipts = [Receipt("permanent", why="400 invalid routing key")]

    async def story(one: Running) -> None:
        one.feed(finding(severity="P0"))
        await one.until(lambda: any(each.failed for document in place.documents() for each in document.deliveries))
        await one.until(lambda: "note" in one.receivers["slack:#ml"].kinds or len(one.receivers["slack:#ml"].calls) > 1)

    place.tell(story, receivers=receivers)
    [incident] = place.documents()
    assert [each.failed for each in incident.deliveries if each.kind == "pagerduty"] == ["400 invalid routing key"]


def test_an_action_is_done_and_answered_and_one_that_is_too_late_is_refused_in_words(place: Place) -> None:
    async def story(one: Running) -> None:
        await opened(one)
        incident = next(iter(one.tenure.state.incidents))
        one.feed(Acknowledge(incident=incident, by="ann", at=1), Resolve(incident=incident, by="ann", at=2))
        one.feed(Acknowledge(incident=incident, by="bob", at=3), Acknowledge(incident="nope", by="bob", at=3))
        await one.until(lambda: place.stored("next:actions") == b"4")
        await one.until(lambda: one.receivers["slack:#ml"].kinds[-1] == "close")
        assert place.answer(0) == {"done": True, "said": f"incident {incident} is acknowledged"}
        assert place.answer(1) == {"done": True, "said": f"incident {incident} is resolved"}
        assert place.answer(2) == {"done": False, "said": f"{incident} has ended: operator; nothing was changed"}
        assert place.answer(3) == {"done": False, "said": "there is no incident nope; nothing was changed"}

    place.tell(story)
    [document] = place.documents()
    assert (document.acknowledged_by, document.end_reason) == ("ann", "operator")


def test_an_owner_that_was_replaced_sends_nothing_more_and_says_so(place: Place) -> None:
    async def story(one: Running) -> None:
        await opened(one)
        lost = asyncio.Event()

        async def note(tenure: object) -> None:
            lost.set()

        one.owner.lost = note
        await one.owner.store.take(topics=("findings", "actions"), owner="another")
        one.feed(finding(hours=1, severity="P0"))
        async with asyncio.timeout(10):
            await lost.wait()
        assert one.owner.tenure is None
        assert one.receivers["pagerduty:1"].calls == []

    place.tell(story)
    [document] = place.documents()
    assert (document.severity, place.stored("next:findings")) == ("P1", b"1")


def test_the_epoch_is_asked_right_before_the_request(place: Place) -> None:
    """Replaced between the note and the request: nothing is sent, and the next owner sends it, in doubt."""

    async def replaced(one: Running) -> None:
        store = one.owner.store
        commit = store.commit

        async def and_then_another(turn: Any) -> Any:
            outcome = await commit(turn)
            if any(
                b'"believed":{"1"' in bytes(part)
                for _, _, parts in turn.writes
                for part in parts
                if isinstance(part, bytes)
            ):
                await store.take(topics=("findings", "actions"), owner="another")
            return outcome

        store.commit = and_then_another  # type: ignore[method-assign]
        one.feed(finding())
        await asyncio.sleep(0.3)
        assert one.receivers["slack:#ml"].calls == []

    async def next_one(one: Running) -> None:
        assert len(one.tenure.doubtful) == 1
        began = time.monotonic()
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
        assert time.monotonic() - began >= 0.35, "its request may still arrive: in_doubt_s is waited for first"
        assert one.receivers["slack:#ml"].calls[0][0].doubt

    place.tell(replaced)
    place.tell(next_one, in_doubt_s=0.4)


def test_event_time_waits_until_everybody_was_told(place: Place) -> None:
    """An incident that lasted a week of event time is opened and closed at the receiver, however fast the week is replayed."""
    receivers = {
        "slack:#ml": FakeReceiver("slack:#ml", "slack"),
        "pagerduty:1": FakeReceiver("pagerduty:1", "pagerduty"),
    }

    async def story(one: Running) -> None:
        one.receivers["slack:#ml"].free.clear()
        one.feed(finding())
        one.feed(*(finding(hours=hours, state="ok") for hours in (1, 24, 48)))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 100 * HOUR, seen=T0 + 100 * HOUR))
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
        await asyncio.sleep(0.1)
        assert one.tenure.now == T0, "time stands still while the opening is under way"
        one.receivers["slack:#ml"].free.set()
        await one.until(lambda: one.receivers["slack:#ml"].kinds[-1] == "close")

    place.tell(story, receivers=receivers, event_time=True)
    assert [document.state for document in place.documents()] == ["ended"]


def test_what_happened_is_counted_for_the_metrics(place: Place) -> None:
    async def story(one: Running) -> None:
        await opened(one)
        tally = one.owner.tally
        assert (tally.opened, tally.open, dict(tally.ended)) == ({"P1": 1}, {"P1": 1}, {})
        one.feed(finding(hours=2, state="ok"))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: one.receivers["slack:#ml"].kinds[-1] == "close")
        assert (tally.opened, tally.open, tally.ended) == ({"P1": 1}, {}, {"recovered": 1})
        assert [kind for kind, _ in tally.seconds] == ["slack", "slack"]
        assert all(0 <= seconds < 5 for _, seconds in tally.seconds)

    place.tell(story)
