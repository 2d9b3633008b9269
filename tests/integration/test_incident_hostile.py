"""Hostile names all the way: finding, owner, message, and both recording receivers behind real sockets."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from alerting.policy import Address, Policy
from alerting.receivers.build import build
from alerting.receivers.endpoints import Endpoints
from schemas.findings import Finding, Progress, finding_key
from schemas.incidents import decode
from schemas.monitored import PagerDutyReceiver, ReceiverMonitor, RouteMonitor, SecretPlace, SlackReceiver
from schemas.names import Names
from stream.local.receivers.pagerduty import recording_pagerduty
from stream.local.receivers.slack import recording_slack
from tests.support.incident_owner import HOUR, POLICY, T0, FakeReceiver, Running, finding, running

NAMES = (
    "<!channel> <@U1> <https://evil.example|click>", "two\nlines\r\nand\u2028more\x1b[31m", 'quo"te\\ \'single\' `tick` {}',
    "\u202egnol\u202c" + "x" * 10_000, "*bold* _it_ &amp; &lt;", "😀" * 2_000,
)  # fmt: skip


def hostile(feature: str, *, hours: int = 0, state: str = "firing") -> Finding:
    """A verdict about a feature of such a name."""
    plain = finding(hours=hours, state=state, severity="P0")
    subject = f"feature:m/{feature}"
    return msgspec.structs.replace(
        plain, feature=feature, subject=subject, key=finding_key("psi", subject), owner=feature, rule="psi"
    )


def texts(content: Any) -> list[str]:
    """Every string of a payload."""
    if isinstance(content, str):
        return [content]
    values = content.values() if isinstance(content, dict) else content if isinstance(content, list | tuple) else ()
    return [text for value in values for text in texts(value)]


def test_hostile_names_ring_nobody_else_break_nothing_and_are_told(
    redis_url: str, environment_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("THE_TOKEN", "xoxb-1")
    oncall = ReceiverMonitor(
        pagerduty=PagerDutyReceiver(routing_key=SecretPlace(env="THE_KEY")),
        slack=SlackReceiver(token=SecretPlace(env="THE_TOKEN"), channel="#ml"),
    )
    with recording_pagerduty(tmp_path) as pagerduty, recording_slack(tmp_path) as slack:
        endpoints = Endpoints(pagerduty.url, f"{slack.url}/api/", "http://console.example")
        built = build({"oncall": oncall}, environment="test", endpoints=endpoints, clock="live")
        addresses = tuple(Address(name, one.kind) for name, one in built.receivers.items())
        policy = Policy.of(
            POLICY.lineage, RouteMonitor(receiver="oncall", open_wait_ms=0), {"oncall": addresses}, clock="event"
        )
        monkeypatch.setattr("tests.support.incident_owner.POLICY", policy)

        async def story(one: Running) -> None:
            redis, names = one.owner.store.redis, one.owner.store.names
            one.feed(*map(hostile, NAMES))
            await one.until(lambda: len(pagerduty.vendor.open_keys()) == len(NAMES), timeout_s=30)
            await one.until(lambda: len(slack.vendor.roots()) == len(NAMES), timeout_s=30)
            one.feed(*(hostile(name, hours=2, state="ok") for name in NAMES))
            one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
            await one.until(lambda: pagerduty.vendor.open_keys() == [], timeout_s=30)
            await one.until(
                lambda: all("RESOLVED" in root.text for root in slack.vendor.roots()) and not one.owner.tally.failing,
                timeout_s=30,
            )
            documents = cast("dict[bytes, bytes]", await redis.hgetall(names.incidents("documents")))
            assert {member.feature for value in documents.values() for member in decode(value).members} == set(NAMES)

        async def run() -> None:
            receivers = cast("dict[str, FakeReceiver]", dict(built.receivers))
            async with running(redis_url, Names(environment_name), receivers=receivers) as one:
                await story(one)

        asyncio.run(run())
        assert slack.vendor.pings == []
        said = [text for message in slack.vendor.messages for text in texts(message.content.get("blocks"))]
        assert not [text for text in said if "<!channel>" in text or "<@U1>" in text or "<https://evil" in text]
        assert [text for text in said if "&lt;!channel&gt;" in text], "it is told, as text"
        events = [event for incident in pagerduty.vendor.incidents for event in incident.events]
        assert len(pagerduty.vendor.incidents) == len(NAMES)
        for event in events:
            assert len(event["payload"]["summary"]) <= 1024
            assert not [text for text in texts(event["payload"]) if set(text) & set("\n\r\u2028\x1b\u202e")]
            assert len(json.dumps(event)) < 512_000
        assert len({incident.summary for incident in pagerduty.vendor.incidents}) == len(NAMES)
