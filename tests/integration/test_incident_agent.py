"""The incident agent on a real Redis: what it does with an assignment, with half of one, and with damaged records."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import redis.asyncio as redis_async
from faust.types import TP

from alerting.inputs import Input
from alerting.state import State
from alerting.step import step
from schemas import actions, answers, findings
from schemas.actions import AddSilence
from schemas.answers import Answer
from schemas.names import Names
from stream.incidents import feeding
from stream.incidents.agent import IncidentAgent
from stream.incidents.configured import Configured
from stream.incidents.owner import Owner
from stream.incidents.restoring import Memory, NotRecalled, Remembered
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.ingest.buffer import Rejection
from stream.ingest.dead_letters import DeadLetters, Masking, key_of, letters_of
from stream.records import Run
from stream.state.epochs import Log
from stream.state.patience import Patience
from stream.transport import RunConsumer
from tests.support.incident_owner import POLICY, finding

PLAIN = Masking(10_000, unmasked=True)


@dataclass
class Letters:
    """What would go to the topic, and whether it was waited for."""

    added: list[Rejection] = field(default_factory=list)
    settled: int = 0

    def add(self, rejections: Sequence[Rejection]) -> None:
        self.added += rejections

    async def settle(self) -> None:
        self.settled = len(self.added)


@dataclass
class Consumer:
    """A consumer that is assigned what the test says; nothing of it waits to be placed."""

    is_placing = False

    assigned: set[TP] = field(default_factory=set)

    def placement(self, tp: TP) -> int:
        return 0

    def assignment(self) -> set[TP]:
        return self.assigned

    def read_offset(self, tp: TP) -> int | None:
        return 0

    def commit_later(self, tps: Iterable[TP]) -> None:
        """Nothing is committed here."""


class Following:
    """A configuration that is there."""

    policy, announced = POLICY, ()

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.first.set()

    async def refresh(self) -> bool:
        return True

    def recall(self, entries: object) -> bool:
        return False


@dataclass
class Site:
    """An agent, without Kafka."""

    agent: IncidentAgent
    consumer: Consumer
    letters: Letters

    @property
    def tally(self) -> OwnerTally:
        return self.agent.owner.tally

    def tp(self, name: str, partition: int = 0) -> TP:
        return TP(self.agent.owner.store.names.topic(name), partition)

    async def assign(self, *tps: TP) -> dict[TP, int]:
        self.consumer.assigned = set(tps)
        return dict(await self.agent.take(cast(RunConsumer, self.consumer), set(tps)))


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Callable[[Site], Awaitable[None]]], None]:
    async def run(story: Callable[[Site], Awaitable[None]]) -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            store = IncidentStore(redis, Names(environment_name))
            owner = Owner(store, lock_step=False, patience=Patience(), tally=OwnerTally())
            letters = Letters()

            async def survey(tps: set[TP]) -> dict[TP, Log]:
                return {tp: Log(0, 100, "id", None) for tp in tps}

            agent = IncidentAgent(
                owner, cast(Configured, Following()), survey=survey, letters=cast(DeadLetters, letters), who="test:1"
            )
            await story(Site(agent, Consumer(), letters))

    return lambda story: asyncio.run(run(story))


def test_of_the_four_partitions_that_the_embedded_broker_makes_only_the_first_is_read(told: Any) -> None:
    async def story(site: Site) -> None:
        everything = [site.tp(name, number) for name in ("findings", "actions") for number in range(4)]
        assert await site.assign(*everything) == {site.tp("findings"): 0, site.tp("actions"): 0}
        assert (site.tally.owning, site.tally.unowned) == (True, False)
        others = [site.tp(name, number) for name in ("findings", "actions") for number in (1, 2, 3)]
        assert await site.assign(*others) == {}
        assert (site.tally.owning, site.tally.unowned) == (False, False), "another worker has the first of both"

    told(story)


@pytest.mark.parametrize(("given", "missing"), [("findings", "actions"), ("actions", "findings")])
def test_a_worker_that_gets_one_input_without_the_other_says_that_nobody_owns(
    told: Any, caplog: pytest.LogCaptureFixture, given: str, missing: str
) -> None:
    async def story(site: Site) -> None:
        both = (site.tp("findings"), site.tp("actions"))
        assert await site.assign(site.tp(given)) == {}
        assert (site.tally.owning, site.tally.unowned) == (False, True)
        said = f"incidents have no owner, so nobody is paged: this worker is assigned {site.tp(given).topic}:0"
        assert caplog.messages == [f"{said} and not {site.tp(missing).topic}:0"]
        await site.agent.reclaim()
        assert len(caplog.messages) == 2, "said again for as long as it is so"
        await site.assign(*both)
        assert (site.tally.owning, site.tally.unowned) == (True, False)
        await site.agent.reclaim()
        await site.assign()
        assert (site.tally.owning, site.tally.unowned) == (False, False)

    with caplog.at_level(logging.ERROR):
        told(story)


def test_while_kafka_does_not_say_what_it_has_of_incidents_nobody_owns_them_and_it_is_asked_again(told: Any) -> None:
    class Away:
        """Kafka, gone between two questions."""

        asked = 0

        async def recalled(self, *, now_ms: int) -> Remembered:
            self.asked += 1
            if self.asked < 3:
                raise NotRecalled("all brokers are down")
            return Remembered({})

    async def story(site: Site) -> None:
        both = (site.tp("findings"), site.tp("actions"))
        site.agent._memory = cast(Memory, Away())
        for _ in range(2):
            assert await site.assign(*both) == {}
            assert not site.tally.owning
        assert await site.assign(*both) == dict.fromkeys(both, 0)
        assert site.tally.owning

    told(story)


@dataclass(frozen=True)
class Raw:
    """A record of an input."""

    topic: str
    offset: int
    value: bytes | None
    partition: int = 0
    timestamp: int = 1_700_000_000_000
    key: bytes | None = None


def test_damaged_records_become_dead_letters_before_their_offsets_are_passed(told: Any) -> None:
    good = findings.encode(finding())
    values = [good, b'{"key": "secret"', b"[]", None, findings.encode(finding(hours=1))]

    async def story(site: Site) -> None:
        await site.assign(site.tp("findings"), site.tp("actions"))
        tp = site.tp("findings")
        records = [Raw(tp.topic, offset, value) for offset, value in enumerate(values)]
        await site.agent.receive(Run(tp, 1, cast(Any, records)))
        assert [(one.record.offset, one.reason) for one in site.letters.added] == [
            (1, "not_json"), (2, "not_an_event"), (3, "tombstone"),
        ]  # fmt: skip
        assert site.letters.settled == 3
        assert [key_of(one) for one in site.letters.added] == [
            f"{tp.topic}:0:{offset}".encode() for offset in (1, 2, 3)
        ]
        assert b"secret" not in b"".join(value for _, value in letters_of(site.letters.added[:1], Masking(2000, False)))
        assert site.tally.damaged == 3
        tenure = site.agent.owner.tenure
        assert tenure is not None
        assert len(tenure.inbox) == 5

    told(story)


def test_an_input_at_which_the_core_raises_is_put_aside_and_everything_else_goes_on(
    told: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise every worker would read it again, and end."""

    def wrong(state: State, given: Input, now: int) -> State:
        if isinstance(given, AddSilence) or getattr(given, "feature", "") == "dewp":
            raise KeyError("no such node")
        return step(state, given, now)

    monkeypatch.setattr(feeding, "step", wrong)
    silence = AddSilence(silence="s", matchers=(), starts=1, ends=2, by="ann", at=7, nonce="n-1")
    said = [findings.encode(finding(feature)) for feature in ("temp", "dewp", "temp")]

    async def story(site: Site) -> None:
        await site.assign(site.tp("findings"), site.tp("actions"))
        owner, (found, acted) = site.agent.owner, (site.tp("findings"), site.tp("actions"))
        records = [Raw(found.topic, offset, value) for offset, value in enumerate(said)]
        await site.agent.receive(Run(found, 1, cast(Any, records)))
        await site.agent.receive(Run(acted, 1, cast(Any, [Raw(acted.topic, 0, actions.encode(silence))])))
        await owner.run()
        assert owner.tenure is not None
        assert [one.members.keys() for one in owner.tenure.state.incidents.values()] == [{finding("temp").key}]
        assert owner.tenure.stored == {"findings": 3, "actions": 1}, "passed, for every owner to come"
        assert (site.letters.settled, site.tally.damaged, site.tally.findings["firing"]) == (2, 2, 2)
        stored: Any = await owner.store.redis.get(owner.store.names.incidents("answer", "n-1"))
        assert answers.decode(stored) == Answer(
            False, "a bug of driftline kept it from being done, and nothing was changed; `driftline dlq ls` shows it"
        )
        undone, lost = (json.loads(value) for one in site.letters.added for _, value in letters_of([one], PLAIN))
        assert (lost["topic"], lost["partition"], lost["offset"], lost["reason"]) == (found.topic, 0, 1, "not_an_event")
        assert lost["detail"] == "a bug, nothing is decided by it: KeyError: 'no such node'"
        assert lost["payload"].encode() == said[1]
        assert (undone["topic"], undone["offset"], undone["at_ms"]) == (acted.topic, 0, 7)

    with caplog.at_level(logging.ERROR):
        told(story)
    assert caplog.messages == [f"a bug: nothing is decided by {place}" for place in ("actions:0:0", "findings:0:1")]
    assert all(record.exc_info for record in caplog.records)


def test_a_damaged_record_of_an_assignment_that_has_ended_meanwhile_is_not_fed_to_the_next(told: Any) -> None:
    async def story(site: Site) -> None:
        tps = (site.tp("findings"), site.tp("actions"))
        await site.assign(*tps)

        async def meanwhile() -> None:
            site.consumer.placement = lambda tp: 1  # type: ignore[method-assign]
            await site.assign(*tps)

        site.letters.settle = meanwhile  # type: ignore[method-assign]
        await site.agent.receive(Run(tps[0], 1, cast(Any, [Raw(tps[0].topic, 0, b"")])))
        tenure = site.agent.owner.tenure
        assert tenure is not None
        assert len(tenure.inbox) == 0

    told(story)
