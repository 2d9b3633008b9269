"""The inbox of the present: first come, first fed; but what is urgent does not wait behind a backlog of what is not.

Urgent are findings of P0 and of the class serving, and what people do.  An urgent finding goes before all other models'
records, and before those of its own model that are judged no earlier: so a model's event time never passes over what waits,
and two verdicts of one key keep their order.  What goes before is fed twice if this process dies: the core knows it by its
revision.  ``consumed`` names the first offset that was not fed yet, as if nothing had gone before.

It is ``full`` at ``MOST`` records: the agent takes in no further run then, and the consumer fetches none once its queue of
runs is full too.  They stay in Kafka, and beyond that an urgent one waits like any other.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.findings import KIND_CLASS, Finding, Progress
from stream.incidents.inbox import Arrival, Fed

#: Of a backlog so many records are held here, and one run more: some 20 MB, and ten seconds of work.
MOST = 20_000


def is_urgent(arrival: Arrival) -> bool:
    """Whether a record goes before others."""
    message = arrival.message
    if isinstance(message, Finding):
        return message.severity == "P0" or KIND_CLASS[message.kind] == "serving"
    return message is not None and not isinstance(message, Progress)


@dataclass(slots=True)
class _Topic:
    """``read`` is the next offset to take in, ``next`` the first that was not fed; ``waiting`` are those from there on."""

    read: int
    next: int
    waiting: deque[int] = field(default_factory=deque)
    fed: set[int] = field(default_factory=set)

    def feed(self, offset: int) -> None:
        self.fed.add(offset)
        while self.waiting and self.waiting[0] in self.fed:
            self.next = self.waiting.popleft() + 1
            self.fed.remove(self.next - 1)


@dataclass(slots=True)
class _Model:
    """Of a model's records that are not urgent: by when they are judged, and by key."""

    by_time: list[tuple[int, int, Arrival]] = field(default_factory=list)
    by_key: dict[str, list[Arrival]] = field(default_factory=dict)

    def add(self, message: Finding | Progress, arrival: Arrival) -> None:
        heapq.heappush(self.by_time, (message.at, arrival.offset, arrival))
        if isinstance(message, Finding):
            self.by_key.setdefault(message.key, []).append(arrival)

    def drop(self, message: Finding | Progress, arrival: Arrival, *, fed: int) -> None:
        """A record was fed; ``fed``: as all below this offset."""
        if isinstance(message, Finding) and arrival in (same := self.by_key.get(message.key, [])):
            same.remove(arrival)
            if not same:
                del self.by_key[message.key]
        while self.by_time and self.by_time[0][1] < fed:
            heapq.heappop(self.by_time)

    def before(self, finding: Finding) -> list[Arrival]:
        """What has to be fed before an urgent finding, in the order in which it came."""
        found = list(self.by_key.pop(finding.key, ()))
        while self.by_time and self.by_time[0][0] < finding.at:
            found.append(heapq.heappop(self.by_time)[2])
        return sorted(found, key=lambda arrival: arrival.offset)


class LiveInbox:
    """``starts`` are the offsets that the inputs are read from."""

    def __init__(self, starts: Mapping[str, int]) -> None:
        self._topics = {topic: _Topic(start, start) for topic, start in starts.items()}
        self._urgent: deque[Arrival] = deque()
        self._others: deque[Arrival] = deque()
        self._models: dict[str, _Model] = {}
        #: Records that go with an urgent one and still stand in their old place, too.
        self._ahead: set[tuple[str, int]] = set()

    def __len__(self) -> int:
        return sum(len(topic.waiting) - len(topic.fed) for topic in self._topics.values())

    @property
    def full(self) -> bool:
        """Whether what follows should stay in Kafka for now.

        What went before others counts until they are fed too: its offsets are kept, and would be read again.  So those others
        have their turn, however many urgent ones there are.
        """
        return sum(len(topic.waiting) for topic in self._topics.values()) >= MOST

    def add(self, arrival: Arrival) -> None:
        """Take in a record; one that was taken in before is left out."""
        topic = self._topics[arrival.topic]
        if arrival.offset < topic.read:
            return
        topic.read = arrival.offset + 1
        topic.waiting.append(arrival.offset)
        message = arrival.message
        if is_urgent(arrival):
            if isinstance(message, Finding):
                self._bring(message)
            self._urgent.append(arrival)
            return
        self._others.append(arrival)
        if isinstance(message, Finding | Progress):
            self._models.setdefault(message.model, _Model()).add(message, arrival)

    def first(self, now: int) -> Fed | None:
        """What is fed next."""
        if self._urgent:
            return Fed(now, self._urgent[0])
        while self._others and _place(self._others[0]) in self._ahead:
            self._ahead.remove(_place(self._others.popleft()))
        if not self._others:
            self._models.clear()
            return None
        return Fed(now, self._others[0])

    def drop_first(self) -> None:
        """It was fed."""
        arrival = self._urgent.popleft() if self._urgent else self._others.popleft()
        topic = self._topics[arrival.topic]
        topic.feed(arrival.offset)
        if isinstance(arrival.message, Finding | Progress) and arrival.message.model in self._models:
            self._models[arrival.message.model].drop(arrival.message, arrival, fed=topic.next)

    def consumed(self) -> dict[str, int]:
        """By topic, the offset that a new owner would have to read from."""
        return {name: topic.next for name, topic in self._topics.items()}

    def marks(self) -> Mapping[str, int]:
        """Progress marks have no meaning by this clock."""
        return {}

    def _bring(self, finding: Finding) -> None:
        """Have what must be fed before an urgent finding go with it, unless it was fed or goes already."""
        model, topic = self._models.get(finding.model), self._topics["findings"]
        for arrival in model.before(finding) if model is not None else ():
            gone = arrival.offset < topic.next or arrival.offset in topic.fed
            if not gone and _place(arrival) not in self._ahead:
                self._ahead.add(_place(arrival))
                self._urgent.append(arrival)


def _place(arrival: Arrival) -> tuple[str, int]:
    return arrival.topic, arrival.offset
