"""``doctor``: every line says what, how it is and what to do; one that fails does not end the others."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from redis import Redis

from stream.command.kafka_version import LANDMARKS
from stream.evaluate.own_topics import ensure_topics
from tests.support.command import driftline
from tests.support.generated import generate, reference_of, write_monitors
from tests.support.process import free_port
from tests.support.redis import LocalRedis
from tests.support.site import Site
from tests.support.worker import Deployment

EVENTS = generate("m", 200, seed=3, features=2)


def found(variables: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The exit code and the checks by what they are about."""
    ended = driftline("doctor", "--json", env=variables)
    assert ended.err == ""
    checks = json.loads(ended.out)["checks"]
    return ended.code, {one["what"]: one for one in checks}


def test_a_deployment_that_works(deployment: Deployment) -> None:
    """Its Redis keeps no append-only file: worth a look, and no more."""
    file = write_monitors(deployment.folder, {"m": reference_of(EVENTS)})
    ensure_topics(deployment.settings)
    admin, config = AdminClient({"bootstrap.servers": deployment.kafka}), deployment.names.topic("config")
    deployment.wait_until(lambda: config in admin.list_topics(timeout=10).topics)
    worker = deployment.start_worker()
    assert driftline("apply", str(file), env=deployment.variables).code == 0
    deployment.send([*EVENTS.records(), b"not JSON"])
    deployment.wait_until_stored()
    deployment.wait_until(lambda: found(deployment.variables)[0] == 0)

    code, checks = found(deployment.variables)
    wrong = {what: one for what, one in checks.items() if one["state"] == "wrong"}
    assert (code, wrong) == (0, {})
    assert checks["leases of evaluation"]["value"] == "64 of 64 held"
    assert checks["workers"]["value"].startswith("1 alive: ")
    assert checks["owner of incidents"]["value"].endswith(f":{worker.pid}")
    assert checks["lag"]["value"] == "0 records in 0 of 16 partitions"
    assert checks["configuration"]["value"].startswith("generation 1, applied ")
    kept = checks[f"topic {config}"]
    assert (kept["state"], kept["value"]) == ("ok", "generation 1, and Redis has 1"), kept
    topic = deployment.names.topic("incidents")
    assert checks[f"topic {topic}"]["value"] == "1 partitions, cleanup compact"
    assert (checks["dead letters"]["state"], checks["dead letters"]["value"]) == ("look", "1")
    assert checks["Kafka version"]["state"] == checks["clock of the newest records"]["state"] == "ok", checks
    assert checks["Kafka version"]["value"].split()[0] in [release for release, _, _ in LANDMARKS]
    assert (checks["caps"]["state"], checks["caps"]["value"]) == ("ok", "none reached")


def test_a_reference_that_is_gone_and_a_clock_that_is_ahead(site: Site) -> None:
    assert site.apply().code == 0
    [key] = site.redis.scan_iter(site.names.reference("*"))
    site.redis.delete(key)
    producer = Producer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"]})
    for partition, ahead_s in ((0, -5), (1, 90)):
        at_ms = int((time.time() + ahead_s) * 1000)
        producer.produce(site.names.topic("predictions"), b"{}", partition=partition, timestamp=at_ms)
    assert producer.flush(10) == 0

    _, checks = found(dict(site.env))
    reference = checks["configuration"]
    assert reference["state"] == "wrong"
    digest = key.decode().rpartition(":")[2][:16]
    assert reference["value"].endswith(f"1 models, 1 references are not there ({digest})")
    assert reference["do"] == "run driftline apply on the monitors file again"
    clock = checks["clock of the newest records"]
    assert clock["state"] == "wrong"
    assert 60 < float(clock["value"].split()[0]) <= 90


def test_before_anything_it_says_what_to_do(site: Site) -> None:
    code, checks = found(dict(site.env))
    assert code == 1
    assert (checks["configuration"]["value"], checks["configuration"]["do"]) == (
        "nothing is in force", "run driftline apply FILE",
    )  # fmt: skip
    assert (checks["workers"]["state"], checks["workers"]["do"]) == ("wrong", "start driftline worker")
    lines = site.run("doctor").out.splitlines()
    at = lines.index("WRONG  configuration: nothing is in force")
    assert lines[at + 1] == "       -> run driftline apply FILE"


def test_without_kafka_what_is_in_redis_is_looked_at_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect.ANSWER_WITHIN_S", "doctor_kafka.ANSWER_WITHIN_S", "doctor_kafka.REFUSED_WITHIN_S"):
        monkeypatch.setattr(f"stream.command.{name}", 0.5)
    site.apply()
    code, checks = found({**site.env, "DRIFTLINE_KAFKA": f"127.0.0.1:{free_port()}"})
    assert code == 1
    assert "does not answer" in checks["Kafka"]["value"]
    assert checks["retention"]["value"] == "could not be looked at: Kafka does not answer"
    assert (checks["configuration"]["state"], checks["Redis eviction"]["state"]) == ("ok", "ok")


def test_a_redis_that_would_lose_what_it_is_given(site: Site, own_redis: LocalRedis) -> None:
    client = Redis.from_url(own_redis.url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", str(int(client.info("memory")["used_memory"]) + 200_000))
    code, checks = found({**site.env, "DRIFTLINE_REDIS": own_redis.url})
    assert code == 1
    assert (checks["Redis eviction"]["state"], checks["Redis eviction"]["value"]) == ("wrong", "allkeys-lru")
    assert checks["Redis memory"]["state"] in ("look", "wrong")
    assert checks["Redis scripts"]["value"] == "may be loaded and called"


def test_passwords_and_secrets_are_never_shown(
    site: Site, own_redis: LocalRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Redis.from_url(own_redis.url)
    client.config_set("requirepass", "hunter2")
    wrong = own_redis.url.replace("redis://", "redis://:tr0ub4dor@")
    for url in (own_redis.url.replace("redis://", "redis://:hunter2@"), wrong):
        ended = driftline("doctor", env={**site.env, "DRIFTLINE_REDIS": url})
        assert not any(secret in ended.out + ended.err for secret in ("hunter2", "tr0ub4dor"))
    assert "refuses this user" in ended.out


def test_a_receiver_whose_secret_is_not_there(site: Site) -> None:
    site.apply()
    text = (site.folder / "monitors.yaml").read_text()
    more = "receivers: {oncall: {pagerduty: {routing_key: {file: /nowhere/key}}}}\nroute: {receiver: oncall}\n"
    assert site.run("apply", site.file("monitors.yaml", text + more)).code == 0
    _, checks = found(dict(site.env))
    assert checks["receivers"]["state"] == "wrong"
    assert "receivers.oncall.pagerduty.routing_key" in checks["receivers"]["value"]


def test_records_that_nobody_reads(site: Site) -> None:
    site.apply()
    producer = Producer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"]})
    producer.produce(site.names.topic("labels"), b"{}", partition=2)
    assert producer.flush(10) == 0
    _, checks = found(dict(site.env))
    topic = site.names.topic("labels")
    assert checks["lag"]["value"] == f"1 records in 1 of 16 partitions; no progress in {topic}:2"
    assert checks["lag"]["state"] == "wrong"
