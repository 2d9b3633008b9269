"""The whole demo, scraped by a real Prometheus from before its first event to after its last, with a GPU agent beside it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.expose.http import WORKER_PORTS
from tests.support.process import Process, free_port
from tests.support.prometheus import Prometheus
from tests.support.source import ROOT

DRIFTLINE = [sys.executable, "-c", "from stream.command.main import main; main()"]
DEMO = [*DRIFTLINE, "demo", "--json"]
AGENT = [*DRIFTLINE, "gpu-agent", "--no-publish", "--every", "1s", "--recording", str(ROOT / "examples/gpu/h200.json")]
#: What the demo prints once all is told.
SUMMARY = re.compile(r"^\{.*^\}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class WatchedDemo:
    """What the demo printed, and the Prometheus that scraped it; None where there is no Prometheus."""

    summary: Any
    prometheus: Prometheus | None


@contextmanager
def watched_demo(folder: Path) -> Iterator[WatchedDemo]:
    """Run it to its end, with its worker and console still up; its logs are in the folder."""
    with ExitStack() as stack:
        prometheus = _scraping(folder, stack) if shutil.which("prometheus") else None
        demo = Process(DEMO, log=folder / "demo.log")
        stack.callback(demo.stop)
        demo.wait_until(lambda: SUMMARY.search(demo.log.read_text()) is not None, timeout_s=300)
        if prometheus is not None:
            demo.wait_until(lambda: _has_seen_the_end(prometheus), timeout_s=30)
        printed = SUMMARY.search(demo.log.read_text())
        assert printed
        yield WatchedDemo(json.loads(printed[0]), prometheus)


def _scraping(folder: Path, stack: ExitStack) -> Prometheus:
    gpu = free_port()
    # A demo's worker takes the first free port; other tests' workers have others.
    workers = [f"127.0.0.1:{port}" for port in WORKER_PORTS]
    prometheus = Prometheus(folder, {"driftline": workers, "driftline-gpu": [f"127.0.0.1:{gpu}"]})
    stack.callback(prometheus.stop)
    stack.callback(Process(AGENT, log=folder / "agent.log", env={"DRIFTLINE_GPU_AGENT_PORT": str(gpu)}).stop)
    return prometheus


def _has_seen_the_end(prometheus: Prometheus) -> bool:
    return bool(prometheus.query("model_drift_score > 0") and prometheus.query("driftline_gpu_available"))
