"""What the incident owner follows: in a replay no real receiver is built, and that is one clear line."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.asyncio import Redis

from alerting.receivers.address import fingerprint
from alerting.receivers.receiver import Receiver
from schemas.monitored import PagerDutyReceiver, ReceiverMonitor, RouteMonitor, SecretPlace, SlackReceiver
from schemas.names import Names
from schemas.settings import Settings
from stream.incidents.configured import Configured
from stream.state import generations
from stream.state.patience import Patience
from tests.support.models import monitor, monitors, reference

RECEIVERS = {
    "console": ReceiverMonitor(),
    "oncall": ReceiverMonitor(
        pagerduty=PagerDutyReceiver(routing_key=SecretPlace(env="THE_KEY")),
        slack=SlackReceiver(token=SecretPlace(env="THE_TOKEN"), channel="#ml"),
    ),
}


def followed(redis_url: str, environment: str, **settings: str) -> Configured:
    """What is followed after looking three times at a configuration with a pager and a channel."""

    async def run() -> Configured:
        async with Redis.from_url(redis_url) as redis:
            changes = {"receivers": RECEIVERS, "route": RouteMonitor(receiver="oncall", open_wait_ms=0)}
            file = monitors(m=monitor()).model_copy(update=changes)
            names = Names(environment)
            references = {model: reference() for model in file.models}
            await generations.publish(redis, names, file, references=references, now_ms=7, clock_ms=None)
            found = Configured(redis, Settings(environment=environment, **settings), patience=Patience())  # type: ignore[arg-type]
            assert [await found.refresh() for _ in range(3)] == [True, False, False]
            return found

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("THE_TOKEN", "xoxb-1")


def test_in_a_replay_nobody_is_told_by_real_urls_and_one_line_says_so(
    redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        found = followed(redis_url, environment_name, clock="event")
    assert found.receivers == {}
    assert found.policy.addresses("oncall") == ()
    assert caplog.messages == [
        "nobody can be told of incidents: configuration: DRIFTLINE_PAGERDUTY_URL: a replay never reaches a real receiver, and "
        "events.pagerduty.com is not on the loopback interface: use a recording one"
    ]


def test_in_a_replay_recording_receivers_are_told(redis_url: str, environment_name: str) -> None:
    urls = {"pagerduty_url": "http://127.0.0.1:1", "slack_url": "http://127.0.0.1:2/api/"}
    found = followed(redis_url, environment_name, clock="event", **urls)
    assert sorted(address.kind for address in found.policy.addresses("oncall")) == ["pagerduty", "slack"]


def test_live_real_urls_are_what_is_meant(
    redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        found = followed(redis_url, environment_name, clock="live")
    assert sorted(address.kind for address in found.policy.addresses("oncall")) == ["pagerduty", "slack"]
    assert caplog.messages == []


def test_a_token_that_was_changed_is_another_chance_for_its_channel_and_one_that_is_missing_is_none(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = followed(redis_url, environment_name)

    async def looked() -> tuple[bool, str]:
        async with Redis.from_url(redis_url) as redis:
            found._redis = redis
            return await found.refresh(), found.policy.secret_of("slack:#ml")

    first = found.policy.secret_of("slack:#ml")
    assert first == fingerprint("xoxb-1")
    monkeypatch.delenv("THE_TOKEN")
    assert asyncio.run(looked()) == (False, first)
    monkeypatch.setenv("THE_TOKEN", "xoxb-2")
    assert asyncio.run(looked()) == (True, fingerprint("xoxb-2"))
    assert asyncio.run(looked()) == (False, fingerprint("xoxb-2"))


def test_a_receiver_is_kept_as_long_as_its_secret_so_it_still_knows_what_its_threads_tell(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = followed(redis_url, environment_name)

    async def looked() -> Receiver:
        async with Redis.from_url(redis_url) as redis:
            found._redis = redis
            await found.refresh()
            return found.receivers["slack:#ml"]

    first = found.receivers["slack:#ml"]
    assert asyncio.run(looked()) is first
    monkeypatch.setenv("THE_TOKEN", "xoxb-2")
    second = asyncio.run(looked())
    assert second is not first
    assert asyncio.run(looked()) is second
