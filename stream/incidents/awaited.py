"""Of whom event time waits.  A configured model of which nothing comes holds everything back, and that must be said.

In a replay one stream or another is always the last, for a moment.  Only where the same ones have kept the time at the same
place for half a minute is it said: once, and again when it is others, at most once a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from schemas.config import Generation
from schemas.gpus import FLEET
from stream.incidents.inbox import EventInbox, Pair
from stream.incidents.owner import Owner

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
AFTER_S = 30.0
AGAIN_S = 60.0


@dataclass(slots=True)
class Standstill:
    """How long time has stood; ``since`` is when it came to where it is, ``said`` of whom that was said last."""

    at: tuple[frozenset[Pair], int | None] = (frozenset(), None)
    since: float = 0.0
    said: frozenset[Pair] = frozenset()
    said_at: float | None = None

    def stuck(self, awaited: frozenset[Pair], judged: int | None, *, now_s: float) -> bool:
        """Whether time has stood for long, waiting for these.

        >>> one, still = frozenset({("m", "predictions")}), Standstill()
        >>> [still.stuck(one, None, now_s=now) for now in (0, 29, 30, 31)], still.stuck(one, 7, now_s=32)
        ([False, False, True, True], False)
        """
        if (awaited, judged) != self.at:
            self.at, self.since = (awaited, judged), now_s
        return bool(awaited) and now_s - self.since >= AFTER_S

    def to_say(self, awaited: frozenset[Pair], *, now_s: float) -> bool:
        """Whether it is news, and the last news a minute old."""
        if awaited == self.said or (self.said_at is not None and now_s - self.said_at < AGAIN_S):
            return False
        self.said, self.said_at = awaited, now_s
        return True


class Awaited:
    """Looks at the owner's inbox, says who holds it back, and counts them for the metrics."""

    def __init__(self, owner: Owner, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._owner, self._monotonic = owner, monotonic
        self._still = Standstill()

    async def run(self) -> None:
        """Look once."""
        tenure, now_s = self._owner.tenure, self._monotonic()
        inbox = tenure.inbox if tenure is not None else None
        awaited, judged = (inbox.awaited(), inbox.judged()) if isinstance(inbox, EventInbox) else (frozenset(), None)
        stuck = self._still.stuck(awaited, judged, now_s=now_s)
        self._owner.tally.awaited = len(awaited) if stuck else 0
        if stuck and inbox is not None and self._still.to_say(awaited, now_s=now_s):
            log.error(
                "event time waits for %s, and %d findings with it: send their events to the end, or take the models out of the "
                "monitors file", spoken(awaited), len(inbox),
            )  # fmt: skip


def spoken(pairs: Collection[Pair]) -> str:
    """In words.

    >>> spoken([("n", "serving"), ("m", "predictions")])
    'predictions of m, serving of n'
    """
    return ", ".join(f"{stream} of {model}" for model, stream in sorted(pairs))


def announced(generation: Generation) -> list[Pair]:
    """The streams that event time waits for: each model's predictions, and its requests where they come by themselves.

    GPUs are waited for where a model says that it is served on some: only then may they have a cause in common.
    """
    found: list[Pair] = []
    for name, force in generation.models.items():
        found.append((name, "predictions"))
        if force.monitor.serving.stream == "serving":
            found.append((name, "serving"))
    if generation.on_gpus:
        found.append((FLEET, "serving"))
    return found


def unheard(generation: Generation | None, marks: Iterable[bytes | str]) -> list[Pair]:
    """Of these, those that no stored mark is of."""
    heard = {mark if isinstance(mark, str) else mark.decode(errors="replace") for mark in marks}
    wanted = announced(generation) if generation is not None else []
    return [pair for pair in wanted if "\x1f".join(pair) not in heard]
