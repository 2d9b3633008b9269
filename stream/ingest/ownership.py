"""Takes partitions: at every assignment, for every partition, memory is dropped, a new epoch taken and the resume decided.

Partitions kept across a rebalance are taken anew like the others: panes kept in memory would be wrong although every fence
passes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from faust.types import TP

from schemas.names import Names, Stream
from stream.ingest.counter import Counter
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER
from stream.state.epochs import Epoch, Log, Resume, Stored, resume
from stream.state.patience import Patience
from stream.state.store import PaneStore, fields_of

log = logging.getLogger(__name__)

Survey = Callable[[set[TP]], Awaitable[Mapping[TP, Log]]]

_TOLD = {
    "retention": "%s: %d records were deleted before they were read (stored offset behind the log's start)",
    "recreated": "%s: the topic was created anew; counting it from the start beside the panes of the one before",
    "truncated": "%s: the log ends before what was counted of it: Kafka lost its newest records; reading on from its end",
    "emptied": "%s: nothing stored though offsets were committed: Redis lost its data; counting from the log's start",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """In whose name partitions are taken."""

    group: str
    take_over: bool
    owner: str


class Ownership:
    """The tenures of this worker, by partition."""

    def __init__(self, store: PaneStore, counter: Counter, *, claim: Claim, survey: Survey, patience: Patience) -> None:
        self.tenures: dict[TP, Tenure] = {}
        self._store, self._counter, self._claim, self._survey = store, counter, claim, survey
        self._patiently = patience

    @property
    def names(self) -> Names:
        return self._store.names

    async def take(self, tps: Iterable[TP], *, placement: Callable[[TP], int]) -> dict[TP, int]:
        """End all tenures, begin one for each of ``tps``; the offset each is to be read from.

        ``placement`` tells the number that runs of a partition carry until it is placed again.
        """
        for tenure in self.tenures.values():
            self._counter.forget(tenure)
        self.tenures = {}
        return await self.retake(tps, placement=placement)

    async def retake(self, tps: Iterable[TP], *, placement: Callable[[TP], int]) -> dict[TP, int]:
        """Begin a new tenure for each of these partitions, leaving the others alone."""
        wanted = set(tps)
        if not wanted:
            return {}
        logs = await self._survey(wanted)
        begun = await asyncio.gather(*(self._begin(tp, logs[tp]) for tp in sorted(wanted)))
        for tenure in begun:
            tenure.placement = placement(tenure.tp) + 1
            self.tenures[tenure.tp] = tenure
        return {tenure.tp: tenure.stored for tenure in begun}

    def drop(self, tenure: Tenure) -> None:
        """End a tenure that another owner's epoch has ended."""
        self._counter.forget(tenure)
        if self.tenures.get(tenure.tp) is tenure:
            del self.tenures[tenure.tp]

    async def note_loss(self, tenure: Tenure, *, first: int, lost: int) -> None:
        """Record that retention deleted ``lost`` records from offset ``first`` on before they were read."""
        log.error(_TOLD["retention"], tenure.tp, lost)
        fields: dict[str, str | int] = {f"lost:{first}": lost, "happened": "retention", "state": "warming"}
        await self._patiently(
            lambda: self._store.resume(tenure.stream, tenure.partition, epoch=tenure.epoch, fields=fields)
        )

    async def _begin(self, tp: TP, found: Log) -> Tenure:
        stream = self.names.stream_of(tp.topic)
        epoch, stored = await self._patiently(lambda: self._take(stream, tp))
        decided = resume(stored, found)
        if decided.happened:
            log.error(_TOLD[decided.happened], *([tp] if decided.happened != "retention" else [tp, decided.lost]))
        fields = _resume_fields(decided, found)
        await self._patiently(lambda: self._store.resume(stream, tp.partition, epoch=epoch, fields=fields))
        tenure = _tenure(tp, stream, epoch, decided=decided)
        tenure.topic_id = found.topic_id
        tenure.rebuild_to = found.end if decided.happened == "emptied" else 0
        return tenure

    async def _take(self, stream: Stream, tp: TP) -> tuple[Epoch, Stored]:
        now_ms, claim = int(time.time() * 1000), self._claim
        taken = await self._store.take(
            stream, tp.partition, group=claim.group, take_over=claim.take_over, now_ms=now_ms
        )
        await self._store.note_owner(stream, tp.partition, owner=claim.owner)
        return taken


def _tenure(tp: TP, stream: str, epoch: Epoch, *, decided: Resume) -> Tenure:
    clock = NEVER if decided.clock is None else decided.clock
    closed = NEVER if decided.closed is None else decided.closed
    return Tenure(
        tp, stream, epoch, 0, decided.offset, incarnation=decided.incarnation, clock=clock, closed=closed
    )  # fmt: skip


def _resume_fields(decided: Resume, found: Log) -> dict[str, str | int]:
    """What to record of a resume; a lost range is named by where it began, so recording it twice is harmless."""
    lost = [(f"lost:{decided.offset - decided.lost}", decided.lost)] if decided.lost else []
    warming = [("state", "warming")] if decided.happened else []
    rebuilt = [("rebuild_to", found.end)] if decided.happened == "emptied" else []
    reset = [("clock", ""), ("closed", "")] if decided.happened == "recreated" else []
    # What was marked quiet before may hold something by now: nothing is closed without it.
    unread = [("idle", 0)] if found.end > decided.offset else []
    return fields_of(
        [
            ("next", decided.offset),
            ("incarnation", decided.incarnation),
            ("topic_id", found.topic_id),
            ("happened", decided.happened),
            ("behind", ""),
            *lost,
            *warming,
            *rebuilt,
            *reset,
            *unread,
        ]
    )
