"""The Kafka transport: Faust's aiokafka driver, but one Faust event per fetched run of records.

With ``fetching.py`` the only file that touches Faust's and aiokafka's private names;
``tests/unit/stream/test_transport_contract.py`` fails when a release changes one of them.  What it promises:

* an agent receives ``Run``: the records one fetch returned for one partition, in offset order;
* nothing is delivered before ``perform_seek`` has placed every assigned partition where its *stored* state ends;
* Kafka's committed offset follows what was stored (``stored``), and never runs ahead of it;
* group errors that aiokafka parks silently are raised and counted;
* short runs make the fetch loop pause a moment, so that a trickle does not cost a full loop per record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar, cast

import faust
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from stream.fetching import FetchThread
from stream.records import Record as Record
from stream.records import Records as Records
from stream.records import Run as Run

SCHEME = "runs"
GROUP_CHECK_S = 2.0


Take = Callable[["RunConsumer", set[TP]], Awaitable[Mapping[TP, int]]]
GroupError = Callable[[BaseException], None]


class RunSchema(faust.Schema):  # type: ignore[type-arg]
    """Hands a run to the agent untouched: decoding is ours, so that a bad record never reaches Faust's error path."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        return message.key

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        return message.value


class RunConsumer(driver.Consumer):
    """Delivers runs, resumes from stored offsets, commits what was stored.

    ``take`` (set by the app before start) is asked at every assignment for the offset to read from, for *all*
    assigned partitions, kept ones too: panes kept in memory across a rebalance are wrong although every fence passes.
    """

    take: ClassVar[Take]
    on_group_error: ClassVar[GroupError]
    short_run_pause_s: ClassVar[float] = 0.1
    max_run_records: ClassVar[int] = 2000

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored: dict[TP, int] = {}
        self._placements: dict[TP, int] = {}
        self._later: set[TP] = set()
        self.held: set[TP] = set()  # not fetched for a while, see ``hold``
        self._seeking: int = 0

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Place every assigned partition at the offset its stored state ends with."""
        self._seeking += 1
        try:
            await self._place_all(self.assignment())
        finally:  # one that another assignment cuts short may end after that one has begun
            self._seeking -= 1

    @property
    def is_placing(self) -> bool:
        """Whether an assignment waits to be placed: asking for another would only begin it anew."""
        return self._seeking > 0

    async def _place_all(self, assigned: set[TP]) -> None:
        for tp in assigned:
            self.displace(tp)
        placed = await type(self).take(self, assigned)
        for tp, offset in placed.items():
            await self.place(tp, offset)
        self.held &= assigned
        if self.held:
            self.pause_partitions(self.held)  # Faust resumes them all at an assignment

    def displace(self, tp: TP) -> None:
        """Refuse everything read or queued so far of ``tp``, until ``place``."""
        self._placements[tp] = self._placements.get(tp, 0) + 1
        self._read_offset[tp] = None

    async def place(self, tp: TP, offset: int) -> None:
        """Read ``tp`` from ``offset`` next, and refuse whatever was read before.

        The seek is explicit, because Faust's own helper skips a seek to 0.
        """
        await self._seek_to(tp, offset)
        self.displace(tp)
        self._read_offset[tp] = offset
        self._stored.pop(tp, None)
        if tp not in self._later:
            self._stored[tp] = offset
        self._committed_offset[tp] = None

    def placement(self, tp: TP) -> int:
        """The number that runs of ``tp`` must carry to be current."""
        return self._placements.get(tp, 0)

    async def _seek_to(self, tp: TP, offset: int) -> None:
        consumer = self._thread._ensure_consumer()

        async def seek() -> None:
            consumer.seek(tp, offset)

        await self._thread.call_thread(seek)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._pause_if_short(await self._deliver_fetch())
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.transport.app.should_stop:  # else Faust crashes what is cancelled while partitions move
                raise

    async def _deliver_fetch(self) -> int:
        """One fetch: deliver a run a partition; returns how many records it held."""
        before = dict(self._placements)
        records, _ = await self._wait_next_records(1.0)
        generation = self.app.consumer_generation_id
        count = 0
        for tp, found in cast(Mapping[TP, Records], records or {}).items():
            if not self.flow_active or generation != self.app.consumer_generation_id:
                break
            if await self._is_current(tp, found, placement=before.get(tp, 0)):
                count += await self._deliver(tp, found)
        return count

    async def _is_current(self, tp: TP, found: Records, *, placement: int) -> bool:
        """A fetch that overlapped a ``place`` may hold records from before it: those are read again."""
        expected = self._read_offset[tp]
        if expected is None:
            return False
        if placement == self.placement(tp) or found.offsets[0] == expected:
            return True
        await self._seek_to(tp, expected)
        return False

    async def _deliver(self, tp: TP, found: Records) -> int:
        fresh = found.behind(cast(int, self._read_offset[tp]))
        if fresh:
            run = Run(tp, self.placement(tp), fresh)
            message = _message(run, generation=self.app.consumer_generation_id)
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            if run.placement == self.placement(tp):  # else it was placed elsewhere while the agent's queue was full
                self._read_offset[tp] = fresh.next_offset
        return len(fresh)

    async def _pause_if_short(self, count: int) -> None:
        if 0 < count < self.max_run_records // 2:
            await self.sleep(self.short_run_pause_s)

    def ack(self, message: Any) -> bool:
        """Faust's per-message ack means nothing here: only what was stored may be committed (``stored``)."""
        self._unacked_messages.discard(message)
        message.acked = True
        return False

    def stored(self, tp: TP, offset: int) -> None:
        """The state store holds everything of ``tp`` below ``offset``."""
        self._stored[tp] = offset

    def commit_later(self, tps: Iterable[TP]) -> None:
        """Of these the place where they are read from says nothing: nothing is committed before ``stored`` was called."""
        self._later = set(tps)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        return [tp for tp in self._stored if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        # Replaces the gap arithmetic that commits past a hole of one: faust-streaming/faust#606.
        return self._stored.get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        for tp in revoked:
            self._stored.pop(tp, None)
        await super().on_partitions_revoked(revoked)

    def hold(self, tps: Iterable[TP]) -> None:
        """Stop fetching exactly these partitions of those assigned (they run too far ahead); others are resumed."""
        wanted = set(tps) & self.assignment()
        resumed, paused = self.held - wanted, wanted - self.held
        self.held = wanted
        if resumed:
            self.resume_partitions(resumed & self.assignment())
        if paused:
            self.pause_partitions(paused)

    def on_buffer_drop(self, tp: TP) -> None:
        """Room in the agent's queue resumes a partition, in Faust's book even one that is held."""
        super().on_buffer_drop(tp)
        if tp in self.held:
            self.pause_partitions({tp})

    def log_end(self, tp: TP) -> int | None:
        """Where reading ends, as the last fetch reported it: before transactions still open; None until one did."""
        state = self._state(tp)
        ends = [end for end in (state.highwater, state.lso) if end is not None and end >= 0] if state else []
        return min(ends, default=None)

    def end_heard_ms(self, tp: TP) -> int | None:
        """When a fetch last reported where reading ends (epoch ms, this machine's clock); None until one did."""
        state = self._state(tp)
        return state.timestamp if state else None

    def reached_end(self, tp: TP) -> bool:
        """Whether the fetcher stands at the end: what ends a transaction takes an offset and is no record."""
        state, end = self._state(tp), self.log_end(tp)
        return bool(state) and end is not None and state.has_valid_position and state.position >= end

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions a topic has; Faust's own answer is known only to the member that leads the group."""
        consumer = self._thread._consumer
        found = consumer.partitions_for_topic(topic) if consumer is not None else None
        return len(found) if found else None

    def _state(self, tp: TP) -> Any:
        """aiokafka's state of a partition; None where it is not assigned (its own questions raise then)."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription else None
        return assignment.state_value(tp) if assignment and tp in assignment.tps else None

    def read_offset(self, tp: TP) -> int | None:
        """The offset delivery has reached."""
        return self._read_offset[tp]

    @Service.task
    async def _surface_group_errors(self) -> None:
        # aiokafka parks its coordinator on an unexpected group error until somebody calls check_errors;
        # Faust never does, so the worker would sit without an assignment for ever.
        while not self.should_stop:
            await self.sleep(GROUP_CHECK_S)
            try:
                await self._thread.call_thread(self._check_group)
            except KafkaError as error:
                self.log.error("group error: %r", error)
                type(self).on_group_error(error)

    async def _check_group(self) -> None:
        consumer = self._thread._consumer
        if consumer is not None:
            consumer._coordinator.check_errors()


class RunTransport(driver.Transport):
    """The aiokafka transport with ``RunConsumer``; brokers are named ``runs://host:port``."""

    Consumer = RunConsumer


def _message(run: Run, *, generation: int) -> ConsumerMessage:
    tp, records = run.tp, run.records
    value = cast(Any, run)  # Faust types a message's value as bytes; it hands it through untouched.
    return ConsumerMessage(
        tp.topic, tp.partition, records.next_offset - 1, int(records.timestamps[-1]) / 1000.0, 0, [], None, value,
        None, 0, 0, tp, generation_id=generation,
    )  # fmt: skip


def broker_url(bootstrap: str) -> list[str]:
    """``host:port,host:port`` as the list of URLs that select this transport."""
    return [f"{SCHEME}://{host.strip()}" for host in bootstrap.split(",") if host.strip()]


def install(
    take: Take, on_group_error: GroupError, *, short_run_pause_s: float, max_run_records: int, urgent: Iterable[str] = ()
) -> None:  # fmt: skip
    """Register the transport with Faust and give its consumer what it asks; ``urgent`` topics are read before others."""
    RunConsumer.take = staticmethod(take)
    RunConsumer.on_group_error = staticmethod(on_group_error)
    RunConsumer.short_run_pause_s = short_run_pause_s
    RunConsumer.max_run_records = max_run_records
    FetchThread.urgent = frozenset(urgent)
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:RunTransport"
