"""When each feature was updated last: the greatest event time of a value that was counted, however the events come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from schemas.config import InForce
from schemas.names import Stream
from stream.ingest.newest import Newest
from tests.support.ingest import HOUR, NEW, NOON, OLD, Stored, applied, both, counter, monitor, run, tenure

#: Of a feature: values, and what is none.
VALUES: Mapping[str, tuple[list[Any], list[Any]]] = {
    "temp": ([0, 1.5, -3, 1e9], [None, float("nan"), float("inf"), "warm"]),
    "wide": ([2.25], [None]),
    "score": ([1], [None]),
    "carrier": (["UA", "ZZ", "B6", 7, True, ""], [None, 7.5]),
    "tail": (["N14228", ""], [None]),
}


def told(*events: dict[str, Any], stream: Stream = "predictions", at_once: int = 500) -> dict[str, dict[str, int]]:
    """What is to be stored after these events, that many to a drain, in ms since noon."""
    newest = Newest()
    owner, counting = tenure(stream=stream), counter(both(), newest=newest)

    async def count() -> None:
        for first in range(0, len(events), at_once):
            values = [json.dumps(event).encode() for event in events[first : first + at_once]]
            records = [Stored(value, first + at, NOON + HOUR, stream) for at, value in enumerate(values)]
            await counting.add(run(records, owner), owner)
            await counting.drain()

    asyncio.run(count())
    taken = newest.taken()
    return {model: {name: at - NOON for name, at in times.items()} for model, times in taken.items()}


def event(at: int, model: str = "trees", /, **features: Any) -> dict[str, Any]:
    return {"model": model, "timestamp": NOON + at, "features": features}


def test_the_newest_value_counts_and_neither_a_pane_nor_an_event_without_one() -> None:
    assert told(event(5, temp=1.0, carrier="UA"), event(900, temp=2.0), event(7, carrier="AA"), event(3_000)) == {
        "trees": {"predictions:temp": 900, "predictions:carrier": 7}
    }


def test_models_are_told_apart() -> None:
    found = told(event(5, temp=1.0), event(9, "prices", temp=1.0), event(4, "prices", temp=1.0, carrier="UA"))
    assert found == {"trees": {"predictions:temp": 5}, "prices": {"predictions:temp": 9, "predictions:carrier": 4}}


@pytest.mark.parametrize("name", VALUES)
def test_what_is_a_value(name: str) -> None:
    values, others = VALUES[name]
    for value in values:
        assert told(event(1, **{name: value}), event(2, **{name: None})) == {"trees": {f"predictions:{name}": 1}}, value
    for other in others:
        assert told(event(1, **{name: values[0]}), event(2, **{name: other})) == {"trees": {f"predictions:{name}": 1}}


def test_an_event_that_is_refused_for_its_time_says_nothing() -> None:
    future, too_late = HOUR + 300_001, -48 * HOUR
    assert told(event(future, temp=1.0), event(too_late, temp=1.0)) == {}
    assert told(event(future - 1, temp=1.0)) == {"trees": {"predictions:temp": future - 1}}


def test_events_of_the_feature_store_are_for_every_model_that_declares_the_feature() -> None:
    found = told(
        {"feature": "temp", "source": "feed", "timestamp": NOON + 60, "values": [None, 3.0]},
        {"feature": "temp", "source": "feed", "timestamp": NOON + 90, "values": [None, None]},
        {"feature": "wide", "source": "feed", "timestamp": NOON + 30, "values": [3.0]},
        stream="features",
    )
    assert found == {"trees": {"features:temp": 60, "features:wide": 30}, "prices": {"features:temp": 60}}


def test_one_by_one_and_in_columns_in_any_order_the_same_is_told() -> None:
    random = Random(1)
    rows = []
    for at in range(700):
        held = {
            name: random.choice(values if random.random() < 0.7 else [None]) for name, (values, _) in VALUES.items()
        }
        if at > 400:
            del held["score"]
        rows.append((random.randrange(2 * HOUR // 3), held))
    names = list(VALUES)
    expected = {
        f"predictions:{name}": max(at for at, held in rows if held.get(name) is not None) for name in names
    }  # fmt: skip
    batch = {
        "model": "trees", "timestamp": [NOON + at for at, _ in rows],
        "features": {name: [held.get(name) for _, held in rows] for name in names},
    }  # fmt: skip
    single = [event(at, **held) for at, held in rows]
    for events, at_once in ((single, 1000), (single, 64), (single[::-1], 1000), ([batch], 1), ([batch, *single], 1000)):
        assert told(*events, at_once=at_once) == {"trees": expected}


def test_around_a_switch_both_layouts_are_the_same_feature() -> None:
    force = InForce(reference=NEW, monitor=monitor(), from_ms=NOON + HOUR, previous=(OLD, monitor()))
    newest, owner = Newest(), tenure()
    counting = counter(applied(trees=force), newest=newest)

    async def count() -> None:
        events = [event(HOUR + 5, temp=1.0), event(HOUR - 5, temp=1.0, wide=1.0)]
        records = [Stored(json.dumps(one).encode(), at, NOON + HOUR) for at, one in enumerate(events)]
        await counting.add(run(records, owner), owner)
        await counting.drain()
        await counting.switch(both())
        assert counting.events == 2

    asyncio.run(count())
    assert newest.taken() == {"trees": {"predictions:temp": NOON + HOUR + 5, "predictions:wide": NOON + HOUR - 5}}
    assert newest.taken() == {}


def test_what_could_not_be_stored_is_told_again_with_what_came_since() -> None:
    newest = Newest()
    newest.give_back({"trees": {"predictions:temp": 7, "predictions:wide": 9}})
    newest.give_back({"trees": {"predictions:temp": 8, "predictions:wide": 3}})
    assert newest.taken() == {"trees": {"predictions:temp": 8, "predictions:wide": 9}}


def test_of_many_models_each_has_its_turn_and_those_that_come_again_do_not_go_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stream.ingest.newest.AT_ONCE", 2)
    models = [f"m{number}" for number in range(5)]
    found = applied(**{model: InForce(reference=OLD, monitor=monitor()) for model in models})
    newest, owner = Newest(), tenure()
    counting = counter(found, newest=newest)
    told: list[list[str]] = []

    async def count() -> None:
        for at in range(3):
            events = [event(at, model, temp=1.0) for model in models]
            records = [Stored(json.dumps(one).encode(), owner.read + n, NOON + HOUR) for n, one in enumerate(events)]
            await counting.add(run(records, owner), owner)
            await counting.drain()
            told.append(list(newest.taken()))

    asyncio.run(count())
    assert told == [["m0", "m1"], ["m2", "m3"], ["m4", "m0"]]
    assert newest.taken() == {model: {"predictions:temp": NOON + 2} for model in ("m1", "m2")}
    assert newest.taken() == {"m3": {"predictions:temp": NOON + 2}}
    assert newest.taken() == {}
