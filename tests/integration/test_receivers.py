"""Receivers built from a configuration, the budget in Redis and recording vendors with their rate rules, together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from alerting.deliveries import Call, ReceiverKind
from alerting.receivers.build import build
from alerting.receivers.endpoints import Endpoints
from alerting.receivers.receiver import Receiver
from schemas.findings import Severity
from schemas.monitored import PagerDutyReceiver, ReceiverMonitor, SecretPlace, SlackReceiver
from schemas.names import Names
from stream.incidents.budget import RedisBudget
from stream.local.receivers.exchange import dropped
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import Recording
from stream.local.receivers.slack import RecordingSlack, recording_slack
from tests.support.incident_messages import FIRING, RESOLVED, call


@dataclass
class Time:
    """A clock that only waiting moves."""

    ms: int = 1_700_000_000_000


@dataclass(frozen=True)
class Site:
    """Both vendors, on one clock, and the receivers that reach them."""

    time: Time
    pagerduty: Recording[RecordingPagerDuty]
    slack: Recording[RecordingSlack]
    receivers: dict[ReceiverKind, Receiver]

    def call(self, kind: str, to: ReceiverKind, incident: int, **changes: object) -> Call:
        """A call for one of many incidents."""
        changes = {"dedup_key": f"INC-{incident}:1", "entry": f"INC-{incident}@{to}", **changes}
        return call(kind, at=to, address=self.receivers[to].address, **changes)


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    time = Time()
    monkeypatch.setenv("THE_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("THE_TOKEN", "xoxb-1")
    pager = PagerDutyReceiver(routing_key=SecretPlace(env="THE_KEY"))
    oncall = ReceiverMonitor(pagerduty=pager, slack=SlackReceiver(token=SecretPlace(env="THE_TOKEN"), channel="#ml-p0"))
    with ExitStack() as stack:
        pagerduty = stack.enter_context(recording_pagerduty(tmp_path, clock=lambda: time.ms / 1000))
        slack = stack.enter_context(recording_slack(tmp_path, clock=lambda: time.ms / 1000))
        endpoints = Endpoints(pagerduty.url, f"{slack.url}/api/")
        built = build({"oncall": oncall}, environment="test", endpoints=endpoints, clock="event")
        yield Site(time, pagerduty, slack, {one.kind: one for one in built.receivers.values()})


@pytest.fixture
def taking(redis_url: str, environment_name: str, vendors: Site) -> Callable[[str, Severity], float]:
    def take(address: str, severity: Severity) -> float:
        async def asked() -> float:
            async with Redis.from_url(redis_url) as redis:
                return await RedisBudget(redis, Names(environment_name)).take(address, severity, vendors.time.ms)

        return asyncio.run(asked())

    return take


@pytest.mark.parametrize(("to", "incidents", "least_s"), [("pagerduty", 200, 112), ("slack", 40, 35)])
def test_a_storm_within_the_budget_is_never_refused(
    vendors: Site, taking: Callable[[str, Severity], float], to: ReceiverKind, incidents: int, least_s: int
) -> None:
    began = vendors.time.ms
    for incident in range(incidents):
        told = vendors.call("open", to, incident)
        while wait := taking(told.address, "P1"):
            vendors.time.ms += round(wait * 1000)
        assert vendors.receivers[to].deliver(told, FIRING).outcome == "ok"
    assert least_s <= (vendors.time.ms - began) / 1000 < least_s + 2
    found = vendors.pagerduty.vendor.rings if to == "pagerduty" else len(vendors.slack.vendor.roots())
    assert found == incidents


def test_a_storm_without_a_budget_is_refused_and_says_how_long(vendors: Site) -> None:
    receiver = vendors.receivers["pagerduty"]
    receipts = [receiver.deliver(vendors.call("open", "pagerduty", n), FIRING) for n in range(121)]
    assert [one.outcome for one in receipts] == ["ok"] * 120 + ["retry"]
    assert receipts[-1].retry_after_s == 61
    vendors.time.ms += 61_000
    assert receiver.deliver(vendors.call("open", "pagerduty", 120), FIRING).outcome == "ok"


def test_p0_goes_first_when_others_have_used_the_budget_up(
    vendors: Site, taking: Callable[[str, Severity], float]
) -> None:
    address = vendors.receivers["pagerduty"].address
    while not taking(address, "P1"):
        pass
    assert [taking(address, "P0") for _ in range(5)] == [0.0] * 5
    assert taking(address, "P1") > 2


@pytest.mark.parametrize("to", ["pagerduty", "slack"])
def test_one_message_edited_in_place_and_a_close_though_answers_are_lost(vendors: Site, to: ReceiverKind) -> None:
    recording = vendors.pagerduty if to == "pagerduty" else vendors.slack
    thread: str | None = None
    for kind, message in (("open", FIRING), ("update", replace(FIRING, history=("a", "b"))), ("close", RESOLVED)):
        recording.fail_next(dropped())  # received, done, and never answered
        assert vendors.receivers[to].deliver(vendors.call(kind, to, 7, thread=thread), message).outcome == "retry"
        receipt = vendors.receivers[to].deliver(vendors.call(kind, to, 7, thread=thread, doubt=True), message)
        assert receipt.outcome == "ok"
        thread = receipt.thread or thread
    if to == "pagerduty":
        assert (vendors.pagerduty.vendor.rings, vendors.pagerduty.vendor.open_keys()) == (1, [])
        return
    [root] = vendors.slack.vendor.roots()
    assert root.text.startswith("P1 RESOLVED")
    assert [line.broadcast for line in vendors.slack.vendor.thread(root)] == [False, True]
