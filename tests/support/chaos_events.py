"""Seeded traffic over the four streams, in every form a record may have, with all that goes wrong in a producer.

A ``Record`` is what is produced, with what it holds as plain dictionaries: what should be counted is worked out of those
(``chaos_oracle``), never out of bytes.  Events come out of order, late, twice, from the future, too late, and beside poison.
"""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from schemas.names import TOPICS_IN, Stream
from tests.support.bad_events import DAY, REFUSED
from tests.support.generated import CITIES, PANE_MS, START_MS

PARTITIONS = 4
MODELS: Final = ("alpha", "beta")
FEATURES: Final = ("x0", "x1", "x2")
FORMS: Final = ("object", "object", "array", "columns", "packed")
#: How often each stream has a record, of 20.
SHARES: Final = dict(zip(TOPICS_IN, (12, 3, 1, 4), strict=True))
#: Events come up to this much out of order, the lateness being two minutes; later ones are late, one in a hundred bundles.
DISORDER_MS = PANE_MS
#: One bundle of so many is of each odd kind, and one record of so many is poison.
ODD_EVERY, POISON_EVERY = 100, 100
#: So many milliseconds ahead of the wall clock is "future"; it is not by a clock that is an hour fast.
AHEAD_MS = 1_800_000

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record: its events in order, or why all of it is refused."""

    stream: Stream
    partition: int
    value: bytes | None
    events: tuple[Event, ...] = ()
    refused: str = ""
    #: When it arrives, by event time: what traffic is ordered by.
    arrives_ms: int = 0


@dataclass(slots=True)
class Traffic:
    """``records(n)`` of a seed are the same each time, but for those from the future, which are ahead of ``now_ms``."""

    seed: int
    now_ms: int
    span_ms: int = 20 * PANE_MS
    begin_ms: int = START_MS
    poison_every: int = POISON_EVERY
    odd_every: int = ODD_EVERY
    models: Sequence[str] = MODELS
    #: From and to: every request in between fails, and none before and after.
    down: tuple[int, int] | None = None
    chance: random.Random = field(init=False)
    _poison: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def records(self, count: int) -> list[Record]:
        """So many good records, and poison beside them, in order of arrival."""
        bundles = [self._record(at, count) for at in range(count)]
        found = sorted(bundles, key=lambda record: record.arrives_ms)
        repeats = [(at, found[at]) for at in range(len(found)) if self._one_in(self.odd_every)]
        for at, twice in reversed(repeats):  # a producer that sent it again: an event like any other
            found.insert(at + 1, twice)
        return list(self._with_poison(found))

    def _record(self, at: int, count: int) -> Record:
        stream = self.chance.choices(TOPICS_IN, [SHARES[each] for each in TOPICS_IN])[0]
        time_ms = self.begin_ms + at * self.span_ms // count
        arrives = time_ms + self.chance.randrange(DISORDER_MS)
        if stream != "features" and self._one_in(self.odd_every):
            time_ms, form = self._odd_time(time_ms), "object"
        else:
            form = self.chance.choice(FORMS if stream != "features" else FORMS[:3])
        size = 1 if form == "object" else self.chance.randint(2, 12)
        model = self.chance.choice(self.models)
        events = tuple(self._event(stream, model, time_ms + self.chance.randrange(1_000), form) for _ in range(size))
        partition = self.chance.randrange(PARTITIONS)
        return Record(stream, partition, written(events, form), events, arrives_ms=arrives)

    def _odd_time(self, time_ms: int) -> int:
        late = time_ms - self.chance.randint(4, 15) * PANE_MS
        return self.chance.choice((late, late, self.now_ms + AHEAD_MS, self.begin_ms - 40 * DAY))

    def _with_poison(self, records: Sequence[Record]) -> Iterator[Record]:
        for record in records:
            yield record
            if self.poison_every and self._one_in(self.poison_every):
                bad = REFUSED[self._poison]
                self._poison = (self._poison + 1) % len(REFUSED)
                yield replace(record, stream=bad.stream, value=bad.value, events=(), refused=bad.reason)

    def _event(self, stream: Stream, model: str, time_ms: int, form: str) -> Event:
        make = {"predictions": self._prediction, "labels": self._label, "serving": self._serving}
        if stream == "features":
            values = [self._number(0.05) for _ in range(self.chance.randint(1, 6))]
            return {"feature": self.chance.choice(FEATURES), "source": "feed", "timestamp": time_ms, "values": values}
        event = {"model": model, "timestamp": time_ms, "version": self.chance.choice(("3", "3", "4", "5", None))}
        event |= make[stream](plain=form in ("columns", "packed"))
        if self.down and "status" in event:
            event["status"] = "error" if self.down[0] <= time_ms < self.down[1] else "success"
        return event

    def _prediction(self, *, plain: bool) -> Event:
        features: Event = {name: self._number(0.03 if not plain else 0.0) for name in FEATURES}
        features["city"] = self.chance.choice((*CITIES, *CITIES, None))
        event: Event = {
            "id": f"user-{self.chance.randrange(3_000)}", "features": features, **self._request(),
            "prediction": {
                "score": self.chance.random(), "confidence": self.chance.random(),
                "label": self.chance.choice(("no", "yes", "maybe", 1)),
            },
        }  # fmt: skip
        return event if plain else self._strange(event)

    def _strange(self, event: Event) -> Event:
        """Now and then what counts all the same: no number, another type, keys and features that nobody declared."""
        if self._one_in(40):
            odd = self.chance.choice((float("nan"), float("inf"), float("-inf"), "1.5", True, [1, 2]))
            event["features"][self.chance.choice(FEATURES)] = odd
        if self._one_in(100):
            event["features"]["x99"] = 1.0
        return event | ({"colour": "red"} if self._one_in(100) else {})

    def _label(self, *, plain: bool) -> Event:
        outcome = self.chance.choice((0, 1) if plain else (0, 1, "yes", "no", "dunno", None))
        rating = self.chance.choice((None, 0.25, 3.5, 5.0))
        label = {"id": f"user-{self.chance.randrange(3_000)}", "outcome": outcome}
        return label | {"score": self.chance.random(), "rating": rating}

    def _serving(self, *, plain: bool) -> Event:
        return self._request() | {"perplexity": self.chance.choice((None, 1.5, 12.0)), "rating": None}

    def _request(self) -> Event:
        return {
            "latency_s": self.chance.choice((None, 0.004, 0.125, 0.5, 2.25)),
            "output_tokens": self.chance.choice((None, 0, 17, 900)),
            "status": self.chance.choice(("success", "success", "success", "error", None)),
        }

    def _number(self, missing: float) -> float | None:
        kind = self.chance.random()
        if kind < missing:
            return None
        return self.chance.choice((0.0, 1.0, -3.0, 40.0)) if kind < 0.3 else self.chance.gauss(0, 2)

    def _one_in(self, many: int) -> bool:
        return self.chance.randrange(many) == 0


def written(events: Sequence[Event], form: str) -> bytes:
    """The bytes of a record of these events, which agree in model and keys where they are written as columns."""
    if form == "object":
        return json.dumps(events[0]).encode()
    if form == "array":
        return json.dumps(list(events)).encode()
    return json.dumps(_columns(events, packed=form == "packed")).encode()


def _columns(events: Sequence[Event], *, packed: bool) -> Event:
    found: Event = {}
    for name, first in events[0].items():
        values = [event[name] for event in events]
        if name == "model":
            found[name] = first
        elif isinstance(first, dict):
            found[name] = _columns(values, packed=packed)
        else:
            found[name] = _pack(values) if packed and _packable(name, values) else values
    return found


def _packable(name: str, values: Sequence[Any]) -> bool:
    return name != "timestamp" and all(isinstance(value, float) for value in values)


def _pack(values: Sequence[float]) -> dict[str, str]:
    return {"f64": base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()}


def watermark(time_ms: int) -> list[Record]:
    """What closes everything before this time: a control record for each partition of each stream."""
    value = json.dumps({"control": "watermark", "timestamp": time_ms}).encode()
    event = {"control": "watermark", "timestamp": time_ms}
    return [Record(stream, partition, value, (event,)) for stream in TOPICS_IN for partition in range(PARTITIONS)]
