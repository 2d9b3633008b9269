"""From a machine's GPU to somebody who is told: agent, Kafka, worker, Redis, finding, incident, command and console page."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.console_site import ConsoleSite
from tests.support.process import Process, free_port
from tests.support.site import Site
from tests.support.source import ROOT
from tests.support.worker import Deployment


@pytest.fixture
def deployment(site: Site, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(
        site.env["DRIFTLINE_KAFKA"], site.env["DRIFTLINE_REDIS"], site.env["DRIFTLINE_ENVIRONMENT"], tmp_path
    )
    yield made
    made.stop()


@pytest.fixture
def agent(site: Site, tmp_path: Path) -> Iterator[Process]:
    """One GPU falls off the bus at the second look, and the driver says so; the other one is well."""
    found: dict[str, Any] = json.loads((ROOT / "examples" / "gpu" / "h200.json").read_text())
    first = found["gpus"][0]
    first["xids"] = [79]
    first["answers"]["utilization"] = [first["answers"]["utilization"][0], *[{"error": "lost"}] * 1000]
    (tmp_path / "lost.json").write_text(json.dumps(found))
    command = [sys.executable, "-m", "stream.command.main", "gpu-agent", "--every", "1s"]
    env = {**site.env, "DRIFTLINE_GPU_AGENT_PORT": str(free_port()), "PYTHONPATH": str(ROOT)}
    started = Process([*command, "--recording", str(tmp_path / "lost.json")], log=tmp_path / "agent.log", env=env)
    yield started
    started.kill()


def test_a_gpu_that_falls_off_the_bus_is_an_incident(site: Site, deployment: Deployment, agent: Process) -> None:
    assert site.apply().code == 0
    console = ConsoleSite(site.env["DRIFTLINE_REDIS"], site.env["DRIFTLINE_ENVIRONMENT"])
    deployment.start_worker(http_port="0", idle_after_s="1")
    deployment.wait_until(lambda: "1 lost, 1 ok" in console.get("/gpus").text)
    minute_is_over = json.dumps({"control": "watermark", "timestamp": int(time.time() * 1000) + 120_000}).encode()
    deployment.send([minute_is_over] * 4, stream="serving")
    deployment.wait_until(lambda: "/0: lost" in console.get("/incidents").text)
    assert "Xid 79: the GPU has fallen off the bus" in console.get("/gpus").text
    lines = [line.split() for line in site.run("gpus").out.splitlines()[1:]]
    assert [(line[1], line[2]) for line in lines] == [("0", "lost"), ("1", "ok")]
    [told] = json.loads(site.run("incident", "ls", "--json").out)["incidents"]
    assert (told["severity"], told["title"].rpartition("/")[2]) == ("P1", "0: lost")
