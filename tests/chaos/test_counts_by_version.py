"""A worker killed while a model has a release: every cell that is counted by version is what plain Python counts, pane by pane."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from os import environ
from typing import Any, cast
from zlib import crc32

import numpy as np
import pytest
import yaml
from redis.asyncio import Redis

from stream.evaluate.columns.arms import Versions, arm_of, versions_of
from stream.state.arms import ARMS, ID_BUCKETS, is_of_arms
from stream.state.layout import LATE, Layout
from stream.state.packing import Partial
from stream.state.reading import stored_partials
from tests.support.arms import expected, held_by
from tests.support.chaos import row
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.worker import PARTITIONS, Deployment

pytestmark = pytest.mark.chaos

ROWS, PANES, RATE = 16_000, 6, 4_000
#: Events come this much out of order: more than the lateness of two minutes, so some are late and meet evicted panes.
DISORDER_MS = 3 * PANE_MS
RELEASE = {"champion": "3", "challenger": "4"}


@row("kill -9 while a release is counted by version", "every cell of both versions exact")
def test_counts_by_version_are_exact_through_a_kill(deployment: Deployment) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    events = answered(random.Random(seed))
    apply(deployment)
    killed = deployment.start_worker(flush_interval_s="0.5")
    deployment.wait_until_shared(killed)
    with deployment.sending([json.dumps(event).encode() for event in events], rate=RATE):
        deployment.wait_until(lambda: sum(deployment.stored().values()) > ROWS // 4)
        killed.kill()  # mid-stream, with panes half counted
        assert sum(deployment.stored().values()) < 0.9 * ROWS, "too fast: nothing was left to take over"
        deployment.start_worker(flush_interval_s="0.5")
    deployment.wait_until_stored()

    layout, panes = asyncio.run(stored(deployment))
    assert sum(int(partial.cells[LATE]) for partial in panes.values()) > 100
    assert sorted(panes) == sorted({event["timestamp"] // PANE_MS * PANE_MS for event in events})
    for start, partial in panes.items():
        own = [event for event in events if event["timestamp"] // PANE_MS * PANE_MS == start]
        assert versions_of(layout, partial) == by_version(own)
        for arm, version in zip(ARMS, RELEASE.values(), strict=True):
            found = arm_of(layout, partial, arm)
            assert held_by(layout, partial, arm) == expected(own, version, edges=found.score.edges)
            assert found.ids.tolist() == signed([event["id"] for event in own if event.get("version") == version])


def answered(chance: random.Random) -> list[dict[str, Any]]:
    """In order of arrival; sums of these latencies are exact."""
    events: list[dict[str, Any]] = []
    for number in range(ROWS):
        event: dict[str, Any] = {
            "model": "alpha", "timestamp": START_MS + number * PANES * PANE_MS // ROWS, "id": f"user-{chance.randrange(3_000)}",
            "latency_s": chance.choice((None, 0.125, 0.5, 2.25)), "status": chance.choice(("success", "success", "error")),
            "prediction": {"score": chance.random()},
        }  # fmt: skip
        version = chance.choice(("3", "3", "3", "4", "5", None))
        events.append(event | ({"version": version} if version else {}))
    return sorted(events, key=lambda event: event["timestamp"] + chance.randrange(DISORDER_MS))


def apply(deployment: Deployment) -> None:
    file = write_monitors(deployment.folder, {"alpha": reference_of(generate("alpha", 5_000, seed=11, features=2))})
    document = yaml.safe_load(file.read_text())
    document["models"]["alpha"]["release"] = RELEASE
    file.write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "stream.command.main", "apply", str(file)]
    subprocess.run(command, env={**environ, **deployment.variables}, check=True, capture_output=True, timeout=60)


def by_version(events: Sequence[dict[str, Any]]) -> Versions:
    named = [event.get("version") for event in events]
    return Versions(*(named.count(version) for version in ("3", "4", "5", None)))


def signed(ids: Sequence[str]) -> list[int]:
    """Ids by bucket and sign: CRC-32, murmur's finalizer, and the lowest bit as the sign."""
    found = np.zeros(ID_BUCKETS, np.int64)
    for each in ids:
        mixed = crc32(each.encode())
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
            mixed = (mixed ^ mixed >> shift) * factor % (1 << 32)
        found[mixed % (2 * ID_BUCKETS) // 2] += 1 - 2 * (mixed % 2)
    return [int(each) for each in found]


async def stored(deployment: Deployment) -> tuple[Layout, dict[int, Partial]]:
    """The layout of the arms, and the sum over partitions of each of its panes."""
    client = Redis.from_url(deployment.redis_url)
    texts = cast("dict[bytes, bytes]", await client.hgetall(deployment.names.layouts("alpha"))).values()
    layouts = [Layout.from_json(text) for text in texts]
    (layout,) = [each for each in layouts if is_of_arms(each) and each.stream == "predictions"]
    span = (START_MS, START_MS + PANES * PANE_MS)
    panes: dict[int, Partial] = {}
    async for start, partial in stored_partials(
        client, deployment.names, layout, partitions=range(PARTITIONS), span=span
    ):
        panes[start] = panes[start] + partial if start in panes else partial
    await client.aclose()
    return layout, panes
