"""Rows of Redis: killed, gone, cut off, and fallen back to a replica that never heard of the last writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.chaos import Scene, row
from tests.support.chaos_services import Replicated, scene_on
from tests.support.generated import PANE_MS, START_MS
from tests.support.observed import offset_hash, page
from tests.support.proxy import Proxy
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment

pytestmark = pytest.mark.chaos

RECORDS, RATE = 6_000, 1_500
END_MS = START_MS + 30 * PANE_MS
EXACT = "every stored count is exact"


@pytest.fixture
def on_own_redis(kafka_bootstrap: str, own_redis: LocalRedis, environment_name: str, tmp_path: Path) -> Iterator[Scene]:
    with scene_on(Deployment(kafka_bootstrap, own_redis.url, environment_name, tmp_path)) as scene:
        yield scene


@row("Redis killed, back from its append-only file", EXACT)
def test_a_killed_redis_comes_back_with_what_it_had(on_own_redis: Scene, own_redis: LocalRedis) -> None:
    scene = on_own_redis
    records = scene.traffic().records(RECORDS)
    [worker] = scene.start()
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        own_redis.kill()
        own_redis.start()
    scene.close(END_MS)
    scene.assert_exact()
    assert worker.alive
    assert "happened" not in offset_hash(scene.deployment)  # it was not taken for one that lost its data


@pytest.mark.long
@row("Redis gone 60 s", f"{EXACT}; unhealthy meanwhile, the worker stays")
def test_a_redis_that_is_gone_for_a_minute_is_waited_for(on_own_redis: Scene, own_redis: LocalRedis) -> None:
    """Also by a worker that is just then given the partitions of another."""
    scene = on_own_redis
    records = scene.traffic().records(RECORDS)
    worker, other = scene.start(2)
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        own_redis.kill()
        time.sleep(2)
        other.kill()
        time.sleep(58)
    assert page(worker, "health")[0] == 503
    own_redis.start()
    scene.close(END_MS)
    scene.assert_exact()
    assert worker.alive


@pytest.mark.long
@row("fail-over to a replica that lost the last writes", f"{EXACT}; what was lost is counted again")
def test_a_replica_that_lost_the_last_writes_is_counted_on_from_where_it_is(
    kafka_bootstrap: str, environment_name: str, tmp_path: Path
) -> None:
    with (
        Replicated.running(tmp_path) as redis,
        scene_on(Deployment(kafka_bootstrap, redis.url, environment_name, tmp_path)) as scene,
    ):
        records = scene.traffic().records(RECORDS)
        [worker] = scene.start()
        with scene.sending(records, rate=RATE):
            scene.wait_for(0.2, records)
            redis.fall_behind()
            before = sum(scene.deployment.stored().values())
            scene.deployment.wait_until(lambda: sum(scene.deployment.stored().values()) > before + 1_000)
            redis.fail_over()
            behind = replace(scene.deployment, redis_url=redis.replica.url).stored()
        assert sum(behind.values()) < before + 1_000, "the replica had lost nothing"
        scene.close(END_MS)
        scene.assert_exact()
        assert worker.alive


@pytest.mark.long
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("cut", marks=row("network cut between worker and Redis", EXACT)),
        pytest.param("hold", marks=row("network between worker and Redis that drops all", EXACT)),
    ],
)
def test_a_worker_that_cannot_reach_redis_loses_and_doubles_nothing(
    kafka_bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path, how: str
) -> None:
    proxy = Proxy(int(redis_url.rpartition(":")[2].partition("/")[0]), folder=tmp_path)
    with scene_on(Deployment(kafka_bootstrap, redis_url, environment_name, tmp_path)) as scene:
        records = scene.traffic().records(RECORDS)
        proxy.start()
        behind, beside = scene.start(2, redis=f"redis://127.0.0.1:{proxy.port}/0")[0], scene.start()[0]
        try:
            with scene.sending(records, rate=RATE):
                scene.wait_for(0.3, records)
                getattr(proxy, how)()
                time.sleep(3)
                proxy.through()
            scene.close(END_MS)
            scene.assert_exact()
        finally:
            proxy.stop()
        assert (behind.alive, beside.alive) == (True, True)
