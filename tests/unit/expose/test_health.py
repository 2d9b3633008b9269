"""Health by progress, and the pages that show it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Gauge

from schemas.errors import ConfigError
from stream.expose.health import Health, Pulse, judge
from stream.expose.http import WORKER_PORTS, address, listening_socket, pages
from stream.expose.sampling import Sampler


@pytest.mark.parametrize(
    ("pulse", "well", "says"),
    [
        (Pulse(0, 900.0, 4, True), True, "4 partitions, 0 records to read"),
        (Pulse(10, 59.0, 4, True), True, "4 partitions, 10 records to read"),
        (Pulse(10, 61.0, 4, True), False, "no progress for 61 s with 10 records to read"),
        (Pulse(0, 0.0, 4, True, "it stays at 1: x"), True, "4 partitions, 0 records to read; it stays at 1: x"),
        (
            Pulse(7, 0.0, 4, True, again=6),
            True,
            "4 partitions, 7 records to read; warming: Redis was emptied, 6 records are read again and alerts are held"
            " meanwhile",
        ),
        (Pulse(0, 0.0, 4, False), False, "Redis does not answer; reading is paused, nothing is lost"),
    ],
)
def test_a_worker_is_well_while_it_reads_what_there_is(pulse: Pulse, well: bool, says: str) -> None:
    assert judge(pulse, patience_s=60.0) == Health(well, says)


@dataclass
class Told:
    """A sampler that says what it was told."""

    found: Health
    ready_now: bool
    gauge: Gauge

    def sample(self) -> None:
        self.gauge.inc()

    def health(self) -> Health:
        return self.found

    def ready(self) -> bool:
        return self.ready_now


def asked(path: str, *, well: bool) -> tuple[int, str]:
    registry = CollectorRegistry()
    sampler = Told(Health(well, "so it is"), well, Gauge("asked", "How often.", registry=registry))

    async def ask() -> tuple[int, str]:
        async with TestClient(TestServer(pages(registry, sampler=cast(Sampler, sampler)))) as client:
            answer = await client.get(path)
            return answer.status, await answer.text()

    return asyncio.run(ask())


def test_pages_answer_with_a_status_that_a_probe_understands() -> None:
    assert asked("/health", well=True) == (200, '{"well": true, "says": "so it is"}')
    assert asked("/health", well=False) == (503, '{"well": false, "says": "so it is"}')
    assert asked("/ready", well=True) == (200, '{"ready": true}')
    assert asked("/ready", well=False) == (503, '{"ready": false}')


def test_metrics_are_sampled_when_they_are_asked_for() -> None:
    status, body = asked("/metrics", well=True)
    assert status == 200
    assert "asked 1.0" in body


def test_the_next_free_port_is_taken_and_a_taken_one_refused() -> None:
    first: Any = listening_socket("127.0.0.1", 0)
    second: Any = listening_socket("127.0.0.1", 0)
    try:
        ports = [bound.getsockname()[1] for bound in (first, second)]
        assert set(ports) <= set(WORKER_PORTS)
        assert ports[0] != ports[1]
        assert address(first) == f"http://127.0.0.1:{ports[0]}"
        with pytest.raises(ConfigError, match=f"DRIFTLINE_HTTP_PORT: 127.0.0.1:{ports[0]} is taken"):
            listening_socket("127.0.0.1", ports[0])
    finally:
        first.close()
        second.close()


def test_an_ipv6_address_is_written_in_brackets() -> None:
    with socket.socket(socket.AF_INET6) as bound:
        bound.bind(("::1", 0))
        assert address(bound) == f"http://[::1]:{bound.getsockname()[1]}"
