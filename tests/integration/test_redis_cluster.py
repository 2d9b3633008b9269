"""A real Redis Cluster of three nodes: a worker counts exactly, judges and keeps incidents there, and outlives a node's restart."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.evaluate.own_topics import ensure_topics
from stream.redis_client import client_of
from stream.start import wait_for_services
from stream.state.clock import read_now
from tests.support.acl import PASSWORD, made_user
from tests.support.chaos import row
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, printed
from tests.support.process import free_port
from tests.support.redis import LocalRedis
from tests.support.redis_cluster import LocalCluster
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
EVENTS = generate(MODEL, 6_000, seed=2, features=2)
RECORDS = list(EVENTS.records())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    made = LocalCluster(tmp_path_factory.mktemp("cluster"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def clustered(deployment: Deployment, cluster: LocalCluster) -> Deployment:
    deployment.redis_url = cluster.url
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    return deployment


@pytest.mark.chaos
@pytest.mark.long
@row("one of three nodes of a Redis Cluster killed", "exact, judged, its incident kept")
def test_a_worker_counts_judges_and_keeps_incidents_on_three_nodes_of_which_one_is_killed_and_returns(
    clustered: Deployment, cluster: LocalCluster
) -> None:
    ensure_topics(clustered.settings)
    worker = clustered.start_worker()
    clustered.send(RECORDS[:3_000])
    clustered.wait_until_stored()
    killed = cluster.node_of(clustered.names.offset("predictions", 1))
    killed.kill()
    clustered.send([*RECORDS[3_000:], *[_control(START_MS + 40 * PANE_MS)] * PARTITIONS])
    clustered.wait_until(lambda: printed(worker, "Redis does not answer; reading pauses until it does") > 0)
    cluster.wait_until_down(without=killed)
    killed.start()
    cluster.wait_until_whole()
    clustered.wait_until_stored()
    assert_counts(counts(clustered, MODEL), expected(EVENTS, REFERENCE))

    clustered.wait_until(lambda: _judged_to(clustered) == START_MS + 40 * PANE_MS)
    clustered.send([*_samples(int(time.time() * 1000))], stream="serving")
    clustered.wait_until(lambda: _incidents(clustered) == ["GPU node-7/0: Xid 79"])
    assert driftline("status", env=clustered.variables).code == 0
    nodes = {cluster.node_of(key).port for key in _keys(clustered)}
    assert nodes == {node.port for node in cluster.nodes}
    assert (worker.stop(), printed(worker, "Traceback"), printed(worker, "CROSSSLOT")) == (0, 0, 0)


def test_the_clock_is_that_of_the_node_that_has_the_incidents(clustered: Deployment, cluster: LocalCluster) -> None:
    async def asked() -> int:
        async with client_of(clustered.settings, answers_within_s=5.0) as redis:
            return len([await read_now(redis, clustered.names) for _ in range(30)])

    before = [_times_asked(node) for node in cluster.nodes]
    assert asyncio.run(asked()) == 30
    owner = cluster.nodes.index(cluster.node_of(clustered.names.incidents("owner")))
    more = [_times_asked(node) - was for node, was in zip(cluster.nodes, before, strict=True)]
    assert more == [30 * (number == owner) for number in range(3)]


def test_an_address_of_the_wrong_kind_is_said(cluster: LocalCluster, own_redis: LocalRedis, tmp_path: Path) -> None:
    single = [f"redis://127.0.0.1:{node.port}/0" for node in cluster.nodes]
    ended = [driftline("status", env={"DRIFTLINE_REDIS": url}) for url in single]
    assert [one.code for one in ended] == [2] * 3
    assert all("is a node of a cluster; let DRIFTLINE_REDIS begin with redis+cluster://" in one.err for one in ended)
    plural = driftline("status", env={"DRIFTLINE_REDIS": f"redis+cluster://127.0.0.1:{own_redis.port}"})
    assert (plural.code, "is no node of a cluster; leave +cluster out" in plural.err) == (2, True)
    nobody = driftline("status", env={"DRIFTLINE_REDIS": f"redis+cluster://me:hunter2@127.0.0.1:{free_port()}"})
    assert (nobody.code, "does not answer" in nobody.err, "hunter2" in nobody.err) == (1, True, False)


def test_a_user_of_the_documented_rights_is_let_in(clustered: Deployment, cluster: LocalCluster) -> None:
    for node in cluster.nodes:
        made_user(node.client(), "+cluster|slots", "+command")
    secret = clustered.folder / "redis-password"
    secret.write_text(PASSWORD)
    clustered.more["DRIFTLINE_REDIS_PASSWORD_FILE"] = str(secret)
    clustered.redis_url = clustered.redis_url.replace("://", "://driftline@")
    wait_for_services(clustered.settings, check=lambda redis: None)
    asked = driftline("status", env=clustered.variables)
    assert (asked.code, asked.err) == (0, "")
    assert [node.client().acl_log() for node in cluster.nodes] == [[], [], []]


def _control(at: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": at}).encode()


def _samples(now: int) -> Iterator[bytes]:
    """Ten minutes of a GPU with an error in the last two, and the watermark that ends them."""
    for minutes in range(10, 0, -1):
        metrics = {"temperature_celsius": 71, "power_watts": -1, "xid": 79 if minutes < 3 else None}
        place = {"gpu": 0, "uuid": "GPU-1", "host": "node-7"}
        yield json.dumps({"timestamp": now - minutes * 60_000, **place, "metrics": metrics}).encode()
    yield from [_control(now)] * PARTITIONS


def _judged_to(deployment: Deployment) -> int:
    with deployment.redis() as client:
        return int(client.hget(deployment.names.evaluation(MODEL, "predictions"), "last") or 0)


def _incidents(deployment: Deployment) -> list[str]:
    found = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json["incidents"]
    return [one["title"] for one in found if one["title"].startswith("GPU")]


def _keys(deployment: Deployment) -> list[str]:
    with deployment.redis() as client:
        return [key.decode() for key in client.scan_iter(match=f"{deployment.names.key()}:*", count=1000)]


def _times_asked(node: LocalRedis) -> int:
    with node.client() as client:
        told: dict[str, dict[str, int]] = client.info("commandstats")
        return int(told.get("cmdstat_time", {"calls": 0})["calls"])
