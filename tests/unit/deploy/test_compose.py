"""``docker-compose.yml``, which cannot be run where there is no Docker engine: held against what driftline really has.

Its commands, settings, ports, health pages, files, volumes and secrets exist; nothing is published beyond loopback; every
image is pinned.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
import yaml

from schemas.settings import PREFIX, Settings, load_settings
from stream.command.main import app
from stream.expose.http import WORKER_PORTS
from tests.support.source import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "driftline:local"}
#: Started by their profile alone.
OPTIONAL = {"webhook": ["webhook"], "scrape": ["scrape"]}
CONSOLE_PORT = Settings.model_fields["console_port"].default


def test_the_services_are_those_that_a_whole_deployment_has() -> None:
    always = {"kafka", "redis", "worker-1", "worker-2", "console", "prometheus", "grafana"}
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == always
    assert {name: SERVICES[name]["profiles"] for name in SERVICES.keys() - always} == OPTIONAL
    assert set(OURS) == {"worker-1", "worker-2", "console", *OPTIONAL}


def test_what_is_optional_starts_with_nothing_else_and_is_asked_whether_it_is_well_where_it_listens() -> None:
    for name, port in (("webhook", "8791"), ("scrape", "8780")):
        assert list(SERVICES[name]["depends_on"]) == ["kafka"]
        assert f"http://127.0.0.1:{port}/health" in SERVICES[name]["healthcheck"]["test"][-1]
        assert SERVICES[name]["ports"][0].split(":")[2] == port
    assert {one for service in SERVICES.values() for one in service.get("depends_on", {})} & OPTIONAL.keys() == set()


def test_the_webhook_may_be_reached_from_beside_it_and_reads_its_token_from_the_secret() -> None:
    environment = SERVICES["webhook"]["environment"]
    assert environment["DRIFTLINE_WEBHOOK_HOST"] == "0.0.0.0"
    assert environment["DRIFTLINE_WEBHOOK_TOKEN_FILE"] == f"/run/secrets/{SERVICES['webhook']['secrets'][0]}"


def test_the_scraper_reads_the_file_of_the_folder_that_is_mounted() -> None:
    assert SERVICES["scrape"]["command"][1] == "/config/targets.yaml"
    assert SERVICES["scrape"]["volumes"] == ["./config:/config:ro"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_a_command_that_exists(name: str) -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert SERVICES[name]["command"][0] in commands


@pytest.mark.parametrize("name", OURS)
def test_its_settings_exist_and_are_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = SERVICES[name]["environment"]
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert set(environment) <= known
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.kafka == "kafka:29092"
    assert name in OPTIONAL or settings.redis == "redis://redis:6379/0"


@pytest.mark.parametrize("name", OURS)
def test_it_may_write_nothing_but_tmp_and_may_become_nobody_else(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_an_image_of_others_is_official_and_pinned(name: str) -> None:
    assert re.fullmatch(r"([a-z]+/)?[a-z]+:v?\d+\.\d+\.\d+(-[a-z0-9]+)?", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_everything_is_published_on_loopback_alone(name: str) -> None:
    ports = SERVICES[name]["ports"]
    assert ports
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)] == []


def test_no_port_is_published_twice_and_ours_are_those_of_the_contract() -> None:
    published = {name: [port.split(":")[1:] for port in service["ports"]] for name, service in SERVICES.items()}
    outside = [port for ports in published.values() for port, _ in ports]
    assert len(outside) == len(set(outside))
    assert published["console"] == [[str(CONSOLE_PORT), str(CONSOLE_PORT)]]
    for worker in ("worker-1", "worker-2"):
        [[published_port, inside]] = published[worker]
        assert int(published_port) in WORKER_PORTS
        assert inside == "8780"


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_mounts_and_is_told_in_secret_exists(name: str) -> None:
    service = SERVICES[name]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        theirs = source == "./config"  # the user's own
        assert theirs or ((ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", {})) <= set(SERVICES)


def test_what_is_waited_for_says_when_it_is_healthy() -> None:
    waited = {other for service in SERVICES.values() for other in service.get("depends_on", {})}
    assert waited == {"kafka", "redis", "prometheus"}
    assert [
        name for name in SERVICES if name not in ("worker-1", "worker-2") and not SERVICES[name]["healthcheck"]
    ] == []


def test_the_console_needs_redis_alone() -> None:
    assert list(SERVICES["console"]["depends_on"]) == ["redis"]


def test_what_must_outlive_a_container_lies_in_a_volume() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] in _mounted("kafka")
    assert "/data" in _mounted("redis")  # where the image's redis-server writes its file
    options = dict(option.removeprefix("--").split("=") for option in SERVICES["prometheus"]["command"])
    assert options["storage.tsdb.path"] in _mounted("prometheus")
    assert options["config.file"] in _mounted("prometheus")
    assert _mounted("grafana") == {
        "/etc/grafana/provisioning",
        "/etc/grafana/dashboards",
        "/var/lib/grafana",
    }
    assert [name for name in OURS if "volumes" in SERVICES[name]] == ["scrape"]  # and that one may only read


def test_workers_are_published_where_the_image_lets_them_listen() -> None:
    image = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
    [inside] = re.findall(r"DRIFTLINE_HTTP_PORT=(\d+)", image)
    assert {SERVICES[name]["ports"][0].split(":")[2] for name in ("worker-1", "worker-2")} == {inside}
    assert set(re.findall(r"DRIFTLINE_(?:HTTP|CONSOLE)_HOST=(\S+)", image)) == {"0.0.0.0"}
    assert f"EXPOSE {inside} {CONSOLE_PORT}" in image


def test_the_users_of_each_part_get_the_address_that_the_header_names() -> None:
    said = dict(re.findall(r"(\w+) http://127\.0\.0\.1:(\d+)", TEXT.split("name: driftline")[0]))
    assert said == {
        name.capitalize() if name != "console" else name: SERVICES[name]["ports"][0].split(":")[1]
        for name in ("console", "prometheus", "grafana")
    }
    worker = SERVICES["worker-1"]["environment"]
    assert worker["DRIFTLINE_CONSOLE_URL"] == f"http://127.0.0.1:{said['console']}"


def _mounted(name: str) -> set[str]:
    """Where a service's volumes and files are inside."""
    return {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}


def test_secrets_are_files_that_git_does_not_keep_and_the_readme_names() -> None:
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert files == {f"./deploy/secrets/{name}" for name in ("pagerduty", "slack", "grafana", "webhook")}
    readme = (ROOT / "deploy" / "secrets" / "README.md").read_text()
    assert [file for file in files if f"| `{file.rsplit('/')[-1]}` |" not in readme] == []
    assert (ROOT / "deploy" / "secrets" / ".gitignore").read_text().split("\n")[1] == "*"


def test_redis_evicts_nothing_and_appends_everything_to_a_file() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {"--appendonly": "yes", "--maxmemory-policy": "noeviction", "--save": ""}


def test_kafka_has_no_zookeeper_and_takes_the_largest_record_of_the_contract() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) > 1.1e6
    assert "INSIDE://kafka:29092" in environment["KAFKA_ADVERTISED_LISTENERS"]


def test_the_file_says_that_nobody_has_run_it() -> None:
    assert "NOT RUN HERE" in TEXT
