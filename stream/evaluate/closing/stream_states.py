"""What one look at all partitions of a stream tells: is it silent, are counts missing, is an emptied Redis being filled again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from schemas.gpus import LATENESS_MS
from schemas.names import Stream
from stream.evaluate.closing.paces import Pace
from stream.evaluate.panes.clocks import PartitionState, Rebuild, stream_watermark, together
from stream.evaluate.storing.sealing import Sealing


class StreamStates:
    """What was last seen of each stream; ``look`` ends what is over.

    :param longest: the longest window of any model, by stream.
    """

    def __init__(self, sealing: Sealing, *, longest: Callable[[Stream], int]) -> None:
        self._sealing, self._longest = sealing, longest
        self._warm: set[str] = set()
        #: Streams that are read to their end and quiet.
        self.silent: set[Stream] = set()
        self._rebuilds: dict[str, Rebuild] = {}

    async def look(self, stream: Stream, partitions: Sequence[PartitionState], *, paces: Iterable[Pace]) -> None:
        """Take over what the partitions say, if they were looked at."""
        is_silent = bool(partitions) and all(partition.clock.idle for partition in partitions)
        (self.silent.add if is_silent else self.silent.discard)(stream)
        if not partitions:
            return
        lateness_ms = least_lateness_ms(stream, paces)
        newest = stream_watermark(partitions, lateness_ms=lateness_ms)
        warm = await self._sealing.warm(stream, partitions, watermark=newest, span_ms=self._longest(stream))
        (self._warm.add if warm else self._warm.discard)(stream)
        self._rebuilds[stream] = await self._sealing.rebuilt(stream, partitions, lateness_ms=lateness_ms)

    def of(self, streams: Collection[str]) -> tuple[bool, Rebuild]:
        """Whether counts of any of these are missing; whether any is being filled again, and up to when it was judged before."""
        found = [self._rebuilds[stream] for stream in streams if stream in self._rebuilds]
        return not self._warm.isdisjoint(streams), together(found)


def least_lateness_ms(stream: Stream, paces: Iterable[Pace]) -> int:
    """Of everything that is judged of a stream: its models', and that of the samples of GPUs among ``serving``."""
    found = [pace.lateness_ms for pace in paces]
    return min([*found, *([LATENESS_MS] if stream == "serving" else [])], default=0)
