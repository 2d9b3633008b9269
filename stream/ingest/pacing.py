"""Keeps partitions of a topic together in event time: those that run too far ahead are not fetched for a while.

Without it a replay of many partitions keeps a pane open for every hour between the fastest and the slowest.  Also says
which partitions are idle, which is the one thing that a wall clock decides; and says it again and again, because an idle
partition vouches for the others only up to the moment at which its end was last heard of.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from faust.types import TP

from schemas.settings import Settings
from stream.ingest.intake import Intake
from stream.ingest.tenure import Tenure
from stream.state.clock import read_now
from stream.state.patience import Patience
from stream.state.store import Idle, PaneStore
from stream.state.watermarks import PartitionClock, ahead_of, is_idle


class Pacer:
    """``run_once`` marks idle partitions in the store and holds those of this worker that run ahead."""

    def __init__(self, store: PaneStore, intake: Intake, settings: Settings, *, patience: Patience) -> None:
        self._store, self._intake, self._patiently = store, intake, patience
        self._ahead_ms = int(settings.run_ahead_s * 1000)
        self._idle_after_s = settings.idle_after_s
        self._moved: dict[TP, tuple[int, float]] = {}

    async def run_once(self) -> None:
        """Look at every partition once."""
        tenures = dict(self._intake.ownership.tenures)
        await self._vouch(tenures)
        # Without tenures an assignment is under way: what was held stays held until the clocks are known again.
        if tenures and self._ahead_ms and self._intake.consumer is not None:
            self._intake.hold("ahead", await self._ahead(tenures))

    async def _vouch(self, tenures: Mapping[TP, Tenure]) -> None:
        """Say of idle partitions when nothing was left to read, by the clock that evaluation reads.

        Redis is asked for the time first: what is found out afterwards about a partition holds for that moment too.
        """
        if not any(self._quiet(tp, tenure) for tp, tenure in tenures.items()):
            return
        now_ms = await self._patiently(lambda: read_now(self._store.redis, self._store.names))
        idle = [
            Idle(tenure.stream, tenure.partition, tenure.epoch, now_ms - age_ms)
            for tp, tenure in tenures.items()
            if self._quiet(tp, tenure) and tenure.stored == tenure.read and (age_ms := self._age_ms(tp)) is not None
        ]
        await self._patiently(lambda: self._store.vouch(idle))

    def _age_ms(self, tp: TP) -> int | None:
        """How long ago Kafka said where the partition ends; None where it did not, or the wall clock was set back since."""
        heard = self._intake.consumer.end_heard_ms(tp) if self._intake.consumer is not None else None
        age = None if heard is None else int(time.time() * 1000) - heard
        return age if age is not None and age >= 0 else None

    def _quiet(self, tp: TP, tenure: Tenure) -> bool:
        now = time.monotonic()
        read, since = self._moved.get(tp, (-1, now))
        if read != tenure.read:
            self._moved[tp] = (tenure.read, now)
            since = now
        if tp in self._intake.held("quota"):  # nobody asks where it ends: it would vouch for a moment that stands still
            return False
        consumer = self._intake.consumer
        return is_idle(
            unread=self._intake.unread(tenure),
            quiet_s=now - since,
            idle_after_s=self._idle_after_s,
            empty=consumer is not None and consumer.log_end(tp) == tenure.read == 0,
        )

    async def _ahead(self, tenures: Mapping[TP, Tenure]) -> set[TP]:
        """Partitions of this worker that are ahead of the slowest of their topic, other workers' included."""
        held: set[TP] = set()
        for topic in {tp.topic for tp in tenures}:
            progress = await self._progress(topic)
            ahead = ahead_of(progress, ahead_ms=self._ahead_ms)
            held |= {tp for tp in tenures if tp.topic == topic and tp.partition in ahead}
        return held

    async def _progress(self, topic: str) -> dict[int, PartitionClock]:
        consumer = self._intake.consumer
        count = consumer.topic_partitions(topic) if consumer is not None else None
        stream = self._store.names.stream_of(topic)
        return await self._patiently(lambda: self._store.clocks(stream, range(count or 0)))
