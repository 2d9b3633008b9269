"""GPUs as people see them: the console's page, and ``driftline gpus``."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.gpus import Sample
from schemas.names import Names
from stream.state.gpus import MINUTE, GpuStore
from tests.support.command import driftline
from tests.support.console_site import ConsoleSite


def sample(host: str, gpu: str, minutes: float, **metrics: float) -> Sample:
    return Sample(
        timestamp=int(time.time() * 1000) - int(minutes * MINUTE), host=host, gpu=gpu, uuid=f"GPU-{host}-{gpu}", metrics=metrics
    )  # fmt: skip


FINE = {
    "utilization_ratio": 0.97, "memory_used_bytes": 30 * 2**30, "memory_total_bytes": 40 * 2**30, "temperature_celsius": 71,
    "power_watts": 312.4, "power_limit_watts": 400, "sm_clock_hertz": 1.41e9, "throttle_reasons": 4, "ecc_uncorrected": 0,
    "ecc_corrected": 3, "available": 1,
}  # fmt: skip


def samples() -> list[Sample]:
    """As of when they are asked for: the page is looked at some time after this file was read."""
    return [
        *(sample("n7", "0", minutes, **FINE) for minutes in (3, 2, 1)),
        sample("n7", "1", 1, **FINE | {"temperature_celsius": 93, "throttle_reasons": 0x40, "xid": 79}),
        sample("n7", "10", 1, available=0),
        sample("n7", "2", 1),
        sample("n8<b>", "0", 20, **FINE),
    ]


async def filled(redis: Redis, names: Names) -> None:
    for one in samples():
        await GpuStore(redis, names).write({one.name: [one]})


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(filled)
    return made


def test_the_page_shows_what_needs_somebody_first(site: ConsoleSite) -> None:
    page = site.get("/gpus")
    assert page.status == 200
    rows = [page.text.index(f"GPU-{name}") for name in ("n7-10", "n7-1 ", "n8<b>-0", "n7-0", "n7-2")]
    assert rows == sorted(rows)
    assert "1 lost, 1 firing, 1 silent, 2 ok" in page.text
    assert "firing Xid 79: the GPU has fallen off the bus" in page.text
    assert "too hot hardware thermal slowdown 97 %" in page.text.replace("\xa0", " ")


def test_a_row_says_what_was_measured_and_a_dash_what_was_not(site: ConsoleSite) -> None:
    text = site.get("/gpus").text.replace("\xa0", " ")
    assert "ok 97 % 75 % 40 GiB in all 71 °C 312.4 W of 400 W 1 410 MHz no 0 3 corrected –" in text
    assert "GPU-n7-2 ok – – – – – – – –" in text


def test_the_page_is_linked_and_escapes_what_events_name(site: ConsoleSite) -> None:
    page = site.get("/gpus")
    assert '<a href="/gpus" aria-current="page">GPUs</a>' in page.html
    assert '<a href="/gpus">GPUs</a>' in site.get("/").html
    assert "n8<b>" not in page.html
    assert 'aria-label="memory of n7 / 0: last 0.75, highest 0.75 of 3"' in page.html


def test_an_empty_page_says_where_samples_come_from(redis_url: str, environment_name: str) -> None:
    page = ConsoleSite(redis_url, environment_name).get("/gpus")
    assert (page.status, "None known" in page.text, "driftline gpu-agent" in page.text) == (200, True, True)


def ask(redis: str, environment: str, *more: str) -> str:
    done = driftline("gpus", *more, env={"DRIFTLINE_REDIS": redis, "DRIFTLINE_ENVIRONMENT": environment})
    assert (done.code, done.err) == (0, "")
    return done.out


def test_the_command_says_the_same(site: ConsoleSite) -> None:
    lines = ask(site.redis, site.environment).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["n7", "10", "lost"], ["n7", "1", "firing"], ["n8<b>", "0", "silent"], ["n7", "0", "ok"], ["n7", "2", "ok"],
    ]  # fmt: skip
    assert lines[4].split()[3:10] == ["97", "75", "71", "312.4", "1410", "0", "–"]


def test_the_command_prints_json(site: ConsoleSite) -> None:
    found: dict[str, Any] = json.loads(ask(site.redis, site.environment, "--json"))
    assert found["limits"] == {"memory": 0.95, "temperature": 90.0, "silent_after_ms": 300_000}
    hot = found["gpus"][1]
    assert (hot["host"], hot["gpu"], hot["state"], hot["throttled"]) == (
        "n7", "1", "firing", ["hardware thermal slowdown"],
    )  # fmt: skip
    assert hot["says"] == ["Xid 79: the GPU has fallen off the bus", "too hot", "hardware thermal slowdown"]
    assert (found["gpus"][4]["metrics"], hot["metrics"]["xid"]) == ({}, 79.0)


def test_the_command_says_where_samples_come_from(redis_url: str, environment_name: str) -> None:
    assert ask(redis_url, environment_name).startswith("no sample of a GPU was ever counted; `driftline gpu-agent`")
