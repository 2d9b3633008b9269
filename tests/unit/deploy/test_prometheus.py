"""Prometheus' files: what it scrapes is where workers are, and its own checker takes them."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from schemas.settings import Settings
from stream.expose.http import WORKER_PORTS
from tests.support.source import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def targets(name: str, job_name: str = "driftline") -> list[str]:
    """What a job of a file scrapes."""
    [job] = [job for job in _read(name)["scrape_configs"] if job["job_name"] == job_name]
    [group] = job["static_configs"]
    found: list[str] = group["targets"]
    return found


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def test_on_one_machine_every_port_that_a_worker_may_take_is_scraped() -> None:
    assert targets("prometheus.yml") == [f"127.0.0.1:{port}" for port in WORKER_PORTS]


def test_and_the_gpu_agent_where_it_listens_unless_told_otherwise() -> None:
    assert targets("prometheus.yml", "driftline-gpu") == [
        f"127.0.0.1:{Settings.model_fields['gpu_agent_port'].default}"
    ]


def test_and_the_webhook_and_in_compose_what_its_profiles_start_by_its_name_and_port_inside() -> None:
    assert targets("prometheus.yml", "driftline-webhook") == [
        f"127.0.0.1:{Settings.model_fields['webhook_port'].default}"
    ]
    for name in ("webhook", "scrape"):
        [port] = SERVICES[name]["ports"]
        assert targets("compose.yml", f"driftline-{name}") == [f"{name}:{port.split(':')[2]}"]


def test_in_compose_every_worker_is_scraped_by_its_name_and_port_inside() -> None:
    workers = {name: service for name, service in SERVICES.items() if service.get("command") == ["worker"]}
    assert targets("compose.yml") == [f"{name}:{one['ports'][0].split(':')[2]}" for name, one in workers.items()]
    mounted = [volume.split(":")[0] for volume in SERVICES["prometheus"]["volumes"]]
    assert "./deploy/prometheus/compose.yml" in mounted


@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_the_rules_beside_it_are_loaded_and_looked_at_as_often_as_workers_are(name: str) -> None:
    read = _read(name)
    assert read["rule_files"] == ["rules/*.yml"]
    assert read["global"]["evaluation_interval"] == read["global"]["scrape_interval"]
    assert "./deploy/prometheus/rules:/etc/prometheus/rules:ro" in SERVICES["prometheus"]["volumes"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_promtool_takes_the_file(name: str) -> None:
    checked = subprocess.run(
        ["promtool", "check", "config", str(FOLDER / name)], capture_output=True, text=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_grafana_asks_the_prometheus_of_the_compose_file() -> None:
    file = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    [source] = yaml.safe_load(file.read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert [port.split(":")[2] for port in SERVICES["prometheus"]["ports"]] == ["9090"]
