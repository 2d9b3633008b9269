"""The ingest agent's body and what follows from an assignment: runs in, counts and checkpoints out.

Everything an agent does happens here, so that the agent itself is three lines; nothing here raises for what a record holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.names import TOPICS_IN, Stream
from stream import asking
from stream.ingest.checkpoint import Checkpointer, Followers
from stream.ingest.counter import Counter
from stream.ingest.dead_letters import DeadLetters
from stream.ingest.ownership import Ownership
from stream.ingest.tenure import Tenure
from stream.state.patience import Patience
from stream.transport import Run, RunConsumer

log = logging.getLogger(__name__)

#: Changed panes of one partition that make a checkpoint of their own: one script call holds all of a checkpoint.
MOST_CHANGED = 2000


#: Why partitions are held back: they run ahead of the others in event time, or their models are over their quota.
Hold = Literal["ahead", "quota"]
HOLDS: tuple[Hold, ...] = get_args(Hold)


class Intake:
    """Connects the consumer with counting; ``consumer`` is set once Faust has made it, the parts beside it once they are built."""

    def __init__(
        self, counter: Counter, ownership: Ownership, *, patience: Patience, configured: asyncio.Event
    ) -> None:
        self.counter, self.ownership, self.patience = counter, ownership, patience
        self._configured = configured
        self.consumer: RunConsumer | None = None
        self.checkpointer: Checkpointer | None = None
        self.letters: DeadLetters | None = None
        self.assigned = False
        self._orphans: set[TP] = set()
        self._held: dict[Hold, frozenset[TP]] = {}
        self._taking = asyncio.Lock()

    async def receive(self, run: Run) -> None:
        """Count a run, unless it was read under a placement that has ended.

        Waits while Redis does not answer, and before the first configuration: without one every event would be refused.
        """
        await self._configured.wait()
        await self.patience.answers.wait()
        tenure = self.ownership.tenures.get(run.tp)
        if tenure is None or run.placement != tenure.placement or self.checkpointer is None:
            return
        if run.records[0].offset > tenure.read + 1:
            await self._note_gap(run, tenure)
        while tenure.live and tenure.read <= run.records[-1].offset:
            await self.counter.add(run, tenure)
            if self.counter.full:
                await self.checkpointer.relieve()
            elif len(tenure.changed) > MOST_CHANGED or (self.letters is not None and self.letters.crowded):
                await self.checkpointer.run_for(tenure)

    async def take(self, consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        """What the transport asks at every assignment: where to read each partition from."""
        self.consumer = consumer
        async with self._taking:
            placed = await self.ownership.take(tps, placement=consumer.placement)
        self.assigned = True
        return placed

    def partitions(self, stream: Stream) -> int | None:
        """How many partitions a stream's topic has, whoever reads them; None while that is not known."""
        if self.consumer is None:
            return None
        return self.consumer.topic_partitions(self.ownership.names.topic(stream))

    async def reclaim(self) -> None:
        """Ask for a new group generation where a partition is assigned and not held.

        It was fenced, or its assignment was cut short.
        """
        consumer = self.consumer
        if consumer is None or consumer.is_placing:
            return
        topics = set(map(self.ownership.names.topic, TOPICS_IN))  # other agents' inputs are theirs to ask for
        assigned = {tp for tp in consumer.assignment() if tp.topic in topics}
        tenures = self.ownership.tenures
        for tp in set(tenures) - assigned:
            self.ownership.drop(tenures[tp])  # an empty assignment asks for nothing to be taken
        orphans = {tp for tp in assigned if tp not in tenures or consumer.read_offset(tp) is None}
        waited, self._orphans = orphans & self._orphans, orphans
        if waited:
            log.error("%s assigned but not held; asking the group again", ", ".join(map(str, sorted(waited))))
            self._orphans = set()
            await self._rejoin(consumer)

    async def check_topics(self, ids: Mapping[str, str | None]) -> None:
        """Ask for a new group generation where a topic has another id than when it was taken.

        One that is deleted and created anew between two looks at the cluster's metadata shows by nothing else: the consumer
        would wait behind its end, or read on in the middle of it.
        """
        tenures = self.ownership.tenures.values()
        anew = {one.tp.topic for one in tenures if one.topic_id and ids.get(one.tp.topic) not in (None, one.topic_id)}
        if anew and self.consumer is not None:
            log.error("%s created anew; asking the group again", ", ".join(sorted(anew)))
            await self._rejoin(self.consumer)

    async def _note_gap(self, run: Run, tenure: Tenure) -> None:
        """Offsets jumped: compaction and transactions leave gaps, and so does retention, which lost events unread."""
        if self.consumer is None:
            return
        try:
            start, _ = (await asking.positions(self.consumer, {run.tp}))[run.tp]
        except KafkaError as error:
            log.warning("%s: offsets jump from %d and Kafka does not say why: %r", run.tp, tenure.read, error)
            return
        if start > tenure.read:
            await self.ownership.note_loss(tenure, first=tenure.read, lost=start - tenure.read)

    def hold(self, why: Hold, tps: Iterable[TP]) -> None:
        """Hold back exactly these partitions for this reason; what is held for another one stays."""
        self._held[why] = frozenset(tps)
        if self.consumer is not None:
            self.consumer.hold(frozenset().union(*self._held.values()))

    def held(self, why: Hold) -> frozenset[TP]:
        """The partitions that are held back for this reason."""
        return self._held.get(why, frozenset())

    def free(self) -> list[Tenure]:
        """The partitions that are read now: all but those held back."""
        held = self.consumer.held if self.consumer is not None else set()
        return [tenure for tp, tenure in self.ownership.tenures.items() if tp not in held]

    def unread(self, tenure: Tenure) -> int | None:
        """Records of a partition that are not counted yet; None before its end is known."""
        consumer = self.consumer
        end = consumer.log_end(tenure.tp) if consumer is not None else None
        if consumer is None or end is None:
            return None
        delivered = consumer.read_offset(tenure.tp) == tenure.read
        return 0 if delivered and consumer.reached_end(tenure.tp) else max(0, end - tenure.read)

    def followers(self) -> Followers:
        """What becomes of a checkpoint: Kafka's offset follows, or the partition is given up or read again."""
        return Followers(self._stored, self._fenced, self._elsewhere, at_end=lambda tenure: self.unread(tenure) == 0)

    def _stored(self, tenure: Tenure) -> None:
        if self.consumer is not None:
            self.consumer.stored(tenure.tp, tenure.stored)

    async def _fenced(self, tenure: Tenure) -> None:
        """Another owner holds the partition: not to be taken again without a new generation of the group."""
        if self.consumer is not None:
            self.consumer.displace(tenure.tp)
            await self._rejoin(self.consumer)

    async def _rejoin(self, consumer: RunConsumer) -> None:
        try:
            await asking.rejoin(consumer)
        except KafkaError as error:
            log.warning("the group cannot be asked now: %r", error)  # ``reclaim`` asks again

    async def _elsewhere(self, tenure: Tenure) -> None:
        """The stored state is not where we left it (Redis went back in time): read again from where it is."""
        consumer = self.consumer
        if consumer is None:
            return
        consumer.displace(tenure.tp)
        async with self._taking:
            # An assignment that came meanwhile has taken the partition, or given it to somebody else.
            if tenure.tp in self.ownership.tenures or tenure.tp not in consumer.assignment():
                return
            try:
                placed = await self.ownership.retake([tenure.tp], placement=consumer.placement)
                for tp, offset in placed.items():
                    await consumer.place(tp, offset)
            except KafkaError as error:
                log.warning("%s is left to the next assignment: %r", tenure.tp, error)
