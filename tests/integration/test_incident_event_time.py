"""A replay through the owner: the same incidents however the findings come in, and every receiver told in order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from typing import cast

import pytest
from redis import Redis

from alerting.register import entries
from schemas.findings import Finding, Progress
from schemas.incidents import IncidentView, decode
from schemas.names import Names
from stream.incidents import owner
from tests.support.incident_owner import HOUR, T0, FakeReceiver, Running, finding, running, two_receivers

DAYS = 60


def verdicts() -> list[Finding]:
    """Sixty days of two features, a verdict an hour that fires: episodes of one to three days, some of them P0."""
    rng = random.Random(5)
    found: list[Finding] = []
    for feature in ("temp", "dewp"):
        day = 0
        while day < DAYS:
            quiet, length, severity = rng.randint(2, 6), rng.randint(1, 3), rng.choice(["P0", "P1", "P1"])
            first, last = (day + quiet) * 24, (day + quiet + length) * 24
            found += [
                finding(feature, hours=hour, severity=severity, onset_hours=first) for hour in range(first, last, 6)
            ]
            found += [finding(feature, hours=last + hour, state="ok") for hour in (0, 6, 12)]
            day += quiet + length + 1
    return sorted(found, key=lambda one: (one.at, one.key))


def mark(hours: int) -> Progress:
    return Progress(model="m", stream="predictions", at=T0 + hours * HOUR, seen=T0 + hours * HOUR)


def as_they_come(every_days: int, seed: int | None) -> Iterator[Finding | Progress]:
    """The verdicts of so many days, in another order where there is a seed, and a mark behind them."""
    found = verdicts()
    for day in range(0, DAYS + 20, every_days):
        until = T0 + (day + every_days) * 24 * HOUR
        batch = [one for one in found if until - every_days * 24 * HOUR <= one.at < until]
        if seed is not None:
            random.Random(seed + day).shuffle(batch)
        yield from batch
        yield mark((day + every_days) * 24 - 1)


class Replay:
    """A replay in an environment of its own."""

    def __init__(self, url: str, names: Names, messages: list[Finding | Progress]) -> None:
        self.redis, self.names = Redis.from_url(url), names
        self.receivers = two_receivers()
        asyncio.run(self._run(url, messages))

    async def _run(self, url: str, messages: list[Finding | Progress]) -> None:
        async with running(url, self.names, receivers=self.receivers, event_time=True) as one:
            one.feed(*messages)
            await one.until(lambda: len(one.tenure.inbox) == 0 and one.tenure.now >= messages[-1].seen, timeout_s=60)
            await one.until(
                lambda: all(each.confirmed for document in self.documents() for each in document.deliveries)
            )

    def documents(self) -> list[IncidentView]:
        found = cast("dict[bytes, bytes]", self.redis.hgetall(self.names.incidents("documents")))
        return sorted((decode(value) for value in found.values()), key=lambda one: (one.opened, one.id))

    def incidents(self) -> list[object]:
        """What must not depend on how it was fed."""
        return [
            (one.id, one.opened, one.ended, one.end_reason, one.worst, one.since_lo, one.since_hi, one.flips,
             sorted((member.key, member.joined_by, member.at) for member in one.members))
            for one in self.documents()
        ]  # fmt: skip

    def told(self, address: str) -> list[tuple[str, str]]:
        """Openings and closings, in order."""
        calls = (call for call, _ in self.receivers[address].calls if call.kind in ("open", "close"))
        return [(call.kind, call.dedup_key) for call in calls]


def test_a_replay_that_is_fed_twice_gives_the_same_incidents_and_tells_the_same(
    redis_url: str, environment_name: str
) -> None:
    first = Replay(redis_url, Names(f"{environment_name}-1"), list(as_they_come(1, None)))
    again = Replay(redis_url, Names(f"{environment_name}-2"), list(as_they_come(1, 7)))
    coarse = Replay(redis_url, Names(f"{environment_name}-3"), list(as_they_come(10, 8)))
    assert len(first.incidents()) >= 10
    assert {one.state for one in first.documents()} == {"ended"}
    assert first.incidents() == again.incidents() == coarse.incidents()
    for address in first.receivers:
        assert first.told(address) == again.told(address) == coarse.told(address)
        assert len(first.told(address)) > 4


def test_a_slow_receiver_hears_everything_in_order(redis_url: str, environment_name: str) -> None:
    """Twenty weeks within a second or two, at a receiver that takes 10 ms for each request."""
    receiver = FakeReceiver("slack:#ml", "slack", pause_s=0.01)
    receivers = {"slack:#ml": receiver, "pagerduty:1": FakeReceiver("pagerduty:1", "pagerduty")}

    async def story() -> None:
        async with running(redis_url, Names(environment_name), receivers=receivers, event_time=True) as one:
            for week in range(20):
                at = week * 7 * 24
                one.feed(finding(hours=at, onset_hours=at), *(finding(hours=at + h, state="ok") for h in (24, 30, 36)))
            one.feed(mark(21 * 7 * 24))
            await one.until(lambda: receiver.kinds.count("close") == 20, timeout_s=30)

    asyncio.run(story())
    told = [(call.kind, call.dedup_key) for call, _ in receiver.calls if call.kind in ("open", "close")]
    assert [kind for kind, _ in told] == ["open", "close"] * 20
    assert [key for _, key in told[::2]] == [key for _, key in told[1::2]]
    assert len({key for _, key in told}) == 20


def test_time_waits_for_a_receiver_that_hangs_and_then_goes_on_without_it(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert owner.LOCK_STEP_S == 30.0
    wait_s = 2.0  # so long that whoever answers has answered, on a busy machine too
    monkeypatch.setattr(owner, "LOCK_STEP_S", wait_s)
    receivers = two_receivers()
    receivers["slack:#ml"].free.clear()

    async def story(one: Running) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for week in (0, 1, 2):
            at = week * 7 * 24
            one.feed(finding(hours=at, onset_hours=at, severity="P0"))
            one.feed(*(finding(hours=at + hours, state="ok") for hours in (24, 30, 36)))
        one.feed(mark(22 * 24))
        await one.until(lambda: one.tenure.now >= T0 + 22 * 24 * HOUR, timeout_s=25)
        assert loop.time() - began >= 0.9 * wait_s
        assert receivers["pagerduty:1"].kinds == ["open", "close"] * 3, "who answers hears everything"
        assert receivers["slack:#ml"].kinds == ["open"]
        receivers["slack:#ml"].free.set()
        await one.until(lambda: receivers["slack:#ml"].kinds[-1] == "digest")
        await one.until(lambda: not any(True for _ in entries(one.tenure.state)))
        assert receivers["slack:#ml"].kinds == ["open", "close", "digest"], "what came and went meanwhile is not opened"
        digest = receivers["slack:#ml"].calls[-1][1]
        assert digest.title == "2 incidents were over before this channel could be told"
        assert [line[:10] for line in digest.history] == ["P0 m: temp"] * 2

    async def run() -> None:
        async with running(redis_url, Names(environment_name), receivers=receivers, event_time=True) as one:
            await story(one)

    with caplog.at_level(logging.ERROR, "stream.incidents.owner"):
        asyncio.run(run())
    waited_once = ["event time goes on although nobody at slack:#ml was told"]
    assert caplog.messages == waited_once, "not at every incident"
