"""The incident agent's body and what follows from an assignment of its inputs, ``findings`` and ``actions``.

Both have one partition and are in one co-partitioned group, so partition 0 of both is on one worker, which is the owner.  At
every assignment the owner's memory is dropped, a new epoch taken and the inputs placed where the stored turns end.  On a
broker that made more partitions by itself only partition 0 is read; that is where everything is written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from aiokafka.errors import KafkaError
from faust.types import TP

from alerting.breadth import summed
from alerting.policy import Policy
from alerting.records import restored
from alerting.register import calls
from alerting.state import State
from schemas.names import Names
from stream import asking
from stream.incidents.configured import Configured
from stream.incidents.damaged import places, read, undecided
from stream.incidents.feeding import Broken
from stream.incidents.inbox import EventInbox, Inbox
from stream.incidents.live_inbox import LiveInbox
from stream.incidents.owner import Owner
from stream.incidents.restoring import Memory, NotRecalled, write_ended
from stream.incidents.store import Begun, Turn
from stream.incidents.tenure import Tenure
from stream.ingest.buffer import Rejection
from stream.ingest.dead_letters import DeadLetters
from stream.state.epochs import Log, Resume, Stored, resume
from stream.transport import Run, RunConsumer

log = logging.getLogger(__name__)

INPUTS = ("findings", "actions")
PARTITION = 0
Survey = Callable[[set[TP]], Awaitable[Mapping[TP, Log]]]


class IncidentAgent:
    """Connects the consumer with the owner; ``who`` tells operators which process owns."""

    def __init__(
        self, owner: Owner, configured: Configured, *, survey: Survey, letters: DeadLetters, who: str,
        memory: Memory | None = None,
    ) -> None:  # fmt: skip
        self.owner, self._configured, self._survey, self._who = owner, configured, survey, who
        self._letters, self._memory = letters, memory
        self.consumer: RunConsumer | None = None
        self._placements: dict[TP, int] = {}
        self._orphaned = False
        owner.lost = self._lost
        owner.refused = self._put_aside
        self._turned = asyncio.Event()
        owner.listeners.append(self._turned)

    @property
    def _names(self) -> Names:
        return self.owner.store.names

    @property
    def inputs(self) -> dict[TP, str]:
        """The partitions that are read, and the plain names of their topics."""
        return {TP(self._names.topic(name), PARTITION): name for name in INPUTS}

    def is_input(self, tp: TP) -> bool:
        """Whether a partition is of one of the agent's topics."""
        return tp.topic in {mine.topic for mine in self.inputs}

    async def take(self, consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        """What the transport asks at every assignment: where to read each partition from."""
        self.consumer = consumer
        # What was decided by them may be stored and not be on the topic ``incidents`` yet (``published``).
        consumer.commit_later(self.inputs)
        self.owner.end()
        self._placements = {}
        held = {tp for tp in tps if tp in self.inputs}
        self._note_unowned(held)
        if len(held) != len(INPUTS):
            return {}
        await self._configured.refresh()
        try:
            placed = await self._begin(await self._survey(held))
        except NotRecalled as why:
            log.error("incidents have no owner until Kafka says what it has of them: %s", why)
            return {}  # ``reclaim`` asks again
        self._placements = {tp: consumer.placement(tp) + 1 for tp in placed}
        return placed

    async def receive(self, run: Run) -> None:
        """Hand a run to the owner, unless it was read under a placement that has ended; waits for a first configuration.

        It waits for room as well: meanwhile Faust's queue fills, and what does not go into that is not fetched.
        """
        await self._configured.first.wait()
        name = self.inputs.get(run.tp)
        tenure = self.owner.tenure
        if name is None or tenure is None or not self._is_current(run):
            return
        await self._room(tenure)
        if not self._is_current(run):
            return
        arrivals, refused = read(run, name, epoch=tenure.epoch)
        if refused:
            await self._refuse(refused)
        if self._is_current(run):  # to keep a dead letter may have taken a while
            self.owner.add(arrivals)

    async def _room(self, tenure: Tenure) -> None:
        while tenure.live and tenure.inbox.full:
            self._turned.clear()
            await self._turned.wait()

    def _is_current(self, run: Run) -> bool:
        return self._placements.get(run.tp) == run.placement

    async def _refuse(self, refused: Sequence[Rejection]) -> None:
        log.error("damaged and left out, see `driftline dlq ls`: %s", places(refused))
        await self._keep(refused)

    async def _put_aside(self, tenure: Tenure, broken: Sequence[Broken]) -> None:
        tps = {name: tp for tp, name in self.inputs.items()}
        await self._keep([undecided(tps[one.arrival.topic], one, epoch=tenure.epoch) for one in broken])

    async def _keep(self, refused: Sequence[Rejection]) -> None:
        self.owner.tally.damaged += len(refused)
        self._letters.add(refused)
        await self._letters.settle()

    async def reclaim(self) -> None:
        """Ask for a new group generation where both inputs are assigned and nobody owns (the second time it is seen)."""
        consumer = self.consumer
        if consumer is None or consumer.is_placing:
            return
        self._note_unowned(consumer.assignment() & set(self.inputs))
        tenure, assigned = self.owner.tenure, set(self.inputs) <= consumer.assignment()
        if tenure is not None and not assigned:
            self.owner.end()
        placed = tenure is not None and all(consumer.read_offset(tp) is not None for tp in self.inputs)
        orphaned, self._orphaned = self._orphaned, assigned and not placed
        if orphaned and self._orphaned:
            self._orphaned = False
            log.error("the incidents' inputs are assigned and nobody owns them; asking the group again")
            await self._rejoin(consumer)

    async def _begin(self, logs: Mapping[TP, Log]) -> Mapping[TP, int]:
        store, patiently = self.owner.store, self.owner.patience
        begun = await patiently(lambda: store.take(topics=INPUTS, owner=self._who))
        begun = await self._recalled(begun, logs)
        decided = {tp: _resumed(tp, begun, logs[tp], name=name) for tp, name in self.inputs.items()}
        offsets = {name: decided[tp].offset for tp, name in self.inputs.items()}
        ids = {name: logs[tp].topic_id for tp, name in self.inputs.items()}
        await patiently(lambda: store.place(begun.epoch, offsets=offsets, topic_ids=ids))
        state = await self._state(begun)
        self.owner.begin(self._tenure(begun, state, offsets=offsets))
        return {tp: one.offset for tp, one in decided.items()}

    async def _recalled(self, begun: Begun, logs: Mapping[TP, Log]) -> Begun:
        """Where nothing is stored at all: what Kafka has of it, stored as the first turn, and inputs as the group had read them.

        A replay decides all again, in event time's order, so it takes nothing back.
        """
        known = any(stored.next_offset is not None for stored in begun.inputs.values())
        if self._memory is None or self.owner.lock_step or begun.turn or known:
            return begun
        store, patiently = self.owner.store, self.owner.patience
        now_ms = await patiently(store.now_ms)
        found = await self._memory.recalled(now_ms=now_ms)
        if not found:
            return begun
        await patiently(lambda: write_ended(store, found))
        writes = await asyncio.to_thread(lambda: list(found.writes()))  # of a storm it may be a hundred thousand
        turn = Turn(begun.epoch, 1, writes=writes)
        if await patiently(lambda: store.commit(turn)) != "stored":
            return begun
        log.warning(
            "nothing was stored of incidents: %d open ones, %d silences and %d that have ended are back from Kafka",
            len(found.documents), len(found.silences), len(found.ended),
        )  # fmt: skip
        if found.strangers:  # of an older program: only its findings bring them back
            return replace(begun, turn=1, records=found.records)
        inputs = {name: _read_before(logs[tp], begun.inputs[name]) for tp, name in self.inputs.items()}
        return replace(begun, turn=1, records=found.records, inputs=inputs)

    async def _state(self, begun: Begun) -> State:
        """What is stored, under the policy that is followed; read on a thread, for it may be much."""
        read_ = _summed if self._configured.first.is_set() else restored
        state = await asyncio.to_thread(read_, begun.records, self._configured.policy)
        if not self._configured.recall(state.entries.values()):
            return state
        return await asyncio.to_thread(read_, begun.records, self._configured.policy)

    def _tenure(self, begun: Begun, state: State, *, offsets: dict[str, int]) -> Tenure:
        doubtful = {call.entry for call in calls(state, state.now) if call.doubt}
        return Tenure(
            begun.epoch, begun.turn, state, state.now, self._inbox(begun, offsets), dict(offsets), time.monotonic(),
            doubtful=doubtful, marks=dict(begun.marks), unread=None if self._configured.first.is_set() else begun.records,
        )  # fmt: skip

    def _note_unowned(self, held: set[TP]) -> None:
        """One input without the other: neither this worker nor the one that has the other can decide about pages."""
        self.owner.tally.unowned = len(held) == 1
        for tp in held if self.owner.tally.unowned else ():
            missing = next(other for other in self.inputs if other != tp)
            log.error(
                "incidents have no owner, so nobody is paged: this worker is assigned %s:%d and not %s:%d",
                tp.topic, tp.partition, missing.topic, missing.partition,
            )  # fmt: skip

    def _inbox(self, begun: Begun, offsets: Mapping[str, int]) -> Inbox:
        if not self.owner.lock_step:
            return LiveInbox(offsets)
        return EventInbox(offsets, announced=self._configured.announced, marks=begun.marks)

    def published(self, name: str, offset: int) -> None:
        """Kafka has everything that was decided by an input up to here, so the group's offset may say so."""
        tp = TP(self._names.topic(name), PARTITION)
        if self.consumer is not None and tp in self.consumer.assignment():
            self.consumer.stored(tp, offset)

    async def _lost(self, tenure: Tenure) -> None:
        """Another owner has taken over, or Redis went back in time: only a new assignment decides who goes on."""
        if self.consumer is not None:
            for tp in self.inputs:
                self.consumer.displace(tp)
            await self._rejoin(self.consumer)

    async def _rejoin(self, consumer: RunConsumer) -> None:
        try:
            await asking.rejoin(consumer)
        except KafkaError as error:
            log.warning("the group cannot be asked now: %r", error)  # ``reclaim`` asks again


def _read_before(found: Log, stored: Stored) -> Stored:
    """Where the group had read to, as far as that is there: what was decided by then is in the documents."""
    if found.committed is None:
        return stored
    offset = min(max(found.committed, found.start), found.end)
    return replace(stored, next_offset=offset, topic_id=found.topic_id)


def _summed(records: Mapping[str, bytes], policy: Policy) -> State:
    state = restored(records, policy)
    try:
        return summed(state)
    except Exception as bug:  # only the first step is dearer
        log.error("a bug: incidents are not summed beforehand", exc_info=bug)
        return state


def _resumed(tp: TP, begun: Begun, found: Log, *, name: str) -> Resume:
    decided = resume(begun.inputs[name], found)
    if decided.happened:
        log.error(
            "%s: %s; reading on from offset %d (%d records lost)", tp, decided.happened, decided.offset, decided.lost
        )
    return decided
