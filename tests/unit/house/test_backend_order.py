"""Where the services of the tests come from: given, then a container, then a process; never skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import backends, kafka
from tests.support.kafka import KafkaMissing, LocalKafka
from tests.support.redis import LocalRedis, RedisMissing


def test_an_address_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(backends.REDIS_VARIABLE, "redis://elsewhere:6379/0")
    monkeypatch.setattr(backends, "docker_answers", lambda: True)

    assert backends.start_redis(tmp_path).address == "redis://elsewhere:6379/0"
    assert "redis: given by DRIFTLINE_TEST_REDIS" in backends.header()


@pytest.mark.parametrize(("docker", "origin"), [(True, "container"), (False, "process")])
def test_then_a_container_where_docker_answers_and_a_process_where_not(
    monkeypatch: pytest.MonkeyPatch, docker: bool, origin: str
) -> None:
    monkeypatch.delenv(backends.KAFKA_VARIABLE, raising=False)
    monkeypatch.setattr(backends, "docker_answers", lambda: docker)

    assert backends.origin(backends.KAFKA_VARIABLE) == origin


def test_without_kafka_the_error_names_the_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kafka, "LIBS", tmp_path)
    with pytest.raises(KafkaMissing, match="run `make services`, or set DRIFTLINE_TEST_KAFKA="):
        LocalKafka(tmp_path)


def test_without_redis_the_error_names_the_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RedisMissing, match="run `make services`, or set DRIFTLINE_TEST_REDIS="):
        LocalRedis(tmp_path)
