"""What a turn writes to Redis: everything that differs between the state before and the state after, and what follows from it.

Records are the working state; documents, timelines and silences are for people; the outbox is for Kafka.  Pure: two states
in, commands out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alerting.document import view
from alerting.keeping import kept
from alerting.silences import silence_view
from alerting.state import State
from alerting.timeline import tellings
from schemas.actions import OrderRelease
from schemas.actions import encode as actions_encode
from schemas.answers import Answer
from schemas.answers import encode as answers_encode
from schemas.incidents import IncidentView, encode
from stream.incidents.store import Write
from stream.state.orders import ORDERS

#: Lines of a timeline that are kept, about.
TIMELINE = 1000
ANSWER_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Changed:
    """Records to write (None: to delete), the documents of the incidents that changed, and what is kept with each on Kafka."""

    records: Mapping[str, bytes | None]
    documents: Mapping[str, IncidentView]
    kept: Mapping[str, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.records or self.documents)


def documents(old: State, new: State) -> Iterator[tuple[str, IncidentView]]:
    """The documents of the incidents that a turn changed, one by one: each takes a moment."""
    return ((one, view(new, one)) for one in sorted(touched(old, new))) if old is not new else iter(())


def parts(old: State, new: State) -> Iterator[tuple[str, bytes | None]]:
    """What an owner that lost everything would need of them, one by one; of an incident that has left nothing."""
    return ((one, kept(new, one)) for one in sorted(touched(old, new))) if old is not new else iter(())


def touched(old: State, new: State) -> set[str]:
    """The incidents that differ, or that one of their deliveries does, or that have left the state."""
    incidents = {one for one, incident in new.incidents.items() if old.incidents.get(one) is not incident}
    entries = {entry.incident for name, entry in new.entries.items() if old.entries.get(name) is not entry}
    return incidents | entries | set(new.left)


def written_by(
    old: State,
    new: State,
    *,
    changed: Changed,
    answers: Mapping[str, Answer],
    marks: Mapping[str, int],
    orders: Mapping[str, OrderRelease],
) -> Iterator[Write]:
    """The commands of a turn, in order."""
    yield from _records(changed)
    yield from _documents(changed)
    yield from _timelines(old, new, changed)
    yield from _silences(old, new)
    yield from (("marks", "HSET", (name, at)) for name, at in marks.items())
    yield from ((ORDERS, "HSET", (model, actions_encode(order))) for model, order in orders.items())
    for place, one in answers.items():
        yield f"answer:{place}", "SET", (answers_encode(one), "PX", ANSWER_MS)


def forgetting(incidents: list[str]) -> Iterator[Write]:
    """The commands that remove incidents whose time is over, from Kafka's compacted topic too."""
    for one in incidents:
        yield "documents", "HDEL", (one,)
        yield "kept", "HDEL", (one,)
        yield "ended", "ZREM", (one,)
        yield f"timeline:{one}", "DEL", ()
        yield "outbox", "XADD", ("*", "id", one)


def _records(changed: Changed) -> Iterator[Write]:
    for name, record in changed.records.items():
        if record is None:
            yield "records", "HDEL", (name,)
        else:
            yield "records", "HSET", (name, record)


def _documents(changed: Changed) -> Iterator[Write]:
    for one, document in changed.documents.items():
        packed = encode(document)
        yield "documents", "HSET", (one, packed)
        part = changed.kept.get(one)
        yield ("kept", "HDEL", (one,)) if part is None else ("kept", "HSET", (one, part))
        yield "outbox", "XADD", ("*", "id", one)
        if document.ended is not None:
            yield "ended", "ZADD", (document.ended, one)


def _timelines(old: State, new: State, changed: Changed) -> Iterator[Write]:
    for one in changed.documents:
        before = old.incidents.get(one)
        told = before.lines[-1].number if before is not None and before.lines else -1
        for line in (new.incidents.get(one) or new.left[one].incident).lines:
            if line.number > told:
                yield _line(one, line.at, line.text)
        for text in tellings(old, new, one):
            yield _line(one, new.now, text)


def _line(incident: str, at: int, text: str) -> Write:
    return f"timeline:{incident}", "XADD", ("MAXLEN", "~", TIMELINE, "*", "at", at, "text", text)


def _silences(old: State, new: State) -> Iterator[Write]:
    for name, silence in new.silences.items():
        if old.silences.get(name) is not silence:
            yield "silences", "HSET", (name, encode(silence_view(silence)))
    for name in old.silences.keys() - new.silences.keys():
        yield "silences", "HDEL", (name,)
