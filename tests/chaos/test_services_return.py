"""Redis and the broker are killed and come back while somebody has been rung: no second ring, and the end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.local.receivers.pagerduty import recording_pagerduty
from tests.support.chaos import row
from tests.support.closed import judged_to
from tests.support.command import driftline
from tests.support.half_down import END_MS, MODEL, monitors, parts
from tests.support.kafka import LocalKafka
from tests.support.observed import apply
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment

pytestmark = pytest.mark.chaos


@row("Redis and the broker killed under an open alert", "rung once, its end told")
def test_an_open_alert_outlives_a_killed_redis_and_a_killed_broker(
    own_kafka: LocalKafka, own_redis: LocalRedis, environment_name: str, tmp_path: Path
) -> None:
    deployment = Deployment(own_kafka.bootstrap, own_redis.url, environment_name, tmp_path)
    deployment.create_topics()
    apply(deployment, monitors(tmp_path))
    first, rest = parts()
    with recording_pagerduty(folder=tmp_path) as pager:
        worker = deployment.start_worker(pagerduty_url=pager.url, in_doubt_s="0.5")
        try:
            deployment.send(first)
            deployment.wait_until(lambda: pager.vendor.rings == 1)
            own_redis.kill()
            own_kafka.kill()
            own_redis.start()
            own_kafka.start()
            deployment.send(rest)
            deployment.wait_until(lambda: judged_to(deployment, MODEL) == END_MS)
            deployment.wait_until(lambda: not pager.vendor.open_keys())
            assert (pager.vendor.rings, pager.vendor.lost, worker.alive) == (1, [], True)
            [one] = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json["incidents"]
            assert (one["worst"], one["state"], one["end_reason"]) == ("P0", "ended", "recovered")
        finally:
            deployment.stop()
