"""Keeps partitions of a topic together in event time: those that run too far ahead are not fetched for a while.

Without it a replay of many partitions keeps a pane open for every hour between the fastest and the slowest.  Also says
which partitions are idle, which is the one thing that a wall clock decides.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from faust.types import TP

from schemas.settings import Settings
from stream.ingest.intake import Intake
from stream.ingest.tenure import Tenure
from stream.state.patience import Patience
from stream.state.store import PaneStore
from stream.state.watermarks import PartitionClock, ahead_of, is_idle


class Pacer:
    """``run_once`` marks idle partitions in the store and holds those of this worker that run ahead."""

    def __init__(self, store: PaneStore, intake: Intake, settings: Settings, *, patience: Patience) -> None:
        self._store, self._intake, self._patiently = store, intake, patience
        self._ahead_ms = int(settings.run_ahead_s * 1000)
        self._idle_after_s = settings.idle_after_s
        self._moved: dict[TP, tuple[int, float]] = {}
        self._idle: dict[TP, str] = {}

    async def run_once(self) -> None:
        """Look at every partition once."""
        tenures = dict(self._intake.ownership.tenures)
        await self._mark_idle(tenures)
        # Without tenures an assignment is under way: what was held stays held until the clocks are known again.
        if tenures and self._ahead_ms and self._intake.consumer is not None:
            self._intake.consumer.hold(await self._ahead(tenures))

    async def _mark_idle(self, tenures: Mapping[TP, Tenure]) -> None:
        for tp, tenure in tenures.items():
            mark = "1" if self._quiet(tp, tenure) else "0"
            if mark == "1" and tenure.stored == tenure.read and self._idle.get(tp) != self._stamp(tenure, mark):
                await self._patiently(partial(self._note_idle, tenure))
                self._idle[tp] = self._stamp(tenure, mark)

    async def _note_idle(self, tenure: Tenure) -> bool:
        return await self._store.resume(
            tenure.stream, tenure.partition, epoch=tenure.epoch, fields={"idle": "1"}
        )  # fmt: skip

    def _stamp(self, tenure: Tenure, mark: str) -> str:
        """A checkpoint clears the mark, so it is written again once the stored offset has moved."""
        return f"{tenure.epoch.number}:{tenure.stored}:{mark}"

    def _quiet(self, tp: TP, tenure: Tenure) -> bool:
        now = time.monotonic()
        read, since = self._moved.get(tp, (-1, now))
        if read != tenure.read:
            self._moved[tp] = (tenure.read, now)
            since = now
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
