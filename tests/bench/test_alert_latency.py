"""From the event that completes a pane to the request at the receiver: P0, at half of what the worker can do.

Real Kafka, Redis and worker; PagerDuty is the recording one, in this process.  First a backlog is caught up with, which says
what the worker can do; then half of that comes live, from a process of its own, and one model after the other is down for a
pane.  The broker, Redis, the sender and this process share the machine's cores with the worker.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from schemas.incidents import decode
from schemas.monitored import Monitors, PagerDutyReceiver, ReceiverMonitor, RouteMonitor, SecretPlace
from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from stream.local.receivers.serving import Recording
from stream.state.applying import apply_monitors
from tests.bench.events import Flow
from tests.bench.live_load import PARTITIONS, Load, burst, panes, producer_of, written
from tests.bench.sampling import Watched, cpu_s
from tests.support.faults import findings_on
from tests.support.process import Process
from tests.support.worker import Deployment

pytestmark = pytest.mark.bench

MODELS, BACKLOG = 40, 400_000
PANE_MS, LATENESS_MS = 2_000, 1_000
SETTLE_S, AFTER_S = 10, 6
PROMISED_MS = LATENESS_MS + 2_000


@dataclass(frozen=True, slots=True)
class Alert:
    """Moments of one page, in ms since the pane had ended in every partition."""

    complete: float  # the last partition's first event beyond pane end and lateness
    judged: float  # Redis' time when evaluation's poll began
    relayed: float  # the finding's record on Kafka
    opened: float  # the owner's turn
    rung: float  # the request at the receiver


def test_a_page_leaves_soon_after_its_pane_is_complete(deployment: Deployment) -> None:
    with recording_pagerduty(folder=deployment.folder) as pager:
        asyncio.run(_apply(deployment))
        burst(_load(deployment), producer_of(deployment.kafka), BACKLOG)
        worker = deployment.start_worker(pagerduty_url=pager.url)
        capacity = Watched(worker, lambda: _stored(deployment)).until(BACKLOG, told=lambda done: None).per_wall_s
        load, share = _live(deployment, worker, rate=capacity / 2)
        deployment.wait_until(lambda: pager.vendor.rings >= MODELS, timeout_s=60)
        time.sleep(2.0)
        rung = _rung(pager)
        found = _alerts(deployment, load, rung)
        sent = _result(deployment)["events"]
    _print(list(found.values()), capacity=capacity, share=share)
    assert sorted(rung) == sorted(model for model, _ in panes(load))
    assert (pager.vendor.rings, pager.vendor.lost) == (MODELS, [])
    assert _stored(deployment) == BACKLOG + sent


# -- the scene


async def _apply(deployment: Deployment) -> None:
    flow = Flow(MODELS, PARTITIONS, 0)
    key = deployment.folder / "key"
    key.write_text("k" * 32)
    fields = {
        "pane_ms": PANE_MS, "lateness_ms": LATENESS_MS, "windows": {"minute": 60_000}, "step_ms": 20_000,
        "revise_within_ms": 600_000,
    }  # fmt: skip
    watched = flow.monitors()
    monitors = Monitors(
        file=watched.file, sha256=watched.sha256,
        models={model: monitor.model_copy(update=fields) for model, monitor in watched.models.items()},
        receivers={"console": ReceiverMonitor(), "oncall": _oncall(key)},
        route=RouteMonitor(
            receiver="console",
            routes=(RouteMonitor(receiver="oncall", match=('severity="P0"',), open_wait_ms=0),),
        ),
    )  # fmt: skip
    async with Redis.from_url(deployment.redis_url) as client:
        now_ms = int(time.time() * 1000)
        await apply_monitors(client, deployment.names, monitors, references=flow.references(), now_ms=now_ms)


def _oncall(key: Path) -> ReceiverMonitor:
    return ReceiverMonitor(pagerduty=PagerDutyReceiver(routing_key=SecretPlace(file=str(key))))


def _load(deployment: Deployment) -> Load:
    return Load(deployment.kafka, deployment.names.topic("predictions"), MODELS, PANE_MS, 0.0, 0)


def _live(deployment: Deployment, worker: Process, *, rate: float) -> tuple[Load, float]:
    """The load that was sent, and the share of a core that the worker took meanwhile."""
    first = (int(time.time()) + SETTLE_S) * 1000 // PANE_MS * PANE_MS
    down = {str(number): first + number * PANE_MS for number in range(MODELS)}
    until = first + MODELS * PANE_MS + AFTER_S * 1000
    load = replace(_load(deployment), rate=rate, until_ms=until, down=down)
    file = written(load, deployment.folder / "load.json")
    began, used = time.monotonic(), cpu_s(worker.pid)
    command = [sys.executable, "-m", "tests.bench.live_load", str(file)]
    sender = Process(command, log=deployment.folder / "load.log", env=deployment.variables)
    deployment.wait_until(lambda: not sender.alive, timeout_s=MODELS * PANE_MS / 1000 + 60)
    assert file.with_suffix(".sent").exists(), sender.last_lines()
    return load, (cpu_s(worker.pid) - used) / (time.monotonic() - began)


# -- what was found


def _result(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((deployment.folder / "load.sent").read_text())
    return found


def _rung(pager: Recording[RecordingPagerDuty]) -> dict[str, int]:
    """Model to when the request that rang for it came."""
    found: dict[str, int] = {}
    for one in pager.received:
        if one.method == "trigger" and one.status == 202:
            found.setdefault(one.body["payload"]["source"].partition("@")[0], one.at_ms)
    return found


def _alerts(deployment: Deployment, load: Load, rung: dict[str, int]) -> dict[str, Alert]:
    passed = {int(second) * 1000: at * 1000 for second, at in _result(deployment)["passed"].items()}
    firing = {
        (one.model, one.at): (one.seen, at)
        for at, one in findings_on(deployment)
        if one.severity == "P0" and one.state == "firing"
    }
    noted = _lines(deployment)
    found = {}
    for model, end in panes(load):
        ended = passed[end]
        judged, relayed = firing[model, end]
        opened = min(moment for moment in noted[model] if judged <= moment <= rung[model])
        moments = passed[end + LATENESS_MS], judged, relayed, opened, rung[model]
        found[model] = Alert(*(moment - ended for moment in moments))
    return found


def _lines(deployment: Deployment) -> dict[str, list[int]]:
    """Model to the moments at which something was noted in the history of an incident of its errors."""
    names = deployment.names
    found: dict[str, list[int]] = {}
    with redis.Redis.from_url(deployment.redis_url) as client:
        documents: Any = client.hgetall(names.incidents("documents"))
        for incident, document in documents.items():
            lines: Any = client.xrange(names.incidents("timeline", incident.decode()))
            moments = [int(line[b"at"]) for _, line in lines]
            found |= {member.model: moments for member in decode(document).members if member.rule == "errors"}
    return found


def _stored(deployment: Deployment) -> int:
    with redis.Redis.from_url(deployment.redis_url) as client:
        keys = [deployment.names.offset("predictions", partition) for partition in range(PARTITIONS)]
        return sum(int(client.hget(key, "next") or 0) for key in keys)


# -- what is printed


def _print(found: list[Alert], *, capacity: float, share: float) -> None:
    table = Table(
        title=f"{len(found)} pages at {capacity / 2:,.0f} events/s, half of {capacity:,.0f}; worker {share:.0%} of a core"
    )
    for heading in ("ms", "median", "p99", "max"):
        table.add_column(heading, justify="right")
    rung = np.array([one.rung for one in found])
    complete = np.array([one.complete for one in found])
    judged, relayed, opened = (
        np.array([getattr(one, part) for one in found]) for part in ("judged", "relayed", "opened")
    )
    rows = {
        f"pane ended -> request (promised: {PROMISED_MS})": rung,
        "less the lateness: pane complete -> request": rung - complete,
        "  complete -> poll (read, counted, stored, polled)": judged - complete,
        "  poll -> finding on Kafka (judged, stored, relayed)": relayed - judged,
        "  finding on Kafka -> owner's turn": opened - relayed,
        "  owner's turn -> request (stored, begun, sent)": rung - opened,
    }
    for title, values in rows.items():
        table.add_row(
            title, *(f"{value:,.0f}" for value in (np.median(values), np.quantile(values, 0.99), values.max()))
        )
    Console(width=120).print(table)
