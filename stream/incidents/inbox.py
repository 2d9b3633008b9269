"""What waits for the incident owner, in the order in which it is to be fed; one inbox for each of the two clocks.

Live, records are fed at Redis' time (:mod:`stream.incidents.live_inbox`).  In event time they are held back until every
stream that was announced is judged beyond them, and fed by (pane end, key): the same year replayed twice gives the same
incidents, whatever order the models' findings came in.  What is held back is not stored: ``consumed`` names the oldest offset
that is still needed, and a new owner reads it again from there.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.actions import Action
from schemas.findings import Finding, Progress

#: (model, stream): what a progress mark is about.
Pair = tuple[str, str]
Message = Finding | Progress | Action


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record of an input; ``topic`` is its plain name, ``message`` None where the record was damaged."""

    topic: str
    partition: int
    offset: int
    message: Message | None


@dataclass(frozen=True, slots=True)
class Fed:
    """An arrival's turn to be fed, at ``now``; without an arrival only time moves."""

    now: int
    arrival: Arrival | None


class Inbox(Protocol):
    """What the owner asks of an inbox.  ``now`` is the owner's present time."""

    @property
    def full(self) -> bool: ...

    def add(self, arrival: Arrival) -> None: ...

    def first(self, now: int) -> Fed | None: ...

    def drop_first(self) -> None: ...

    def consumed(self) -> dict[str, int]: ...

    def marks(self) -> Mapping[str, int]: ...

    def __len__(self) -> int: ...


class EventInbox:
    """Holds findings back until all ``announced`` streams, and all others of their models that have spoken, are judged beyond them.

    >>> inbox = EventInbox({"findings": 0}, announced=[("m", "predictions")], marks={})
    >>> inbox.add(Arrival("findings", 0, 0, Progress(model="m", stream="predictions", at=10, seen=12)))
    >>> inbox.first(0)
    Fed(now=12, arrival=None)
    """

    def __init__(self, starts: Mapping[str, int], *, announced: Iterable[Pair], marks: Mapping[str, int]) -> None:
        self._next = dict(starts)
        self._marks = {_pair(name): at for name, at in marks.items()}
        self._latenesses: dict[Pair, int] = {}
        self._held: list[tuple[int, str, int, Arrival]] = []
        self._actions: deque[Arrival] = deque()
        self._told = -1
        self._judged: int | None = None
        self.announce(announced)

    def __len__(self) -> int:
        return len(self._held) + len(self._actions)

    @property
    def full(self) -> bool:
        """Never: the progress marks that it waits for come behind what it holds."""
        return False

    def announce(self, pairs: Iterable[Pair]) -> None:
        """Another configuration is in force; of a model that it has no more nothing will come, and nobody waits for that."""
        self._announced = set(pairs)
        self._models = {model for model, _ in self._announced}
        self._judged = self._least_mark()

    def add(self, arrival: Arrival) -> None:
        """Take in a record; one that was taken in before is left out."""
        if arrival.offset < self._next[arrival.topic]:
            return
        self._next[arrival.topic] = arrival.offset + 1
        match arrival.message:
            case Progress() as mark:
                self._mark(mark)
            case Finding() as finding:
                heapq.heappush(self._held, (finding.at, finding.key, arrival.offset, arrival))
            case None:
                pass
            case _:
                self._actions.append(arrival)

    def first(self, now: int) -> Fed | None:
        """An action, else the oldest finding that nothing can come before, else the time that has passed."""
        if self._actions:
            return Fed(now, self._actions[0])
        judged = self.judged()
        if judged is None:
            return None
        if self._held and self._held[0][0] <= judged:
            arrival = self._held[0][3]
            return Fed(arrival.message.seen if isinstance(arrival.message, Finding) else now, arrival)
        return Fed(judged + self._least_lateness(), None) if judged > self._told else None

    def drop_first(self) -> None:
        """What ``first`` returned was fed."""
        judged = self.judged()
        if self._actions:
            self._actions.popleft()
        elif judged is not None and self._held and self._held[0][0] <= judged:
            heapq.heappop(self._held)
        elif judged is not None:
            self._told = judged

    def consumed(self) -> dict[str, int]:
        """By topic, the oldest offset that is still held back, or the next one to read."""
        held = min((offset for _, _, offset, _ in self._held), default=None)
        actions = min((arrival.offset for arrival in self._actions), default=None)
        oldest = {"findings": held, "actions": actions}
        return {topic: end if oldest.get(topic) is None else oldest[topic] or 0 for topic, end in self._next.items()}

    def marks(self) -> Mapping[str, int]:
        """How far each stream is judged, by name: stored, because the marks themselves are not read again."""
        return {"\x1f".join(pair): at for pair, at in self._marks.items()}

    def judged(self) -> int | None:
        """The event time up to which every stream is judged; None while an announced one has not spoken."""
        return self._judged

    def _least_mark(self) -> int | None:
        if not self._announced <= set(self._marks):
            return None
        return min((at for _, at in self._counting()), default=None)

    def awaited(self) -> frozenset[Pair]:
        """Who holds back what is here: the streams that have not spoken, else those that are judged least far."""
        judged = self.judged()
        if not self._held or (judged is not None and self._held[0][0] <= judged):
            return frozenset()
        silent = frozenset(self._announced - self._marks.keys())
        return silent or frozenset(pair for pair, at in self._counting() if at == judged)

    def _counting(self) -> Iterator[tuple[Pair, int]]:
        """The marks that count: of the models in force, or of all before anything is."""
        return ((pair, at) for pair, at in self._marks.items() if not self._models or pair[0] in self._models)

    def _mark(self, mark: Progress) -> None:
        pair = (mark.model, mark.stream)
        before = self._marks.get(pair)
        self._marks[pair] = max(mark.at, self._marks.get(pair, mark.at))
        self._latenesses[pair] = mark.seen - mark.at
        if before is None or before == self._judged:
            self._judged = self._least_mark()

    def _least_lateness(self) -> int:
        # A finding that is still to come is seen no earlier than this after the time that all have passed.
        return min(self._latenesses.values(), default=0)


def _pair(name: str) -> Pair:
    model, _, stream = name.partition("\x1f")
    return model, stream
