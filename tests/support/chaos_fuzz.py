"""Events with a byte or a value changed at random, among good ones: what is read of them, nobody can say, but that somebody must.

Good events are of the scene's two models; the others were of a third one, ``gamma``.  Their times are left as they are: a time
that was changed may move a partition's clock, and by contract makes late what comes after it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.support.bad_events import HOSTILE
from tests.support.chaos_events import PARTITIONS, Event, Record
from tests.support.generated import PANE_MS, START_MS

FUZZED = "gamma"
SPAN_MS = 10 * PANE_MS
GOOD_EVERY = 20
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    "",
    "x" * 500,
    HOSTILE,
    [],
    {},
    [[1]],
    {"f64": "AAAA"},
    {"f64": "!"},
    10**30,
    "NaN",
    -0.0,
)


def fuzz(count: int, *, seed: int) -> Iterator[Record]:
    """``count`` mutated events, and a good one beside each twentieth; ``events`` are those of the good ones alone."""
    chance = random.Random(seed)
    for number in range(count):
        time_ms = START_MS + number * SPAN_MS // count
        if number % GOOD_EVERY == 0:
            good = event(chance, chance.choice(("alpha", "beta")), time_ms)
            yield Record("predictions", number // GOOD_EVERY % PARTITIONS, json.dumps(good).encode(), (good,))
        value = mutated(chance, event(chance, FUZZED, time_ms))
        yield Record("predictions", number % PARTITIONS, value)


def event(chance: random.Random, model: str, time_ms: int) -> Event:
    """A good event, its time first."""
    return {
        "timestamp": time_ms, "model": model, "version": "3", "id": "a", "status": "success", "latency_s": 0.125,
        "features": {"x0": chance.gauss(0, 2), "x1": 1.0, "x2": None, "city": "Oslo"},
        "prediction": {"score": chance.random(), "label": "yes"},
    }  # fmt: skip


def mutated(chance: random.Random, good: Event) -> bytes:
    """A value exchanged, or up to three bytes changed, left out or put in behind the time."""
    if chance.random() < 0.3:
        return json.dumps(exchanged(chance, good)).encode()
    text = bytearray(json.dumps(good).encode())
    first = text.index(b",") + 1
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(first, len(text))
        match chance.randrange(4):
            case 0:
                text[at] = chance.randrange(256)
            case 1:
                del text[at]
            case 2:
                text.insert(at, chance.choice(b'{}[]",:0-eE\\\x00\xff'))
            case _:
                del text[at:]
                break
    return bytes(text)


def exchanged(chance: random.Random, good: Event) -> Event:
    """Another value in the place of one, at any depth, but of the time."""
    inside = chance.choice([good, good, good["features"], good["prediction"]])
    name = chance.choice([name for name in inside if name != "timestamp"])
    inside[chance.choice((name, name, "strange"))] = chance.choice(VALUES)
    return good
