"""aiokafka's consumer on the thread that Faust gives it, and what it fetches first.

Beside ``transport.py`` the only place that touches Faust's and aiokafka's private names.
"""

from __future__ import annotations

from typing import Any, ClassVar

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream import unpacking
from stream.assigning import TogetherAssignor

#: Faust hard-codes 1 500 ms; librdkafka's mock broker does not wake a waiting fetch, so an empty one costs it all.
FETCH_MAX_WAIT_MS = 100


class FetchThread(driver.AIOKafkaConsumerThread):
    """A fetch does not sleep 1.5 s when empty, and returns what ``urgent`` topics hold before anything else.

    A fetch takes the partitions in the order in which they came, up to its limit.  Where events arrive faster than they are
    counted, our own small topics would get a turn once in dozens of fetches, and a page would wait behind a million events.
    """

    urgent: ClassVar[frozenset[str]] = frozenset()
    #: The one of this process, once it runs.
    running: ClassVar[FetchThread | None] = None

    def _create_worker_consumer(self, transport: Any) -> Any:
        FetchThread.running = self
        unpacking.install()
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        TogetherAssignor.together = self.urgent  # findings and actions: one worker owns the incidents
        consumer._partition_assignment_strategy = [TogetherAssignor]
        consumer._isolation_level = "read_committed"  # an aborted transaction's events were never produced
        return consumer

    async def _fetch_records(  # type: ignore[override] # Faust names both limits
        self, consumer: Any, active_partitions: set[TP], *, timeout: Any = None, max_records: int | None = None
    ) -> Any:
        urgent = {tp for tp in active_partitions or () if tp.topic in self.urgent}
        first = await super()._fetch_records(consumer, urgent, timeout=0, max_records=max_records) if urgent else {}
        if not first:
            return await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)
        rest = active_partitions - urgent
        # To aiokafka no partitions are all partitions.
        others = await super()._fetch_records(consumer, rest, timeout=0, max_records=max_records) if rest else {}
        return {**first, **others}

    @classmethod
    def has_ended(cls) -> bool:
        """Whether it ran and does no longer: what raises in it ends it, and Faust reads on from nothing."""
        thread = cls.running._thread if cls.running is not None else None
        return thread is not None and not thread.is_alive()
