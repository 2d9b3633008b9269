"""The canary drill: a stand-in router reads the topic `releases` and divides requests by a hash of their ids, as it is told.

Two models on one real Kafka and Redis.  Version 4 of ``good`` is as good as the champion; version 4 of ``bad`` fails one request
of five as soon as it is sent a tenth.  In between one of two workers is ended, and the other one goes on with all of it.
"""

from __future__ import annotations

import json
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import redis
import yaml
from confluent_kafka import Consumer

from schemas import releases
from schemas.releases import Decision
from stream.evaluate.own_topics import ensure_topics
from tests.support.generated import PANE_MS, START_MS
from tests.support.models import reference as temperatures
from tests.support.observed import apply
from tests.support.worker import PARTITIONS, Deployment

MODELS = ("good", "bad")
REQUESTS = 2_500
#: Whoever is asked no more by then has lost the bet.
PATIENCE_S = 30.0


@dataclass(eq=False)
class Router:
    """Obeys the newest decision of each model."""

    consumer: Consumer
    told: dict[str, list[Decision]] = field(default_factory=lambda: {model: [] for model in MODELS})

    def read(self, model: str, number: int) -> None:
        """Wait until a model's newest decision has this number."""
        until = time.monotonic() + PATIENCE_S
        while len(self.told[model]) < number:
            assert time.monotonic() < until, f"{model}: {self.told[model]}"
            message = self.consumer.poll(0.05)
            if message is not None and message.error() is None:
                decision = releases.decode(message.value() or b"")
                assert (message.key() or b"").decode() == decision.model
                known = self.told[decision.model]
                if decision.number > len(known):  # at least once: one that came before is known by its number
                    known.append(decision)

    def version(self, model: str, user: str) -> str:
        """Whom it asks: one user always the same version while the share holds."""
        share = self.told[model][-1].share if self.told[model] else 0.0
        return "4" if zlib.crc32(user.encode()) / 2**32 < share else "3"


@pytest.fixture(scope="module")
def deployment(kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("drill")
    made = Deployment(kafka_bootstrap, redis_url, f"t{uuid.uuid4().hex[:10]}", folder)
    made.create_topics()
    ensure_topics(made.settings)
    (folder / "r.json").write_bytes(temperatures().to_json())
    model = {
        "reference": "r.json", "pane": "1m", "windows": {"short": "2m"}, "step": "1m", "lateness": "0s",
        "release": {"champion": "3", "challenger": "4", "every": "1m"},
        "features": {"temp": {"type": "numeric", "fixed": {"psi": 99}}},
    }  # fmt: skip
    (folder / "monitors.yaml").write_text(yaml.safe_dump({"schema": 1, "models": dict.fromkeys(MODELS, model)}))
    apply(made, folder / "monitors.yaml")
    workers = [made.start_worker(flush_interval_s="0.1", evaluate_interval_s="0.1") for _ in range(2)]
    made.wait_until_shared(*workers)
    yield made
    made.stop()


def test_a_bad_version_at_ten_per_cent_is_rolled_back_and_a_good_one_is_complete(deployment: Deployment) -> None:
    router, producer = Router(_consumer(deployment)), deployment.producer()
    for minute in range(7):
        for number, value in enumerate(_minute(router, minute)):
            producer.produce(deployment.names.topic("predictions"), value, partition=number % PARTITIONS)
        assert producer.flush(10) == 0
        for model in MODELS:
            router.read(model, _judged(deployment, model, minute))
        if minute == 2:  # in the middle of both: whoever goes on decides as if nothing was
            deployment.workers[0].stop(timeout_s=10)
    router.consumer.close()

    assert _told(router.told["good"]) == [
        (1, "begin", 0.05, ("begun",)),
        (2, "promote", 0.10, ("healthy",)),
        (3, "promote", 0.25, ("healthy",)),
        (4, "promote", 0.50, ("healthy",)),
        (5, "promote", 1.0, ("healthy",)),
        (6, "complete", 1.0, ("healthy",)),
    ]
    assert _told(router.told["bad"]) == [
        (1, "begin", 0.05, ("begun",)),
        (2, "promote", 0.10, ("healthy",)),
        (3, "roll_back", 0.0, ("errors", "worse_success")),
    ]


def _minute(router: Router, minute: int) -> Iterator[bytes]:
    """A minute of requests of both models, and the watermark at its end."""
    for model in MODELS:
        told = router.told[model]
        fails = model == "bad" and bool(told) and told[-1].share >= 0.1
        for at in range(REQUESTS):
            user, start = f"user-{at % 1_000}-{at // 1_000}", START_MS + minute * PANE_MS
            version = router.version(model, user)
            event = {
                "model": model, "version": version, "id": user, "timestamp": start + at * PANE_MS // REQUESTS,
                "features": {"temp": 10.0}, "latency_s": 0.2 + at % 7 / 100,
                "status": "error" if fails and version == "4" and at % 5 == 0 else "success",
            }  # fmt: skip
            yield json.dumps(event).encode()
    control = {"control": "watermark", "timestamp": START_MS + (minute + 1) * PANE_MS}
    yield from [json.dumps(control).encode()] * PARTITIONS


def _judged(deployment: Deployment, model: str, minute: int) -> int:
    """How many decisions a model's release has once this minute is judged."""
    end = START_MS + (minute + 1) * PANE_MS
    with redis.Redis.from_url(deployment.redis_url, decode_responses=True) as client:
        deployment.wait_until(lambda: int(client.hget(deployment.names.release(model), "judged_to") or 0) >= end)
        return int(client.hget(deployment.names.release(model), "number") or 0)


def _told(decisions: list[Decision]) -> list[tuple[int, str, float, tuple[str, ...]]]:
    return [
        ((one.at - START_MS) // PANE_MS, one.decision, one.share, tuple(reason.code for reason in one.reasons))
        for one in decisions
    ]


def _consumer(deployment: Deployment) -> Consumer:
    made = Consumer(
        {
            "bootstrap.servers": deployment.kafka,
            "group.id": f"{deployment.environment}-router",
            "auto.offset.reset": "earliest",
        }
    )
    made.subscribe([deployment.names.topic("releases")])
    return made
