"""``deploy/gpu/compose.yml``, which cannot be run here: held against the command, the settings and the main compose file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from schemas.settings import PREFIX, Settings
from stream.command.main import app
from tests.support.source import ROOT

TEXT = (ROOT / "deploy" / "gpu" / "compose.yml").read_text()
AGENT: dict[str, Any] = yaml.safe_load(TEXT)["services"]["gpu-agent"]
MAIN: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PORT = Settings.model_fields["gpu_agent_port"].default


def test_it_runs_the_command_in_the_image_of_the_others_and_may_as_little() -> None:
    worker = MAIN["services"]["worker-1"]
    assert AGENT["command"] == ["gpu-agent"]
    assert "gpu-agent" in typer.main.get_command(app).commands  # type: ignore[attr-defined]
    same = ("image", "restart", "read_only", "tmpfs", "cap_drop", "security_opt")
    assert {key: AGENT[key] for key in same} == {key: worker[key] for key in same}
    assert "gpu-agent" not in MAIN["services"], "a machine without GPUs starts the rest as it is"


def test_its_settings_exist_and_its_kafka_is_that_of_the_main_file() -> None:
    ours = {name for name in AGENT["environment"] if name.startswith(PREFIX)}
    assert ours <= {PREFIX + name.upper() for name in Settings.model_fields}
    assert AGENT["environment"]["DRIFTLINE_KAFKA"] == MAIN["services"]["worker-1"]["environment"]["DRIFTLINE_KAFKA"]


def test_it_is_published_on_loopback_alone_on_a_port_that_nobody_has_and_asked_there_whether_it_is_well() -> None:
    assert AGENT["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    taken = {port.split(":")[1] for service in MAIN["services"].values() for port in service["ports"]}
    assert str(PORT) not in taken
    assert f"http://127.0.0.1:{PORT}/health" in AGENT["healthcheck"]["test"][-1]


def test_it_is_given_the_gpus_and_of_the_driver_what_nvml_is_in() -> None:
    [device] = AGENT["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"]) == ("nvidia", "all")
    assert {"gpu", "utility"} == set(device["capabilities"])
    assert (AGENT["environment"]["NVIDIA_DRIVER_CAPABILITIES"], AGENT["pid"]) == ("utility", "host")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_the_job_that_the_document_shows_scrapes_the_agent_and_prometheus_takes_it(tmp_path: Path) -> None:
    [job] = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "gpu.md").read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "prometheus.yml"
    file.write_text(job)
    [config] = yaml.safe_load(job)["scrape_configs"]
    assert config["static_configs"] == [{"targets": [f"127.0.0.1:{PORT}"]}]
    checked = subprocess.run(
        ["promtool", "check", "config", str(file)], capture_output=True, text=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_file_says_that_nobody_has_run_it() -> None:
    assert "NOT RUN HERE" in TEXT
