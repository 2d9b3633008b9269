"""Polls how far every partition of a stream is, and seals what evaluation is about to read.

Exactness rests on the order: seal, then read notes, then read partials.  A checkpoint before the seal is seen by the read; one
after it is noted.  So every event is either in what was read or in a note that is still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from redis.asyncio import Redis

from schemas.names import Names, Stream
from stream.evaluate.panes.clocks import FIELDS, PartitionState, Rebuild, rebuilt_to, state_of, together
from stream.evaluate.panes.quiet import Quiet, leaves_out
from stream.evaluate.storing.breath import Asking
from stream.state.clock import read_now
from stream.state.lua import called, script
from stream.state.watermarks import UNREAD

#: The number of a topic's partitions; None while that is not known.
Partitions = Callable[[Stream], int | None]
AT_ONCE = 64


class Sealing:
    """Reads offset hashes, and writes into them how far evaluation has sealed and until when a partition is warming."""

    def __init__(self, redis: Redis, names: Names, *, partitions: Partitions, asking: Asking) -> None:
        self._redis, self._names, self._partitions = redis, names, partitions
        self._asking = asking
        self._seal = script(redis, "evaluate", "seal")
        self._quiet: dict[Stream, Quiet] = defaultdict(Quiet)
        self._seen: dict[str, tuple[list[bytes | None], PartitionState]] = {}

    async def poll(self, stream: Stream) -> list[PartitionState]:
        """The state of every partition by number, clocks as far as idle ones vouch for them; none while their number is unknown."""
        found: list[PartitionState] = []
        count = self._partitions(stream) or 0
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            found += await self._asking(partial(self._read, stream, numbers))
            await self._asking.breath()
        if not leaves_out(found):
            return self._quiet[stream].all_known(found)
        now_ms = await self._asking(partial(read_now, self._redis, self._names))  # by now all of it was stored
        return self._quiet[stream].known(found, now_ms=now_ms)

    async def seal(self, stream: Stream, states: Sequence[PartitionState], *, end_ms: int) -> None:
        """Seal every partition up to ``end_ms``, or to the furthest that any of them is sealed to."""
        end = max([end_ms, *(state.sealed for state in states)])
        behind = [number for number, state in enumerate(states) if state.sealed < end]
        if end > UNREAD and behind:
            await self._asking(lambda: self._write(stream, behind, end_ms=end))

    async def warm(self, stream: Stream, states: Sequence[PartitionState], *, watermark: int, span_ms: int) -> bool:
        """Whether any partition is warming; the state ends once a whole longest window lies behind its beginning.

        After events were lost (an emptied Redis, retention, a topic made anew) windows that reach back over the loss say
        nothing.  It is taken to have happened at the watermark at which it is first seen.
        """
        warming = {number: state for number, state in enumerate(states) if state.warming}
        for number, state in warming.items():
            key = self._names.offset(stream, number)
            if state.warming_until is None and watermark > UNREAD:
                until = watermark + span_ms
                await self._asking(partial(self._redis.hsetnx, key, "warming_until", str(until)))
            elif state.warming_until is not None and watermark >= state.warming_until:
                await self._asking(partial(self._redis.hdel, key, "state", "warming_until"))
        return bool(warming)

    async def rebuilt(self, stream: Stream, states: Sequence[PartitionState], *, lateness_ms: int) -> Rebuild:
        """Whether what an emptied Redis lost is still being counted again; it ends once all of it is.

        What lies before that was judged before, as far as anybody knows, so of it nothing is told but how it stands now.
        """
        rebuilding = [number for number, state in enumerate(states) if state.rebuild.running]
        quiet_to = rebuilt_to(states, lateness_ms=lateness_ms) if rebuilding else None
        if quiet_to is not None:
            for number in rebuilding:
                await self._asking(partial(self._end_rebuild, self._names.offset(stream, number), quiet_to))
        return together(state.rebuild for state in states)

    async def _end_rebuild(self, key: str, quiet_to: int) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, "quiet_to", str(quiet_to))
            pipe.hdel(key, "rebuild_to", "state", "warming_until")
            await pipe.execute()

    async def _read(self, stream: Stream, numbers: Sequence[int]) -> list[PartitionState]:
        pipe = self._redis.pipeline(transaction=False)
        keys = [self._names.offset(stream, number) for number in numbers]
        for key in keys:
            pipe.execute_command("HMGET", key, *FIELDS)
        return [self._state(key, values) for key, values in zip(keys, await pipe.execute(), strict=True)]

    def _state(self, key: str, values: list[bytes | None]) -> PartitionState:
        """What the fields of an offset hash say; of most looks, what they said before."""
        before = self._seen.get(key)
        if before is None or before[0] != values:
            before = self._seen[key] = values, state_of(values)
        return before[1]

    async def _write(self, stream: Stream, numbers: Sequence[int], *, end_ms: int) -> None:
        keys = [self._names.offset(stream, number) for number in numbers]
        await called(self._redis, self._seal, [([key], [end_ms]) for key in keys])
