"""The group's offsets of findings and actions at a take-over: an emptied Redis is filled from the topic and read on from them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import redis.asyncio as redis_async
from confluent_kafka import Producer
from faust.types import TP

from schemas.names import Names
from stream.incidents.agent import IncidentAgent
from stream.incidents.configured import Configured
from stream.incidents.owner import Owner
from stream.incidents.publish import Relay
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.ingest.dead_letters import DeadLetters
from stream.state.epochs import Log
from stream.state.patience import Patience
from tests.support.consumer import bare_consumer
from tests.support.incident_owner import POLICY


class Topic:
    """A producer that takes documents only while Kafka is ``there``."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        self.taken = list[bytes]()

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Any) -> None:
        if not self.there.is_set():
            raise BufferError("full")
        self.taken.append(value)
        on_delivery(None, None)

    def flush(self, timeout: float) -> int:
        return 0


def test_the_next_owner_commits_nothing_before_what_was_decided_is_on_the_topic(
    redis_url: str, environment_name: str
) -> None:
    names, kafka = Names(environment_name), Topic()

    async def story() -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            agent, consumer = agent_of(redis, names)
            relay = Relay(agent.owner, cast(Producer, kafka))
            relay.published = agent.published
            await before(agent.owner.store)
            tps = set(agent.inputs)
            for tp, offset in (await agent.take(consumer, tps)).items():
                await consumer.place(tp, offset)
            publishing = asyncio.create_task(relay.run())
            await asyncio.sleep(0.1)
            assert [consumer.read_offset(tp) for tp in agent.inputs] == [6, 1]
            assert [consumer._new_offset(tp) for tp in agent.inputs] == [None, None]
            kafka.there.set()
            async with asyncio.timeout(10):
                await publishing
            assert kafka.taken == [b"open"]
            assert [consumer._new_offset(tp) for tp in agent.inputs] == [6, 1]
            findings = next(iter(agent.inputs))
            await consumer.place(findings, 2)
            assert consumer._new_offset(findings) is None, "read again: what was said of before counts no more"
            consumer.assignment = set
            agent.published("findings", 7)
            assert consumer._new_offset(findings) is None, "what another worker has is not this one's to commit"

    asyncio.run(story())


async def before(store: IncidentStore) -> None:
    """An owner decided by six findings and an action, and Kafka did not take its document."""
    begun = await store.take(topics=("findings", "actions"), owner="before:1")
    ids = dict.fromkeys(("findings", "actions"), "id")
    await store.place(begun.epoch, offsets={"findings": 6, "actions": 1}, topic_ids=ids)
    redis: Any = store.redis
    await redis.hset(store.names.incidents("documents"), "inc-1", b"open")
    await redis.xadd(store.names.incidents("outbox"), {"id": "inc-1"})


def agent_of(redis: redis_async.Redis, names: Names) -> tuple[IncidentAgent, Any]:
    """An agent with a consumer that is assigned both inputs, without Kafka."""
    owner = Owner(IncidentStore(redis, names), lock_step=False, patience=Patience(), tally=OwnerTally())
    following: Any = SimpleNamespace(policy=POLICY, announced=(), first=asyncio.Event(), recall=lambda _: False)
    following.refresh = lambda: asyncio.sleep(0)
    following.first.set()

    async def survey(tps: set[TP]) -> dict[TP, Log]:
        return {tp: Log(0, 100, "id", None) for tp in tps}

    agent = IncidentAgent(
        owner, cast(Configured, following), survey=survey, letters=cast(DeadLetters, None), who="test:1"
    )
    consumer = bare_consumer(queue=asyncio.Event())
    consumer.assignment = lambda: set(agent.inputs)
    return agent, consumer
