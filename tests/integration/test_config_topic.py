"""What is in force, in Redis and on Kafka's topic ``config``: each gets back from the other what it lost."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from redis.asyncio import Redis

from schemas.config import Generation
from schemas.names import Names
from stream.ingest.restore import Restorer, newer
from stream.local.broker import create_topic
from stream.state import generations
from stream.state.config_topic import ConfigTopic
from stream.state.generations import read, read_references
from stream.state.patience import Patience
from tests.support.models import monitor, monitors, numeric, reference

OLD = reference()
NEW = reference(temp=numeric(0.0, 5.0, 20.0))


class Place:
    """A Redis environment and a topic of its own; ``look`` is one round of a worker."""

    def __init__(self, kafka: str, redis: Redis, names: Names) -> None:
        self.kafka, self.redis, self.names = kafka, redis, names
        self.topic = ConfigTopic({"bootstrap.servers": kafka, "log_level": 0}, names.topic("config"))
        self.restorer = self.worker()

    def worker(self, grace_s: float = 0.0) -> Restorer:
        return Restorer(self.redis, self.names, self.topic, patience=Patience(), grace_s=grace_s)

    async def look(self, times: int = 3) -> None:
        for _ in range(times):
            await self.restorer.run_once()

    async def apply(
        self, found: Any = OLD, *, now_ms: int = 7, clock_ms: int | None = None, after: int = 0
    ) -> Generation:
        return await generations.publish(
            self.redis,
            self.names,
            monitors(m=monitor()),
            references={"m": found},
            now_ms=now_ms,
            clock_ms=clock_ms,
            after=after,
        )

    async def empty(self) -> None:
        """What an emptied Redis is to this environment."""
        keys = [key async for key in self.redis.scan_iter(self.names.key("*"))]
        await self.redis.delete(*keys)

    async def stored(self) -> dict[bytes, Any]:
        """Every string and hash of the environment."""
        found: dict[bytes, Any] = {}
        async for key in self.redis.scan_iter(self.names.key("*")):
            hashed = await self.redis.type(key) == b"hash"
            found[key] = await (self.redis.hgetall(key) if hashed else self.redis.get(key))
        return found

    def put(self, key: str, value: bytes | None) -> None:
        producer = Producer({"bootstrap.servers": self.kafka, "log_level": 0})
        producer.produce(self.topic.topic, value, key, partition=0)
        assert producer.flush(10) == 0


Story = Callable[[Place], Awaitable[None]]


@pytest.fixture
def told(embedded_bootstrap: str, redis_url: str, environment_name: str) -> Callable[[Story], None]:
    names = Names(environment_name)
    create_topic(embedded_bootstrap, names.topic("config"))

    async def run(story: Story) -> None:
        async with Redis.from_url(redis_url) as redis:
            await story(Place(embedded_bootstrap, redis, names))

    return lambda story: asyncio.run(run(story))


@pytest.mark.parametrize(
    ("redis", "topic", "which"),
    [
        (None, None, "neither"),
        ((3, 10), (3, 10), "neither"),
        ((3, 10), None, "redis"),
        (None, (3, 10), "topic"),
        ((2, 5), (3, 10), "topic"),  # it failed over to an old copy
        ((3, 5), (3, 10), "topic"),
        ((4, 5), (3, 10), "redis"),  # applied on a machine whose clock is behind
        ((1, 20), (3, 10), "redis"),  # emptied, and applied while Kafka was away
    ],
)
def test_which_of_two_generations_is_in_force(redis: Any, topic: Any, which: str) -> None:
    assert newer(redis, topic) == which


def test_an_emptied_redis_gets_back_byte_for_byte_what_was_in_force(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        await place.apply(OLD, now_ms=7)
        await place.apply(NEW, now_ms=8, clock_ms=1000)  # a model that is about to change over names two references
        await place.look()
        before = await place.stored()
        await place.empty()
        await place.look()
        assert await place.stored() == before
        assert (await generations.read_stamp(place.redis, place.names)) == (2, 8)

    told(story)


def test_what_is_in_force_is_on_the_topic_once_and_what_it_replaced_is_not(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        await place.apply(OLD, now_ms=7)
        await place.look()
        first = place.topic.read()
        await place.apply(NEW, now_ms=8)
        await place.look()
        kept = place.topic.read()
        assert first is not None
        assert kept is not None
        assert (first.numbers, first.digests) == (frozenset({1}), frozenset({OLD.hash}))
        assert (kept.generation, kept.numbers, kept.digests) == (
            await read(place.redis, place.names), frozenset({2}), frozenset({NEW.hash}),
        )  # fmt: skip

    told(story)


def test_a_worker_leaves_the_topic_to_apply_for_a_while(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        await place.apply()
        await place.look()
        await place.apply(NEW, now_ms=8)
        place.restorer = place.worker(grace_s=60.0)
        await place.look()
        kept = place.topic.read()
        assert kept is not None
        assert kept.numbers == {1}

    told(story)


def test_the_first_that_is_in_force_waits_for_nobody(told: Callable[[Story], None]) -> None:
    """A Redis that is emptied in the first seconds of an environment would take it with it for good."""

    async def story(place: Place) -> None:
        await place.apply()
        place.restorer = place.worker(grace_s=60.0)
        await place.look(1)
        await place.empty()
        await place.look(2)
        assert await generations.read_stamp(place.redis, place.names) == (1, 7)

    told(story)


def test_numbers_go_on_from_the_topic_although_an_emptied_redis_was_filled_without_kafka(
    told: Callable[[Story], None],
) -> None:
    async def story(place: Place) -> None:
        for now_ms in (7, 8, 9):
            await place.apply(OLD, now_ms=now_ms)
        await place.look()
        await place.empty()
        assert (await place.apply(NEW, now_ms=20)).number == 1
        await place.look()
        assert await generations.read_stamp(place.redis, place.names) == (4, 20)
        await place.empty()
        await place.look()
        found = await read(place.redis, place.names)
        assert found is not None
        assert (found.number, found.models["m"].reference) == (4, NEW.hash)
        assert (await place.apply(OLD, now_ms=21, after=9)).number == 10

    told(story)


def test_an_old_copy_of_redis_takes_nothing_back(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        await place.apply(OLD, now_ms=7)
        old: Any = await place.redis.hgetall(place.names.config)
        await place.apply(NEW, now_ms=8)
        await place.look()
        await place.redis.hset(place.names.config, mapping=old)
        await place.look()
        assert await generations.read_stamp(place.redis, place.names) == (2, 8)

    told(story)


def test_a_writer_that_stood_still_hides_nothing(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        one = await place.apply(OLD, now_ms=7)
        await place.apply(NEW, now_ms=8)
        await place.look()
        place.put("generation:1", zlib.compress(one.to_json()))
        await place.empty()
        await place.look()
        assert await generations.read_stamp(place.redis, place.names) == (2, 8)

    told(story)


def test_damaged_records_are_left_out_and_said(told: Callable[[Story], None], caplog: pytest.LogCaptureFixture) -> None:
    async def story(place: Place) -> None:
        await place.apply(OLD, now_ms=7)
        await place.look()
        place.put("generation:2", b"\x07no zlib")
        place.put("generation:3", zlib.compress(b'{"number": "three"}'))
        place.put("reference:" + "0" * 64, b"nor this")
        place.put("what", b"is this")
        await place.empty()
        await place.look()
        assert await generations.read_stamp(place.redis, place.names) == (1, 7)
        said = {
            record.message.split("'")[1] for record in caplog.records if "is damaged and left out" in record.message
        }
        assert said == {"generation:2", "generation:3", "what"}

    told(story)


def test_a_generation_whose_reference_is_gone_is_not_put_back_and_the_way_out_is_said(
    told: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(place: Place) -> None:
        await place.apply(OLD, now_ms=7)
        await place.look()
        place.put(f"reference:{OLD.hash}", None)
        await place.empty()
        await place.look()
        assert await place.stored() == {}
        said = [record.message for record in caplog.records if "cannot be put back" in record.message]
        assert len(said) == 1
        assert "run `driftline apply` on the monitors file again" in said[0]

    told(story)


def test_a_reference_that_the_topic_lost_is_written_again_while_redis_has_it(told: Callable[[Story], None]) -> None:
    async def story(place: Place) -> None:
        generation = await place.apply(OLD, now_ms=7)
        await place.look()
        place.put(f"reference:{OLD.hash}", None)
        place.restorer = place.worker()
        await place.look()
        assert place.topic.references({OLD.hash}) == await read_references(place.redis, place.names, generation)

    told(story)


def test_an_environment_without_the_topic_goes_on(redis_url: str, embedded_bootstrap: str) -> None:
    async def run() -> None:
        async with Redis.from_url(redis_url) as redis:
            place = Place(embedded_bootstrap, redis, Names("never-made"))
            await place.apply()
            await place.look()
            assert place.topic.read() is None
            await place.empty()

    asyncio.run(run())


def test_a_kafka_that_is_not_there_is_known_at_once_and_said_once(
    redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with Redis.from_url(redis_url) as redis:
            place = Place("127.0.0.1:1", redis, Names(environment_name))
            await place.apply()
            await place.look()
            with pytest.raises(KafkaException):
                place.topic.read()

    asyncio.run(run())
    assert [record.message.split(":")[0] for record in caplog.records if record.levelname == "ERROR"] == [
        f"Redis and the topic {environment_name}.config are not compared"
    ]
