"""Harm that is certain though one of the streams fell silent: which windows are judged by the others alone, and by which.  Pure.

A stream is *silent* where all of its partitions are read to their end and quiet: the one thing that a wall clock decides, as for
watermarks.  In a replay a stream is silent only behind its last event, so any replay of one log judges the same windows by the
same streams.  A window waits besides until another stream is closed for a whole window more: what comes a little later is waited
for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from schemas.names import Stream
from stream.evaluate.releases.state import State


@dataclass(frozen=True, slots=True)
class Ahead:
    """Judged for harm up to ``to_ms``, behind which ``state`` stands: that of the windows judged whole, but for who is doubted."""

    to_ms: int
    state: State

    def follows(self, state: State, last_ms: int) -> bool:
        """Whether it begins where the release stands: a decision meanwhile, or windows judged whole so far, make it nothing."""
        return (self.state.release, self.state.number) == (state.release, state.number) and self.to_ms > last_ms


def known_at(
    end_ms: int, closed: Mapping[Stream, int], *, patience_ms: int, silent: Collection[Stream]
) -> tuple[Stream, ...]:
    """The streams that a window which ends here is judged by for harm; none where it waits for the others.

    >>> closed = {"serving": 7, "predictions": 4, "labels": 2}
    >>> known_at(5, closed, patience_ms=2, silent={"predictions", "labels"}), known_at(5, closed, patience_ms=2, silent={"labels"})
    (('serving',), ())
    >>> known_at(4, closed, patience_ms=2, silent={"labels"}), known_at(6, closed, patience_ms=2, silent={"predictions", "labels"})
    (('serving', 'predictions'), ())
    """
    late = {stream for stream, to_ms in closed.items() if to_ms < end_ms}
    if max(closed.values()) < end_ms + patience_ms or not late <= set(silent):
        return ()
    return tuple(stream for stream in closed if stream not in late)
