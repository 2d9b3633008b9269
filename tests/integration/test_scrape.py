"""``driftline scrape`` beside a worker on a real Kafka: what the exporter's counters grew by is what the worker has counted."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.exporter import page
from tests.support.generated import generate, reference_of, write_monitors
from tests.support.observed import apply, counts
from tests.support.scraped import exporter, scraping
from tests.support.worker import Deployment

HOUR_MS = 3_600_000


@pytest.fixture
def chat(deployment: Deployment) -> Deployment:
    """A worker that watches the model chat."""
    reference = reference_of(generate("chat", 200, seed=1, features=1))
    apply(deployment, write_monitors(deployment.folder, {"chat": reference}))
    deployment.start_worker(config_poll_s="0.1", flush_interval_s="0.1")
    return deployment


def test_what_the_counters_grew_by_is_what_is_counted(chat: Deployment, tmp_path: Path) -> None:
    with exporter(page("vllm")) as served, scraping(chat, tmp_path, url=served.url) as process:
        chat.wait_until(lambda: served.asked > 0)
        served.show(page("vllm_later"))
        chat.wait_until(lambda: served.asked > 0)
        served.show(_started_anew(page("vllm_later")))
        chat.wait_until(lambda: _counted(chat)["events"] >= 20 + 12)
        log = process.last_lines(100)
    found = _counted(chat)

    assert found["events"] == 32
    assert {name: found["status"]["categories"][name] for name in ("success", "error")} == {"success": 27, "error": 5}
    assert found["latency_s"]["n"] == 32
    assert log.count("is failing: connect") == 1


def _started_anew(text: bytes) -> bytes:
    """The server as it is a moment after a restart: three requests of each kind, by a process that began just now."""
    now = f"{time.time():.3f}".encode()
    return re.sub(rb"(success_total.*\}) \S+", rb"\1 3.0", text).replace(b"1.76379e+09", now)


def _counted(deployment: Deployment) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    return counts(deployment, "chat", stream="serving", from_ms=now_ms - HOUR_MS, to_ms=now_ms + HOUR_MS)
