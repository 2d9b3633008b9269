"""``FLUSHALL`` under an open alert: counts, configuration, incident, acknowledgement and silence come back from Kafka.

Nobody is rung again for what they were told, nobody is told what is not so, and whoever was told hears how it ended.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import redis

from stream.local.receivers.pagerduty import recording_pagerduty
from tests.support.chaos import row
from tests.support.closed import judged_to
from tests.support.command import driftline
from tests.support.generated import assert_counts, expected
from tests.support.half_down import END_MS, EVENTS, MODEL, REFERENCE, monitors, parts
from tests.support.observed import counts, printed
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment

pytestmark = pytest.mark.chaos


class Place:
    """The deployment, asked as a person asks."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def run(self, *arguments: str) -> Any:
        return driftline(*arguments, "--json", env=self.deployment.variables).json

    def do(self, *arguments: str) -> None:
        ended = driftline(*arguments, env=self.deployment.variables)
        assert ended.code == 0, ended

    def incidents(self) -> list[Any]:
        found: list[Any] = self.run("incident", "ls", "--all")["incidents"]
        return found

    def silences(self) -> list[Any]:
        found: list[Any] = self.run("silence", "ls")["silences"]
        return found

    def empty(self) -> None:
        with redis.Redis.from_url(self.deployment.redis_url) as client:
            client.flushall()


@row("Redis emptied", "counts, configuration, incident, acknowledgement, silence come back; rung once")
def test_an_emptied_redis_gets_everything_back_and_nobody_is_rung_again(
    kafka_bootstrap: str, own_redis: LocalRedis, environment_name: str, tmp_path: Path
) -> None:
    deployment = Deployment(kafka_bootstrap, own_redis.url, environment_name, tmp_path)
    deployment.create_topics()
    place = Place(deployment)
    applied = place.run("apply", str(monitors(tmp_path)))
    first, rest = parts()
    with recording_pagerduty(folder=tmp_path) as pager:
        worker = deployment.start_worker(pagerduty_url=pager.url, in_doubt_s="0.5")
        try:
            deployment.send(first)
            deployment.wait_until(lambda: pager.vendor.rings == 1)
            deployment.wait_until(lambda: printed(worker, "is on the topic") > 0)
            [told] = place.incidents()
            place.do("incident", "ack", told["id"], "--by", "ada")
            place.do("silence", "add", "feature=f1", "--for", "2h", "--by", "ada", "--comment", "known")
            silences = place.silences()
            deployment.wait_until_stored()
            time.sleep(4)  # the group's offsets are committed every 2.8 s

            place.empty()
            deployment.wait_until_stored()
            deployment.wait_until(lambda: place.incidents() != [] and place.silences() == silences)
            [again] = place.incidents()
            assert (again["id"], again["state"], again["acknowledged_by"]) == (told["id"], "open", "ada")
            status = place.run("status")
            assert status["generation"]["number"] == applied["generation"] == 1

            deployment.send(rest)
            deployment.wait_until(lambda: judged_to(deployment, MODEL) == END_MS)
            deployment.wait_until(lambda: not pager.vendor.open_keys())
            assert (pager.vendor.rings, pager.vendor.lost, worker.alive) == (1, [], True)
            [one] = place.incidents()
            assert (one["id"], one["worst"], one["state"], one["end_reason"]) == (
                told["id"],
                "P0",
                "ended",
                "recovered",
            )
            assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))
        finally:
            deployment.stop()


@pytest.mark.long
@row("Redis emptied at a ring, and once more", "three workers that evaluate beside; rung once, its end told")
def test_redis_is_emptied_in_the_moment_of_a_ring_and_again_while_it_is_filled(
    kafka_bootstrap: str, own_redis: LocalRedis, environment_name: str, tmp_path: Path
) -> None:
    """The environment is seconds old: what Kafka keeps of it has to be there by the time that anybody is rung."""
    deployment = Deployment(kafka_bootstrap, own_redis.url, environment_name, tmp_path)
    deployment.create_topics()
    place = Place(deployment)
    place.run("apply", str(monitors(tmp_path)))
    first, rest = parts()
    with recording_pagerduty(folder=tmp_path) as pager:
        more = {"pagerduty_url": pager.url, "in_doubt_s": "0.5", "evaluate": "beside"}
        workers = [deployment.start_worker(**more) for _ in range(3)]
        try:
            deployment.send(first)
            deployment.wait_until(lambda: pager.vendor.rings == 1, timeout_s=120)
            place.empty()
            time.sleep(5)
            place.empty()
            deployment.wait_until(lambda: place.incidents() != [], timeout_s=120)
            deployment.send(rest)
            deployment.wait_until(lambda: judged_to(deployment, MODEL) == END_MS, timeout_s=120)
            deployment.wait_until(lambda: not pager.vendor.open_keys(), timeout_s=60)
            assert (pager.vendor.rings, pager.vendor.lost) == (1, [])
            assert all(worker.alive for worker in workers), deployment.logs()
            [one] = place.incidents()
            assert (one["state"], one["end_reason"]) == ("ended", "recovered")
            assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))
        finally:
            deployment.stop()
