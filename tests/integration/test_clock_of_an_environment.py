"""An environment goes by one clock: what a replay left open is never sent by a live worker, nor the other way round."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import Producer
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from alerting.policy import Clock
from schemas import findings
from schemas.errors import ConfigError
from schemas.names import Names
from stream.incidents.store import IncidentStore
from stream.local.receivers.pagerduty import recording_pagerduty
from stream.state.clock import claim
from tests.support.command import driftline
from tests.support.documents import steps
from tests.support.incident_owner import finding
from tests.support.models import reference
from tests.support.observed import printed
from tests.support.worker import Deployment

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 1h, lateness: 0s}
sources: {weather: {owner: data}}
models:
  m: {reference: m.json, features: {temp: {type: numeric, source: weather}}}
receivers:
  oncall: {pagerduty: {routing_key: {env: CLOCK_TEST_KEY}}}
route: {receiver: oncall, open_wait: 0s}
"""


def test_a_live_worker_does_not_start_where_a_replay_was_and_tells_nobody(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOCK_TEST_KEY", "k" * 32)
    (tmp_path / "m.json").write_bytes(reference().to_json())
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    assert driftline("apply", str(tmp_path / "monitors.yaml"), env=deployment.variables).code == 0
    with recording_pagerduty(tmp_path) as pager:
        replay = deployment.start_worker(clock="event", pagerduty_url=pager.url)
        deployment.wait_until(lambda: stored(deployment, "epoch") != b"")
        producer = Producer({"bootstrap.servers": deployment.kafka})
        # No model says that it has got so far: a replay holds it back, and a live worker would page at once.
        producer.produce(deployment.names.topic("findings"), findings.encode(finding(severity="P0")), partition=0)
        assert producer.flush(10) == 0
        replay.stop()
        before = stored(deployment, "epoch")

        live = deployment.start_worker(pagerduty_url=pager.url)
        deployment.wait_until(lambda: not live.alive or pager.vendor.rings > 0)
        assert (live.stop(), pager.vendor.rings, stored(deployment, "epoch")) == (2, 0, before)
    said = f"environment: DRIFTLINE_CLOCK: is 'live', and the environment '{deployment.environment}' goes by the clock 'event'"
    assert (printed(live, said), printed(live, "Use another DRIFTLINE_ENVIRONMENT"), printed(live, "Traceback")) == (
        1, 1, 0,
    )  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [("event", "live"), ("live", "event")])
def test_an_owner_with_the_other_clock_takes_nothing(
    redis_url: str, environment_name: str, first: Clock, second: Clock
) -> None:
    """A worker that started before its environment was emptied, and taken by another clock, ends at its next assignment."""
    names = Names(environment_name)

    async def story() -> None:
        async with AsyncRedis.from_url(redis_url) as redis:
            begun = await IncidentStore(redis, names, clock=first).take(topics=("findings",), owner="a")
            with pytest.raises(ConfigError, match=f"is '{second}', and the environment .* goes by the clock '{first}'"):
                await IncidentStore(redis, names, clock=second).take(topics=("findings",), owner="b")
            assert await IncidentStore(redis, names).holds(begun.epoch), "the one that was there goes on"

    asyncio.run(story())


def test_an_environment_that_is_emptied_as_the_page_says_may_go_by_another_clock(
    redis_url: str, environment_name: str
) -> None:
    [step] = [step for step in steps(OPERATIONS) if "--scan" in step.command]
    named = step.command.replace("driftline:year:", f"driftline:{environment_name}:")
    command = named.replace("redis-cli", f"redis-cli -u {redis_url}")
    names = Names(environment_name)
    with Redis.from_url(redis_url) as redis:
        claim(redis, names, "event")
        redis.set(names.key('{model:a "b" it\'s c}', "report"), "x")
        claim(redis, names, "event")
        with pytest.raises(ConfigError):
            claim(redis, names, "live")
        subprocess.run(["sh", "-c", command], check=True)
        assert list(redis.scan_iter(names.key("*"), count=10_000)) == []
        claim(redis, names, "live")


def stored(deployment: Deployment, name: str) -> bytes:
    with Redis.from_url(deployment.redis_url) as redis:
        return cast("bytes | None", redis.hget(deployment.names.incidents("owner"), name)) or b""
