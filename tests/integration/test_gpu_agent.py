"""``driftline gpu-agent`` as a process: without a GPU, with a driver that hangs, and through Kafka."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.support.process import Process, free_port
from tests.support.site import Site
from tests.support.source import ROOT

H200 = ROOT / "examples" / "gpu" / "h200.json"
GONE = "127.0.0.1:1"

Start = Callable[..., "Running"]


class Running:
    """A started agent and its address."""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str]) -> None:
        port = free_port()
        self._address = f"http://127.0.0.1:{port}"
        variables = {"DRIFTLINE_GPU_AGENT_PORT": str(port), "PYTHONPATH": str(ROOT), **env}
        command = [sys.executable, "-m", "stream.command.main", "gpu-agent", "--every", "1s", *arguments]
        self.process = Process(command, log=folder / "agent.log", env=variables)
        self.process.wait_until(lambda: f"gpu-agent: {self._address}" in self.said, timeout_s=60)

    @property
    def said(self) -> str:
        return self.process.log.read_text()

    def page(self, name: str) -> str:
        with urllib.request.urlopen(f"{self._address}/{name}", timeout=10) as answer:
            return str(answer.read().decode())

    def shows(self, line: str) -> None:
        """Wait until the metrics have this line."""
        self.process.wait_until(lambda: f"\n{line}\n" in self.page("metrics"), timeout_s=30)

    def ends_in_time(self) -> int:
        began = time.monotonic()
        code = self.process.stop(timeout_s=20)
        assert time.monotonic() - began < 2, self.process.last_lines()
        return code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def begin(*arguments: str, **env: str) -> Running:
        started.append(Running(tmp_path, *arguments, env={"DRIFTLINE_KAFKA": GONE, **env}))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()


def without_library(folder: Path) -> dict[str, str]:
    """Variables with which no NVML is found, also on a machine that has one: the bindings look for it by name."""
    (folder / "sitecustomize.py").write_text(
        "import ctypes\n_made = ctypes.CDLL.__init__\n\ndef _init(self, name=None, *args, **more):\n"
        "    if name and 'nvidia-ml' in str(name):\n        raise OSError('not here')\n"
        "    _made(self, name, *args, **more)\n\nctypes.CDLL.__init__ = _init\n"
    )
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def test_without_a_driver_it_runs_says_so_once_shows_no_gpu_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    agent = start("--no-publish", **without_library(tmp_path))
    agent.shows('driftline_gpu_agent_state{state="no_driver"} 1.0')
    assert re.findall(r"^(?:nvidia|model)_\S+", agent.page("metrics"), re.MULTILINE) == []
    assert json.loads(agent.page("health")) == {"well": True, "says": "no_driver: NVML Shared Library Not Found"}
    assert json.loads(agent.page("ready")) == {"ready": True}
    assert agent.ends_in_time() == 0
    assert agent.said.count("NVML Shared Library Not Found") == 1


def test_a_call_that_hangs_and_a_kafka_that_is_away_hold_up_neither_the_other_gpu_nor_the_end(
    start: Start, tmp_path: Path
) -> None:
    found: dict[str, Any] = json.loads(H200.read_text())
    found["gpus"][0]["answers"]["utilization"] = [{"hangs_s": 3600}]
    (tmp_path / "hangs.json").write_text(json.dumps(found))
    agent = start("--recording", str(tmp_path / "hangs.json"))
    uuid = "GPU-8f6d1c52-0000-4000-8000-000000000001"
    agent.shows(f'nvidia_gpu_power_watts{{gpu="1",uuid="{uuid}"}} 75.99')
    agent.process.wait_until(lambda: counted(agent)["waiting"] >= 2, timeout_s=30)
    assert f'driftline_gpu_available{{gpu="1",uuid="{uuid}"}} 1.0' in agent.page("metrics")
    assert 'gpu="0",uuid="GPU-8f6d1c52-0000-4000-8000-000000000000"} 1.0' not in agent.page("metrics")
    assert agent.ends_in_time() == 0


def test_while_kafka_is_away_samples_wait_and_arrive_later_keyed_by_gpu_and_in_order(start: Start, site: Site) -> None:
    port = free_port()
    agent = start("--recording", str(H200), **{**site.env, "DRIFTLINE_KAFKA": f"127.0.0.1:{port}"})
    agent.shows("driftline_gpu_agent_samples_waiting 4.0")
    with forwarded(port, to=site.env["DRIFTLINE_KAFKA"]):
        agent.process.wait_until(lambda: counted(agent)["published"] >= 6, timeout_s=30)
        found = counted(agent)
        assert found["taken"] == found["published"] + found["waiting"], "none was dropped, and each is accounted for"
        assert agent.ends_in_time() == 0
    records_found = records(site, 6)
    assert {key for key, _ in records_found} == {f"GPU-8f6d1c52-0000-4000-8000-00000000000{n}".encode() for n in (0, 1)}
    for key in {key for key, _ in records_found}:
        mine = [value for of, value in records_found if of == key]
        assert {(value["uuid"].encode(), value["metrics"]["available"]) for value in mine} == {(key, 1)}
        times = [value["timestamp"] for value in mine]
        assert times == sorted(set(times))


def counted(agent: Running) -> dict[str, float]:
    """What became of the samples, as the agent says at one moment."""
    told = dict(re.findall(r"^driftline_gpu_agent_samples_?(\S*) (\S+)$", agent.page("metrics"), re.MULTILINE))
    return {
        "taken": float(told["total"]),
        "published": float(told["published_total"]),
        "waiting": float(told["waiting"]),
    }


@contextlib.contextmanager
def forwarded(port: int, *, to: str) -> Iterator[None]:
    """What comes to this port goes to the other address: Kafka as it is there from now on."""
    host, there = to.split(":")

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(there))) as onward:
                threading.Thread(target=pour, args=(onward, self.request), daemon=True).start()
                pour(self.request, onward)

    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Forward) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def pour(from_: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while some := from_.recv(1 << 16):
            to.sendall(some)


def records(site: Site, least: int) -> list[tuple[bytes, Any]]:
    """(key, value) of what is in the topic, in the order of each partition."""
    consumer = Consumer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"], "group.id": "look", "log_level": 0})
    consumer.assign([TopicPartition(site.names.topic("serving"), partition, 0) for partition in range(4)])
    found: list[tuple[bytes, Any]] = []
    while len(found) < least:
        for record in consumer.consume(1000, timeout=1):
            key = record.key()
            assert isinstance(key, bytes)
            found.append((key, json.loads(record.value() or b"")))
    consumer.close()
    return found
