"""All GPUs, judged by whoever holds their shard: minute by minute of event time, once the watermark of ``serving`` has passed.

What was concluded is stored as that of a model called ``gpus`` is: last minute, what stands, and findings in an outbox, by one
fenced script.  So a minute is judged once, and a repeat finds the same.  By the wall clock, where evaluation follows one, nothing
is said but that GPUs are silent while no event moves event time on.

At most the minutes of a history are judged: what is older when evaluation comes to it is only kept.

Where a model says that it is served on GPUs, incidents in event time wait for these judgements: so each minute is passed there,
also where no GPU is heard of.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import cast

import msgspec
from redis.asyncio import Redis

from schemas.errors import StoreError
from schemas.findings import Finding, Progress
from schemas.gpus import FLEET, LATENESS_MS
from schemas.monitored import GpuMonitor
from schemas.names import Names, Stream
from stream.evaluate.closing.polls import seen_at
from stream.evaluate.closing.silence import Silence, lags
from stream.evaluate.gpus.minutes import Judged, heeded, judged_from, keys_of, minutes_of
from stream.evaluate.gpus.silence import FORGOTTEN_AFTER_MS, Unheard, replaced, silence_verdicts
from stream.evaluate.gpus.stored import FIELDS, Named, Stored
from stream.evaluate.panes.clocks import (
    NO_REBUILD,
    PartitionState,
    closed_before,
    stream_watermark,
    together,
    waited_for,
)
from stream.evaluate.storing.breath import Asking
from stream.evaluate.storing.commit import MANY, Commits, Conclusion
from stream.evaluate.storing.leases import Leases
from stream.evaluate.storing.sealing import Sealing
from stream.evaluate.storing.shards import shard_of
from stream.evaluate.storing.tally import EvaluationTally
from stream.evaluate.verdicts.standing import Standing, conclude, withdraw
from stream.evaluate.verdicts.verdict import Clear, Verdict
from stream.state.generations import Stamp, read, read_stamp
from stream.state.gpus import MINUTE, Heard, forget, read_earliest, read_heard, read_histories
from stream.state.watermarks import UNREAD

log = logging.getLogger(__name__)

STREAM: Stream = "serving"
#: Whether GPUs are silent is looked at no more often than so.
LISTEN_MS = 5_000
#: GPUs that are read and judged at once, and minutes that are stored together.
GPUS_AT_ONCE, MINUTES_AT_ONCE = 5, 30
#: Verdicts between two breaths, and findings about which a minute is stored with those before it: both hold the event loop.
VERDICTS_AT_ONCE, FINDINGS_AT_ONCE = 50, 300
#: An hour back is looked for errors that appeared.
LOOK_BACK_MS = 60 * MINUTE


class Fleet:
    """``run_once`` judges whatever minutes are over; it is called again and again."""

    def __init__(
        self, redis: Redis, names: Names, *, leases: Leases, sealing: Sealing, commits: Commits, asking: Asking,
        event_clock: bool, sent: Callable[[Sequence[str]], None], tally: EvaluationTally,
    ) -> None:  # fmt: skip
        self._redis, self._names, self._asking = redis, names, asking
        self._leases, self._sealing, self._commits = leases, sealing, commits
        self._event_clock, self._sent, self._tally = event_clock, sent, tally
        self._stamp: Stamp | None = None
        self._limits: GpuMonitor | None = None
        self._awaited = False
        self._stored: Stored | None = None
        self._heard: dict[str, Silence] = {}
        self._listened_ms = 0
        self._rebuild = NO_REBUILD
        self._said = ""

    async def run_once(self) -> None:
        """Judge what is due, if the shard is ours; whatever goes wrong is said once, and tried again."""
        token = self._leases.token(shard_of(FLEET))
        if token is None:
            self._stored = None
            return
        self._asking.breath.begin()
        try:
            await self._look(token)
            self._said = ""
        except StoreError as error:
            self._fail(str(error))
        except Exception as error:  # no model is hurt by what is wrong with a GPU
            self._fail(f"GPUs are not judged: {error!r}")
            log.debug("GPUs are not judged", exc_info=True)
        self._asking.breath.end()

    async def _look(self, token: int) -> None:
        await self._follow()
        if self._limits is None:
            return
        if not self._awaited and not await self._asking(lambda: self._redis.zcard(self._names.gpus)):
            return
        stored = self._stored
        if stored is None or stored.token != token:
            stored = self._stored = await self._load(token)
            self._heard.clear()
            self._sent([FLEET])
        found = await self._sealing.poll(STREAM)
        self._rebuild = together(one.rebuild for one in found)
        partitions = waited_for(found, FLEET)
        end = closed_before(stream_watermark(partitions, lateness_ms=LATENESS_MS), pane_ms=MINUTE)
        now_ms = await self._now()
        due = end > UNREAD and (stored.last is None or end > stored.last)
        listens = not self._event_clock and now_ms >= self._listened_ms + LISTEN_MS
        if not due and not listens:
            return
        heard = await self._asking(lambda: read_heard(self._redis, self._names))
        if due:
            await self._judge(stored, heard, end_ms=end, now_ms=now_ms)
        if listens:
            self._listened_ms = now_ms
        if listens and self._rebuild.running:  # what is counted again says nothing of what comes
            self._heard.clear()
        elif listens:
            await self._listen(stored, heard, partitions, now_ms=now_ms)

    async def _follow(self) -> None:
        """Take the limits in force; those of before hold while a newer configuration cannot be followed."""
        try:
            await self._take_limits()
        except StoreError as error:
            self._say(str(error))

    async def _take_limits(self) -> None:
        stamp = await self._asking(lambda: read_stamp(self._redis, self._names))
        if stamp is not None and stamp != self._stamp:
            generation = await self._asking(lambda: read(self._redis, self._names))
            self._limits = generation.gpus if generation is not None else None
            self._awaited = self._event_clock and generation is not None and generation.on_gpus
            self._stamp = stamp

    async def _load(self, token: int) -> Stored:
        key = self._names.evaluation(FLEET, STREAM)
        values = await self._asking(lambda: self._redis.hmget(key, FIELDS))
        try:
            return Stored.read(token, cast("list[bytes | None]", values))
        except (msgspec.DecodeError, ValueError) as error:
            raise StoreError(f"GPUs are not judged: {key} is damaged: {error}") from None

    async def _judge(self, stored: Stored, heard: Sequence[Heard], *, end_ms: int, now_ms: int) -> None:
        names = [one.name for one in heard]
        earliest = None
        if stored.last is None:
            earliest = await self._asking(lambda: read_earliest(self._redis, self._names, names))
            if earliest is None and not self._awaited:
                return
        first = judged_from(stored.last, earliest_ms=earliest, end_ms=end_ms)
        for from_ms in range(first, end_ms, MINUTES_AT_ONCE * MINUTE):
            to_ms = min(from_ms + MINUTES_AT_ONCE * MINUTE, end_ms)
            await self._judge_some(stored, names, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)
        await self._clear_out(stored, heard, at_ms=end_ms, now_ms=now_ms)

    async def _judge_some(self, stored: Stored, names: Sequence[str], *, from_ms: int, to_ms: int, now_ms: int) -> None:
        """The minutes that end after ``from_ms`` and by ``to_ms``, of all GPUs."""
        limits, seen = self._limits or GpuMonitor(), self._seen(now_ms)
        ends = range(from_ms + MINUTE, to_ms + 1, MINUTE)
        judged: dict[int, Judged] = {end: Judged() for end in ends}
        told_of = stored.told_of()
        for at in range(0, len(names), GPUS_AT_ONCE):
            read_some = partial(
                read_histories, self._redis, self._names, names[at : at + GPUS_AT_ONCE],
                from_ms=from_ms - LOOK_BACK_MS, to_ms=to_ms,
            )  # fmt: skip
            for samples in await self._asking(read_some):
                for end, verdicts, newest in minutes_of(samples, ends, limits):
                    judged[end].verdicts += heeded(verdicts, told_of)
                    judged[end].unheard.append(Unheard(newest, end - newest.timestamp))
                    await self._asking.breath()
        findings: list[Finding] = []
        standing = stored.standing
        for end in ends:
            found = judged.pop(end)  # thirty minutes of a thousand GPUs are not let go at once: that takes 60 ms
            silent = silence_verdicts(found.unheard, after_ms=limits.silent_after_ms, at_ms=end)
            told, standing = await self._concluded(
                chain(found.verdicts, silent), standing, at_ms=end, seen_ms=seen(end)
            )
            findings += stored.told(told, self._rebuild, at_ms=end)
            if len(findings) >= FINDINGS_AT_ONCE or end == to_ms:
                await self._store(stored, findings, standing, last=end, seen_ms=seen(end))
                findings = []

    async def _concluded(
        self, verdicts: Iterator[Verdict | Clear], standing: Standing, *, at_ms: int, seen_ms: int
    ) -> tuple[list[Finding], Standing]:
        """As :func:`conclude`, in pieces."""
        findings: list[Finding] = []
        while some := list(islice(verdicts, VERDICTS_AT_ONCE)):
            told, standing = conclude(some, standing, at_ms=at_ms, revision=0, seen_ms=seen_ms, watched=Named())
            findings += told
            await self._asking.breath()
        return findings, standing

    async def _clear_out(self, stored: Stored, heard: Sequence[Heard], *, at_ms: int, now_ms: int) -> None:
        """Forget GPUs of which nothing was heard for a day, and silent ones in whose place there is another."""
        limits = self._limits or GpuMonitor()
        unheard = [Unheard(one.newest, at_ms - one.at_ms) for one in heard if one.newest is not None]
        gone = {one.name for one in heard if at_ms - one.at_ms > FORGOTTEN_AFTER_MS}
        gone |= {sample.name for sample in replaced(unheard, after_ms=limits.silent_after_ms)}
        if stored.standing.keys:
            left = keys_of([one.newest for one in unheard if one.newest.name not in gone])
            findings, standing = withdraw(stored.standing, left, at_ms=at_ms, seen_ms=self._seen(now_ms)(at_ms))
            if standing.keys != stored.standing.keys:
                stored.withheld.forget(findings)
                await self._store(stored, findings, standing, last=at_ms, seen_ms=self._seen(now_ms)(at_ms))
        if gone:
            await self._asking(lambda: forget(self._redis, self._names, gone))

    async def _listen(
        self, stored: Stored, heard: Sequence[Heard], partitions: Sequence[PartitionState], *, now_ms: int
    ) -> None:
        """Say of GPUs that no sample came for so long, by the wall clock; that one came again is event time's to say."""
        limits = self._limits or GpuMonitor()
        after_ms, known = limits.silent_after_ms, self._heard
        self._heard = {
            one.name: known.get(one.name, Silence(one.at_ms, now_ms, now_ms)).after(one.at_ms, now_ms) for one in heard
        }
        if stored.last is None or lags(partitions, now_ms=now_ms, after_ms=after_ms):
            return
        unheard = [
            Unheard(one.newest, now_ms - self._heard[one.name].since_ms) for one in heard if one.newest is not None
        ]
        last, standing, findings = stored.last, stored.standing, list[Finding]()
        told_of = stored.told_of() - stored.withheld.newest.keys()
        for verdict in silence_verdicts(unheard, after_ms=after_ms, at_ms=last):
            if isinstance(verdict, Verdict) and verdict.key not in told_of:
                revision = standing.next_of(verdict.key, at_ms=last, least=now_ms)
                told, standing = conclude(
                    [verdict], standing, at_ms=last, revision=revision, seen_ms=now_ms, watched=Named()
                )
                findings += told
                await self._asking.breath()
        if findings:
            stored.withheld.forget(findings)
            await self._store(stored, findings, standing, last=last, seen_ms=now_ms)

    async def _store(
        self, stored: Stored, findings: Sequence[Finding], standing: Standing, *, last: int, seen_ms: int
    ) -> None:
        fields = partial(stored.fields, standing, last=last)
        fields_now = await self._asking.beside(fields) if len(standing.keys) > MANY else fields()
        made = Conclusion(FLEET, STREAM, stored.expected, fields_now)
        for number, finding in enumerate(findings):
            made.tell(finding)
            if number % VERDICTS_AT_ONCE == 0:
                await self._asking.breath()
        made.tell(Progress(model=FLEET, stream=STREAM, at=last, seen=seen_ms))
        outcome = await self._commits.store(made, token=stored.token)
        if outcome != "stored":
            self._stored = None
            self._tally.fenced += 1
            raise StoreError(f"what was concluded of GPUs was not stored ({outcome}); it is judged again")
        stored.last, stored.standing = last, standing
        self._tally.findings += len(findings)
        self._sent([FLEET])

    def _seen(self, now_ms: int) -> Callable[[int], int]:
        return seen_at(now_ms, lateness_ms=LATENESS_MS, event_clock=self._event_clock)

    async def _now(self) -> int:
        seconds, micros = await self._asking(self._redis.time)
        return int(seconds) * 1000 + int(micros) // 1000

    def _fail(self, why: str) -> None:
        self._stored = None
        self._say(why)

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            self._tally.failed += 1
            log.error("%s", why)
