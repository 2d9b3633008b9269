"""Every query of every dashboard has series in a real Prometheus that scrapes driftline while it reads the year of flights.

Grafana itself is not to be had where this is tested: what is shown is that its questions are taken and have answers.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana.boards.write import written
from stream.expose.http import WORKER_PORTS
from tests.support.process import Process, free_port
from tests.support.prometheus import Prometheus
from tests.support.source import ROOT

DRIFTLINE = [sys.executable, "-c", "from stream.command.main import main; main()"]
DEMO = [*DRIFTLINE, "demo", "--json"]
AGENT = [*DRIFTLINE, "gpu-agent", "--no-publish", "--every", "1s", "--recording", str(ROOT / "examples/gpu/h200.json")]
#: What Grafana puts in the place of its variables when everything is chosen.
CHOSEN = {"$job": ".+", "$instance": ".+", "$model": ".+", "$feature": ".+", "$gpu": ".+", "$__rate_interval": "5m"}
#: A demo's worker takes the first free port; other tests' workers have others.
WORKER = re.compile(r'"worker": "http://([^"]+)"')
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus here: `make services` installs it"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the logs are."""
    return tmp_path_factory.mktemp("prometheus")


@pytest.fixture(scope="module")
def worker(prometheus: Prometheus, folder: Path) -> str:
    """The demo's, as Prometheus calls it."""
    found = WORKER.search((folder / "demo.log").read_text())
    assert found
    return found[1]


@pytest.fixture(scope="module")
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """One that has scraped a whole demo, from before its first event to after its last."""
    gpu = free_port()
    workers = [f"127.0.0.1:{port}" for port in WORKER_PORTS]
    asked = Prometheus(folder, {"driftline": workers, "driftline-gpu": [f"127.0.0.1:{gpu}"]})
    agent = Process(AGENT, log=folder / "agent.log", env={"DRIFTLINE_GPU_AGENT_PORT": str(gpu)})
    demo = Process(DEMO, log=folder / "demo.log")
    try:
        demo.wait_until(lambda: _is_told(folder / "demo.log"), timeout_s=240)
        demo.wait_until(lambda: asked.query("model_drift_score > 0") != [], timeout_s=20)
        agent.wait_until(lambda: asked.query("driftline_gpu_available") != [], timeout_s=20)
        yield asked
    finally:
        for process in (demo, agent, asked):
            process.stop()


@pytest.mark.parametrize("name", written())
def test_every_query_of_a_dashboard_has_series_with_numbers(prometheus: Prometheus, name: str) -> None:
    panels = [panel for panel in json.loads(written()[name])["panels"] if panel["type"] != "row"]
    asked = {
        f"{panel['title']}: {target['expr']}": prometheus.query(_whole(target["expr"]))
        for panel in panels
        for target in panel["targets"]
    }
    assert [query for query, series in asked.items() if not any(map(_is_number, series))] == []


def test_what_is_shown_is_what_happened(prometheus: Prometheus, worker: str) -> None:
    def value(promql: str) -> float:
        [series] = prometheus.query(f'{promql}{{instance="{worker}"}}')
        return float(series["value"][1])

    assert value("model_predictions_total") == 336_776
    assert value("driftline_incident_owner") == 1
    assert (
        sum(float(one["value"][1]) for one in prometheus.query(f'driftline_incidents_total{{instance="{worker}"}}'))
        == 10
    )


def _whole(promql: str) -> str:
    for variable, value in CHOSEN.items():
        promql = promql.replace(variable, value)
    return promql


def _is_number(series: dict[str, Any]) -> bool:
    return series["value"][1] not in ("NaN", "+Inf", "-Inf")


def _is_told(log: Path) -> bool:
    return '"incidents"' in log.read_text()
