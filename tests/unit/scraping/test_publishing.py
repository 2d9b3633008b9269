"""Publishing: each record once, whatever the broker does meanwhile; what cannot be sent waits as a sum."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from stream.scraping import publish as publishing
from stream.scraping.batches import Record
from stream.scraping.fetch import Page
from stream.scraping.publish import Publisher
from stream.scraping.watch import Watch
from tests.support.exporter import TEXT, page, target

Delivered = Callable[[KafkaError | None, Any], None]


@dataclass(slots=True)
class Broker:
    """A producer whose fates are given beforehand: an error a try, then everything is taken."""

    fates: list[Any] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    heard: list[tuple[Delivered, KafkaError | None]] = field(default_factory=list)

    def produce(self, topic: str, value: bytes, key: str, *, on_delivery: Delivered) -> None:
        fate = self.fates.pop(0) if self.fates else None
        if isinstance(fate, Exception):
            raise fate
        if fate is None:
            self.taken.append(value)
        self.heard.append((on_delivery, fate))

    def poll(self, seconds: float) -> int:
        while self.heard:
            delivered, fate = self.heard.pop(0)
            delivered(fate, None)
        return 0

    def purge(self) -> None: ...

    def flush(self, seconds: float) -> int:
        return self.poll(seconds)


async def published(brokers: list[Broker], records: list[Record]) -> None:
    """Publish through these producers, a new one where the one before is lost."""
    made = iter(brokers)
    publisher = Publisher("serving", lambda hear: cast(Producer, next(made)))
    hearing = asyncio.create_task(publisher.run())
    await asyncio.wait_for(publisher.publish(records), 5)
    hearing.cancel()
    publisher.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "AGAIN_AFTER_S", 0.01)


@pytest.mark.parametrize(
    "fate",
    [
        KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED),
        BufferError(),
        KafkaException(KafkaError(KafkaError._QUEUE_FULL)),
    ],
)
def test_a_record_that_is_refused_is_sent_again_and_once(fate: Any, caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker([fate, fate])
    asyncio.run(published([broker], [Record("m", b"1", 1)]))

    assert broker.taken == [b"1"]
    assert len(caplog.records) == 1, "said once, not at every try"


def test_a_producer_that_lost_its_place_is_made_anew() -> None:
    lost, fresh = Broker([KafkaError(KafkaError._FATAL, "out of order", fatal=True)]), Broker()
    asyncio.run(published([lost, fresh], [Record("m", b"1", 1)]))

    assert (lost.taken, fresh.taken) == ([], [b"1"])


def test_while_the_broker_is_away_growth_adds_up_and_then_all_of_it_goes() -> None:
    pages = [page("vllm"), page("vllm_later"), page("vllm_later").replace(b"} 96.0", b"} 100.0"), page("vllm_later")]
    pages[3] = pages[2].replace(b"} 100.0", b"} 107.0")
    sent: list[list[Record]] = []
    back = asyncio.Event()

    async def fetch(_: Any) -> Page:
        return Page(pages.pop(0), TEXT)

    async def publish(records: list[Record]) -> None:
        if records:
            sent.append(records)
            await back.wait()

    async def run() -> Watch:
        watch = Watch(target("vllm"), fetch=fetch, publish=publish)
        publisher = asyncio.create_task(watch.publish())
        for _ in range(4):
            await watch.scrape()
            await asyncio.sleep(0.05)
        assert ([r.events for rs in sent for r in rs], watch.tally.published, watch.tally.waiting) == ([20], 0, 31)
        back.set()
        await asyncio.sleep(0.05)
        publisher.cancel()
        return watch

    watch = asyncio.run(run())
    assert [record.events for records in sent for record in records] == [20, 11]
    assert (watch.tally.published, watch.tally.waiting) == (31, 0)


def test_gpus_one_record_each_and_only_the_newest_sample_waits() -> None:
    sent: list[Record] = []

    async def fetch(_: Any) -> Page:
        return Page(page("dcgm"), TEXT)

    async def publish(records: list[Record]) -> None:
        sent.extend(records)

    async def run() -> None:
        watch = Watch(target("dcgm"), fetch=fetch, publish=publish)
        await watch.scrape()
        await watch.scrape()
        await watch.publish_waiting()

    asyncio.run(run())
    assert [record.key for record in sent] == [
        "GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52",
        "GPU-7a9c9f44-ff57-1177-e21a-1740a8cf1a65",
    ]
    assert [msgspec.json.decode(record.value)["gpu"] for record in sent] == ["0", "1"]


def test_a_broker_that_is_away_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher("serving", lambda hear: cast(Producer, Broker()))
    for code in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._ALL_BROKERS_DOWN):
        publisher.hear(KafkaError(code))
    publisher.close()

    assert [record.getMessage() for record in caplog.records] == ["requests wait to be published: no broker answers"]
