"""The private names of Faust and aiokafka that ``stream/transport.py`` stands on, and what it takes for granted of each.

A release that renames one, or changes what it does, fails here with a sentence that says which method of the transport to
look at.  Where a sentence quotes a source, compare the new one with it and change transport and quotation together.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import ConsumerStoppedError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport import consumer as base
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode import Service
from mode.services import ServiceBase

import stream.asking
import stream.assigning
import stream.fetching
import stream.taking
import stream.transport
from tests.support.contracts import parameters, told, touched

OVERRIDDEN = (driver.Consumer, driver.AIOKafkaConsumerThread, driver.Transport)
#: Every private name the transport touches or overrides, and where it lives: the test below keeps this list complete.
PRIVATE: dict[str, tuple[Any, ...]] = {
    "_thread": (base.ThreadDelegateConsumer,),
    "_ensure_consumer": (driver.AIOKafkaConsumerThread,),
    "_consumer": (driver.AIOKafkaConsumerThread,),
    "_coordinator": (aiokafka.AIOKafkaConsumer,),
    "_fetch_max_wait_ms": (aiokafka.AIOKafkaConsumer,),
    "_isolation_level": (aiokafka.AIOKafkaConsumer,),
    "_partition_assignment_strategy": (aiokafka.AIOKafkaConsumer,),
    "_subscription": (aiokafka.AIOKafkaConsumer,),
    "_create_worker_consumer": (driver.AIOKafkaConsumerThread,),
    "_fetch_records": (driver.AIOKafkaConsumerThread,),
    "_new_consumer_thread": (driver.Consumer,),
    "_read_offset": (base.Consumer,),
    "_committed_offset": (base.Consumer,),
    "_unacked_messages": (base.Consumer,),
    "_stopped": (ServiceBase, Service),
    "_drain_messages": (base.Consumer,),
    "_wait_next_records": (base.Consumer,),
    "_filter_tps_with_pending_acks": (base.Consumer,),
    "_new_offset": (base.Consumer,),
    "_recovery": (TableManager,),
}
#: (function, parameters as the transport passes or overrides them, who has to follow)
SIGNATURES: tuple[tuple[Callable[..., Any], str, str], ...] = (
    (base.Consumer._drain_messages, "self, fetcher", "RunConsumer._drain_messages"),
    (base.Consumer._wait_next_records, "self, timeout", "RunConsumer._deliver_fetch"),
    (base.Consumer._filter_tps_with_pending_acks, "self, topics", "RunConsumer._filter_tps_with_pending_acks"),
    (base.Consumer._new_offset, "self, tp", "RunConsumer._new_offset"),
    (base.Consumer.ack, "self, message", "RunConsumer.ack"),
    (Recovery._wait, "self, coro, timeout", "UnhurriedRecovery._wait"),
    (base.Consumer.perform_seek, "self", "RunConsumer.perform_seek"),
    (base.Consumer.on_partitions_revoked, "self, revoked", "RunConsumer.on_partitions_revoked"),
    (base.Consumer.pause_partitions, "self, tps", "RunConsumer.hold"),
    (base.Consumer.resume_partitions, "self, tps", "RunConsumer.hold"),
    (base.Consumer.on_buffer_drop, "self, tp", "RunConsumer.on_buffer_drop"),
    (driver.Consumer._new_consumer_thread, "self", "RunConsumer._new_consumer_thread"),
    (driver.Consumer.earliest_offsets, "self, partitions", "positions"),
    (driver.Consumer.highwaters, "self, partitions", "positions"),
    (driver.AIOKafkaConsumerThread._create_worker_consumer, "self, transport", "FetchThread._create_worker_consumer"),
    (
        driver.AIOKafkaConsumerThread._fetch_records,
        "self, consumer, active_partitions, timeout, max_records",
        "FetchThread._fetch_records",
    ),
    (driver.AIOKafkaConsumerThread._ensure_consumer, "self", "RunConsumer._seek_to"),
    (driver.AIOKafkaConsumerThread.call_thread, "self, fun, args, kwargs", "RunConsumer._seek_to"),
    (aiokafka.AIOKafkaConsumer.seek, "self, partition, offset", "RunConsumer._seek_to"),
    (aiokafka.AIOKafkaConsumer.highwater, "self, partition", "RunConsumer.log_end"),
    (aiokafka.AIOKafkaConsumer.committed, "self, partition", "committed"),
    (GroupCoordinator.check_errors, "self", "RunConsumer._check_group"),
    (GroupCoordinator.request_rejoin, "self", "rejoin"),
    (faust.Schema.loads_key, "self, app, message, loads, serializer", "RunSchema.loads_key"),
    (faust.Schema.loads_value, "self, app, message, loads, serializer", "RunSchema.loads_value"),
    (
        ConsumerMessage.__init__,
        "self, topic, partition, offset, timestamp, timestamp_type, headers, key, value, checksum, "
        "serialized_key_size, serialized_value_size, tp, time_in, time_out, time_total, generation_id",
        "_message",
    ),
)
#: (where, what its source says, what the transport makes of it)
FACTS: tuple[tuple[Any, str, str], ...] = (
    (
        driver.AIOKafkaConsumerThread._create_worker_consumer,
        r"fetch_max_wait_ms=1500",
        "Faust fixes the wait of an empty fetch; FetchThread shortens it. If Faust has a setting now, use that",
    ),
    (
        driver.Consumer._new_consumer_thread,
        r"AIOKafkaConsumerThread\(self, loop=self\.loop, beacon=self\.beacon\)",
        "_new_consumer_thread builds FetchThread with these arguments",
    ),
    (
        Recovery._resume_streams,
        r"consumer\.perform_seek\(\), timeout=",
        "Faust gives the seek of an assignment a time-out, which UnhurriedRecovery leaves out",
    ),
    (
        Fetcher.fetched_records,
        r"if partitions and tp not in partitions",
        "to aiokafka no partitions are all, so FetchThread never asks for none",
    ),
    (
        aiokafka.AIOKafkaConsumer.start,
        r"fetch_max_wait_ms=self\._fetch_max_wait_ms",
        "FetchThread sets it between construction and start, so start must be what reads it",
    ),
    (
        aiokafka.AIOKafkaConsumer.start,
        r"assignors=self\._partition_assignment_strategy",
        "FetchThread sets TogetherAssignor between construction and start, so start must be what reads it",
    ),
    (
        aiokafka.AIOKafkaConsumer.start,
        r"self\._coordinator = GroupCoordinator\(",
        "_check_group and rejoin call the group coordinator",
    ),
    (
        GroupCoordinator.check_errors,
        r"self\._pending_exception",
        "only check_errors brings a parked group error out; if aiokafka raises it by itself now, drop _surface_group_errors",
    ),
    (
        base.Fetcher,
        r"await consumer\._drain_messages\(self\)",
        "the fetch loop must still be _drain_messages, or nothing is delivered as runs",
    ),
    (base.Consumer._drain_messages, r"_stopped\.is_set", "_drain_messages ends on the same two events as Faust's own"),
    (
        base.Consumer._drain_messages,
        r"self\.wait_first\(\s*callback\(message\), self\.suspend_flow\.wait\(\)\s*\)",
        "_deliver waits for delivery or a rebalance, as Faust's own does",
    ),
    (base.Consumer._wait_next_records, r"return records, active_partitions", "_deliver_fetch unpacks this pair"),
    (
        base.Consumer._should_commit,
        r"committed is None or",
        "place() forgets the committed offset so that the next commit passes, also one further back",
    ),
    (
        base.Consumer._filter_committable_offsets,
        r"self\._new_offset\(tp\)",
        "commits must ask _new_offset, which answers with what was stored",
    ),
    (
        base.Consumer.force_commit,
        r"self\._filter_tps_with_pending_acks\(topics\)",
        "commits must ask _filter_tps_with_pending_acks which partitions there are",
    ),
    (
        driver.AIOKafkaConsumerThread._seek_wait,
        r"if offset > 0:",
        "Faust's own seek treats offset 0 apart, which is why _seek_to seeks itself",
    ),
    (
        base.Consumer.on_partitions_revoked,
        r"self\._read_offset\.pop\(tp, None\)",
        "a revoked partition must have no read offset, so that _is_current refuses its records",
    ),
    (
        driver.ConsumerRebalanceListener.on_partitions_assigned,
        r"generation_id",
        "runs carry the group generation they were fetched in",
    ),
    (
        base.Consumer.wait_empty,
        r"self\._unacked_messages",
        "ack() discards messages itself, or a rebalance waits for them for ever",
    ),
)


@pytest.mark.parametrize(("name", "owners"), PRIVATE.items(), ids=list(PRIVATE))
def test_every_private_name_is_still_where_it_was(name: str, owners: tuple[Any, ...]) -> None:
    said = any(hasattr(owner, name) or f"self.{name}" in inspect.getsource(owner) for owner in owners)
    assert said, told("wherever it says " + name, f"{owners[0].__module__}.{owners[0].__name__} must have {name}")


@pytest.mark.parametrize(("function", "expected", "who"), SIGNATURES, ids=[f"{f.__qualname__}" for f, *_ in SIGNATURES])
def test_every_signature_is_what_the_transport_calls_or_overrides(
    function: Callable[..., Any], expected: str, who: str
) -> None:
    assert parameters(function) == expected, told(who, f"{function.__qualname__} must take ({expected})")


@pytest.mark.parametrize(
    ("where", "source", "why"), FACTS, ids=[f"{where.__qualname__}: {source}" for where, source, _ in FACTS]
)
def test_every_fact_that_the_transport_takes_for_granted_still_holds(where: Any, source: str, why: str) -> None:
    assert re.search(source, inspect.getsource(where)), told(
        "the passage named", f"{where.__qualname__} must contain {source!r}: {why}"
    )


def test_flow_control_has_the_names_the_fetch_loop_reads() -> None:
    made = inspect.getsource(base.Consumer.__init__)
    for name in ("callback", "suspend_flow", "transport"):
        assert f"self.{name}" in made, told("RunConsumer._deliver_fetch", f"Faust's Consumer must set {name}")
    assert driver.Consumer.flow_active, told("RunConsumer._deliver_fetch", "a new Consumer must have flow_active true")
    assert driver.Consumer.consumer_stopped_errors == (ConsumerStoppedError,), told(
        "RunConsumer._drain_messages", "the driver must name its stop errors"
    )
    assert hasattr(faust.App, "consumer_generation_id"), told(
        "RunConsumer._deliver_fetch", "the app must carry the group's generation"
    )


def test_a_scheme_of_our_own_selects_the_transport() -> None:
    before = dict(drivers.TRANSPORTS.aliases)
    try:
        stream.transport.install(_never, _ignored, short_run_pause_s=0.1, max_run_records=2000)
        found = drivers.by_name(stream.transport.SCHEME)
        assert found is stream.transport.RunTransport, told(
            "install", "drivers.TRANSPORTS.aliases must map a scheme to a class"
        )
    finally:
        drivers.TRANSPORTS.aliases.clear()
        drivers.TRANSPORTS.aliases.update(before)


def test_the_list_of_private_names_is_complete() -> None:
    """A private name that the transport begins to touch must be added above, with what is expected of it."""
    files = tuple(
        Path(str(one.__file__))
        for one in (stream.asking, stream.transport, stream.fetching, stream.assigning, stream.taking)
    )
    assert set().union(*(touched(file.read_text(), OVERRIDDEN) for file in files)) == set(PRIVATE)


def test_touched_names_are_seen_and_own_ones_are_not() -> None:
    text = "class A(B):\n    def _mine(self):\n        self._own: int = 1\n        self._mine()\n"
    text += "        self.x._theirs[1] = self._own\n"
    assert touched(text, OVERRIDDEN) == {"_theirs"}


async def _never(consumer: Any, tps: Any) -> Any:
    raise AssertionError("nobody is assigned anything here")


def _ignored(error: BaseException) -> None:
    """No group, no error."""
