"""A real Alertmanager before and behind driftline: its alert becomes an incident, that is an alert there, and both go."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from confluent_kafka import Producer

from schemas.findings import Progress, encode
from tests.support.observed import apply
from tests.support.process import Process, free_port
from tests.support.served import write_monitors
from tests.support.source import ROOT
from tests.support.worker import Deployment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus-alertmanager") is None, reason="no Alertmanager here: `make services`"),
]
DOCUMENT = ROOT / "docs" / "alertmanager.md"
TOKEN = "s3cret"


def alertmanager(folder: Path, *, webhook: int, port: int) -> Process:
    """One that tells a webhook of everything, at once."""
    config = folder / "alertmanager.yml"
    receiver = {
        "url": f"http://127.0.0.1:{webhook}/api/v1/alertmanager",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": TOKEN}},
    }
    route = {"receiver": "driftline", "group_by": ["..."], "group_wait": "100ms", "group_interval": "300ms"}
    config.write_text(
        yaml.safe_dump({"route": route, "receivers": [{"name": "driftline", "webhook_configs": [receiver]}]})
    )
    command = [
        "prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    made = Process(command, log=folder / "alertmanager.log")
    made.wait_until(lambda: _is_ready(port), timeout_s=20)
    return made


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2):
            return True
    except OSError:
        return False


class Site:
    """A worker, the webhook and an Alertmanager that know each other."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment, self.folder = deployment, folder
        self.port, self.webhook_port = free_port(), free_port()
        file = write_monitors(folder)
        monitors = yaml.safe_load(file.read_text())
        monitors["receivers"] = {"prom": {"alertmanager": {"url": f"http://127.0.0.1:{self.port}"}}}
        monitors["route"] = {"receiver": "prom", "open_wait": "0s"}
        file.write_text(yaml.safe_dump(monitors))
        apply(deployment, file)
        self.worker = deployment.start_worker()
        settings = {"DRIFTLINE_WEBHOOK_PORT": str(self.webhook_port), "DRIFTLINE_WEBHOOK_TOKEN": TOKEN}
        command = [sys.executable, "-m", "stream.command.main", "webhook"]
        self.webhook = Process(command, log=folder / "webhook.log", env=deployment.variables | settings)
        self.alertmanager = alertmanager(folder, webhook=self.webhook_port, port=self.port)
        self.webhook.wait_until(lambda: "webhook: http" in self.webhook.log.read_text(), timeout_s=20)

    def stop(self) -> None:
        for process in (self.alertmanager, self.webhook):
            process.stop(timeout_s=5)

    def post(self, *, resolved: bool = False) -> None:
        """An alert of somebody's, as Prometheus would post it."""
        began, over = time.time() - 60, time.time() + (-1 if resolved else 3600)
        alert = {
            "labels": {"alertname": "QueueFull", "severity": "critical", "model": "served"},
            "annotations": {"summary": "the queue is full"}, "startsAt": _rfc3339(began), "endsAt": _rfc3339(over),
        }  # fmt: skip
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts",
            json.dumps([alert]).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=5).close()

    def told(self) -> list[dict[str, Any]]:
        """What driftline has told Alertmanager and holds now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=5) as answer:
            alerts: list[dict[str, Any]] = json.load(answer)
        return [alert for alert in alerts if alert["labels"]["alertname"] == "DriftlineIncident"]

    def incidents(self) -> list[dict[str, Any]]:
        """The documents of all incidents."""
        with redis.Redis.from_url(self.deployment.redis_url) as client:
            found: Any = client.hgetall(self.deployment.names.incidents("documents"))
        return [json.loads(document) for document in found.values()]

    def metric(self, series: str) -> float:
        """The webhook's own."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.webhook_port}/metrics", timeout=5) as answer:
            found = re.search(rf"^{re.escape(series)} (\S+)$", answer.read().decode(), re.M)
        return float(found[1]) if found else 0.0

    def pass_time(self) -> None:
        """The hold is over, as far as alerts are concerned."""
        at = int(time.time() * 1000) + 20 * 60_000
        producer = Producer({"bootstrap.servers": self.deployment.kafka})
        mark = Progress(model="alertmanager", stream="webhook", at=at, seen=at)
        producer.produce(self.deployment.names.topic("findings"), encode(mark), partition=0)
        assert producer.flush(10) == 0

    def wait(self, reached: Any) -> None:
        self.deployment.wait_until(reached, timeout_s=20)


def _rfc3339(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


@pytest.fixture
def site(deployment: Deployment, tmp_path: Path) -> Iterator[Site]:
    made = Site(deployment, tmp_path)
    yield made
    made.stop()


def test_an_alert_becomes_an_incident_that_is_told_and_its_resolution_ends_both(site: Site) -> None:
    site.post()
    site.wait(lambda: len(site.told()) == 1)
    [incident] = site.incidents()
    [alert] = site.told()
    assert incident["title"] == "served: QueueFull at Alertmanager"
    assert incident["severity"] == "P1"
    assert alert["labels"] == {
        "alertname": "DriftlineIncident", "driftline_incident": incident["id"], "severity": "critical",
        "driftline_severity": "P1", "model": "served", "environment": site.deployment.environment,
    }  # fmt: skip
    assert alert["annotations"]["summary"] == "served: QueueFull at Alertmanager"
    site.wait(lambda: site.metric('driftline_webhook_refused_alerts_total{reason="own"}') >= 1)
    assert len(site.incidents()) == 1

    site.post(resolved=True)
    site.wait(lambda: site.incidents()[0]["state"] == "recovering")
    site.pass_time()
    site.wait(lambda: site.told() == [])
    assert site.incidents()[0]["end_reason"] == "recovered"
    assert len(site.incidents()) == 1


def test_the_configurations_of_the_document_are_ones_that_alertmanager_takes(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(route:.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
    assert len(blocks) == 2
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yml"
        file.write_text(block)
        checked = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert all(one["send_resolved"] for receiver in yaml.safe_load(block)["receivers"] for one in _hooks(receiver))


def _hooks(receiver: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for key, found in receiver.items() if key.endswith("_configs") for one in found]
