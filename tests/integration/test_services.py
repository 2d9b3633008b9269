"""Kafka and Redis that are not there, at start and later, and workers that are told to stop or fall asleep."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.generated import assert_counts, expected, generate, reference_of, write_monitors
from tests.support.kafka import LocalKafka
from tests.support.observed import apply, counts, page, printed
from tests.support.process import Process, free_port
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
#: A worker that is ended once it has not stored for 2 s: what is away must not count.
WATCHED = (
    "-c",
    "from stream.expose import liveness; liveness.ASK_EVERY_S = 0.5; from stream.command.main import main; main()",
)
EVENTS = generate(MODEL, 10_000, seed=2, features=2)
RECORDS = list(EVENTS.records())


@pytest.fixture
def on_own_redis(deployment: Deployment, own_redis: LocalRedis) -> Deployment:
    deployment.redis_url = own_redis.url
    _apply(deployment)
    return deployment


def _apply(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))


def assert_all_counted(deployment: Deployment) -> None:
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))


def counted(worker: Process) -> int:
    """Events in panes, stored or not, as the worker's metrics tell."""
    try:
        lines = page(worker, "metrics")[1].splitlines()
    except (IndexError, OSError):  # it has not come to print its address, or to answer there
        return 0
    return next(int(float(line.split()[1])) for line in lines if line.startswith("driftline_events_total"))


def test_without_redis_a_worker_tries_for_its_time_and_says_what_to_do(deployment: Deployment) -> None:
    deployment.redis_url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    worker = deployment.start_worker(start_timeout_s="2")

    deployment.wait_until(lambda: not worker.alive, timeout_s=20)
    assert worker.stop() == 1
    where = deployment.redis_url.replace("hunter2", "***")
    assert printed(worker, f"Redis at {where} does not answer yet (try ") > 1
    assert printed(worker, f"Redis at {where} did not answer within 2 s") == 1
    assert printed(worker, "; start it, or set DRIFTLINE_REDIS to where it is") > 2
    assert printed(worker, "hunter2") + printed(worker, "Traceback") == 0


def test_without_kafka_a_worker_tries_for_its_time_and_says_what_to_do(deployment: Deployment) -> None:
    deployment.kafka = f"127.0.0.1:{free_port()}"
    worker = deployment.start_worker(start_timeout_s="2")

    deployment.wait_until(lambda: not worker.alive, timeout_s=20)
    assert worker.stop() == 1
    assert printed(worker, f"Kafka at {deployment.kafka} did not answer within 2 s") == 1
    assert printed(worker, "set DRIFTLINE_KAFKA to where it is") == 1
    assert printed(worker, "Traceback") == 0


def test_a_redis_that_comes_later_is_waited_for(deployment: Deployment, tmp_path: Path) -> None:
    redis = LocalRedis(tmp_path / "later")
    deployment.redis_url = redis.url
    worker = deployment.start_worker()
    deployment.wait_until(lambda: printed(worker, "does not answer yet") > 1)
    redis.start()
    try:
        _apply(deployment)
        deployment.send(RECORDS)
        assert_all_counted(deployment)
    finally:
        deployment.stop()
        redis.stop()


def test_while_redis_is_gone_reading_pauses_and_nothing_is_lost(
    on_own_redis: Deployment, own_redis: LocalRedis
) -> None:
    deployment = on_own_redis
    deployment.program = WATCHED
    worker = deployment.start_worker(stuck_after_s="2")
    deployment.send(RECORDS[:4_000])
    deployment.wait_until_stored()
    assert page(worker, "health")[0] == 200

    own_redis.kill()
    deployment.send(RECORDS[4_000:])
    deployment.wait_until(lambda: page(worker, "health")[0] == 503, timeout_s=10)
    assert "Redis does not answer; reading is paused, nothing is lost" in page(worker, "health")[1]
    before = counted(worker)
    time.sleep(4)
    assert counted(worker) == before

    own_redis.start()
    assert_all_counted(deployment)
    assert page(worker, "health")[0] == 200
    assert worker.alive
    said = printed(worker, "Redis does not answer; reading pauses until it does")
    assert said in (1, 2)  # not at each try; a Redis that has just come back may be slow once more on a busy machine
    assert printed(worker, "Redis answers again, after ") == said


def test_a_worker_told_to_stop_while_redis_is_gone_ends_all_the_same(
    on_own_redis: Deployment, own_redis: LocalRedis
) -> None:
    deployment = on_own_redis
    worker = deployment.start_worker()
    deployment.send(RECORDS[:4_000])
    deployment.wait_until_stored()
    own_redis.kill()
    deployment.send(RECORDS[4_000:])
    deployment.wait_until(lambda: page(worker, "health")[0] == 503, timeout_s=10)

    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 5
    # Said only where something was counted before reading paused; what was is counted again, and exactly once.
    assert printed(worker, "stopping without a last checkpoint; its events will be read again") <= 1
    own_redis.start()
    deployment.start_worker()
    assert_all_counted(deployment)


@pytest.mark.long
def test_a_broker_that_comes_back_is_read_on(deployment: Deployment, own_kafka: LocalKafka) -> None:
    deployment.kafka, deployment.program = own_kafka.bootstrap, WATCHED
    _apply(deployment)
    worker = deployment.start_worker(stuck_after_s="2")
    deployment.send(RECORDS[:4_000])
    deployment.wait_until(lambda: sum(deployment.stored().values()) > 0)

    own_kafka.kill()
    time.sleep(3)
    own_kafka.start()
    deployment.send(RECORDS[4_000:])
    assert_all_counted(deployment)
    assert worker.alive

    own_kafka.kill()
    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 5


def test_a_worker_told_to_stop_stores_what_it_has_counted(deployment: Deployment) -> None:
    _apply(deployment)
    worker = deployment.start_worker(flush_interval_s="60")
    deployment.send(RECORDS)
    deployment.wait_until(lambda: counted(worker) >= 8_192)
    assert sum(deployment.stored().values()) == 0

    started = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - started < 5
    assert sum(deployment.stored().values()) >= 8_192
    deployment.start_worker()
    assert_all_counted(deployment)


@pytest.mark.long
def test_a_worker_that_slept_through_its_session_is_refused_and_joins_again(deployment: Deployment) -> None:
    _apply(deployment)
    sleeper = deployment.start_worker(flush_interval_s="8")
    deployment.send(RECORDS[:5_000])
    deployment.wait_until(lambda: counted(sleeper) >= 4_096)
    os.kill(sleeper.pid, signal.SIGSTOP)
    asleep = time.monotonic()
    assert sum(deployment.stored().values()) == 0  # it sleeps on panes that it has not stored

    deployment.start_worker()
    deployment.wait_until_stored()  # the second has taken all partitions, and counted all from the start
    time.sleep(max(0.0, 8.5 - (time.monotonic() - asleep)))  # its next checkpoint is due when it wakes
    os.kill(sleeper.pid, signal.SIGCONT)
    deployment.wait_until(lambda: printed(sleeper, "not stored (fenced)") > 0)
    deployment.send(RECORDS[5_000:])
    assert_all_counted(deployment)
    assert sleeper.alive
