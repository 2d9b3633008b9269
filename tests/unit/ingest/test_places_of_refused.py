"""A refused event of a record of several says which one it is: of an unknown model, an undeclared feature, a sample of nobody,
one that came at a time that is refused.  An event is refused once, however many values and models it is of.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from schemas.config import InForce
from schemas.names import Stream
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.plan import StreamPlan
from stream.records import Records
from tests.support.ingest import HOUR, NOON, OLD, Stored, applied, both, counter, monitor, run, tenure

STRANGE: dict[Stream, dict[str, Any]] = {
    "predictions": {"model": "prices"},
    "labels": {"model": "prices", "id": "7", "outcome": 1},
    "features": {"feature": "fog", "source": "w", "values": [1.0]},
    "serving": {"gpu": "0", "metrics": {}},
}
GOOD: dict[Stream, dict[str, Any]] = {
    "predictions": {"model": "trees"},
    "labels": {"model": "trees", "id": "7", "outcome": 1},
    "features": {"feature": "temp", "source": "w", "values": [1.0]},
    "serving": {"model": "trees", "status": "success"},
}


@pytest.mark.parametrize("stream", STRANGE)
def test_the_place_in_an_array(stream: Stream) -> None:
    events = [found | {"timestamp": NOON} for found in (STRANGE[stream], GOOD[stream], STRANGE[stream])]
    assert _places(stream, events) == [0, 2]
    assert _places(stream, events[0]) == [None]


def test_the_place_in_a_batch() -> None:
    assert _places("predictions", {"model": ["prices", "trees", "prices"], "timestamp": [NOON] * 3}) == [0, 2]
    assert _places("predictions", {"model": "prices", "timestamp": [NOON] * 2}) == [0, 1]


def test_a_buffer_that_is_counted_later_keeps_the_places_of_its_rows() -> None:
    early, later = (_decoded("predictions", [GOOD["predictions"] | {"timestamp": NOON}] * 2) for _ in range(2))
    assert [early.followed_by(later).event_of(row)[1] for row in range(4)] == [0, 1, 0, 1]


def _places(stream: Stream, found: Any) -> list[int | None]:
    return [rejection.index for rejection in _decoded(stream, found).rejections]


def _decoded(stream: Stream, found: Any) -> Buffer:
    decoder = applied(trees=InForce(reference=OLD, monitor=monitor()))[stream].decoder
    into, owner = Buffer(), tenure(stream=stream)
    decoder.decode_run(Records.of([Stored(json.dumps(found).encode())]), owner, into=into)
    return into


FUTURE, TOO_LATE = NOON + 301_000, NOON - 40 * HOUR
#: Of the one place in each that is refused: a sample has no pane, and so cannot be too late for it.
TIMED = [(stream, time) for stream in GOOD for time in (FUTURE, TOO_LATE)]
SAMPLE = {"gpu": "0", "uuid": "u", "host": "n7", "metrics": {}}


@pytest.mark.parametrize(("stream", "time"), TIMED)
def test_the_place_in_an_array_of_what_came_at_a_wrong_time(stream: Stream, time: int) -> None:
    reason = "future" if time == FUTURE else "too_late"
    events = [GOOD[stream] | {"timestamp": at} for at in (NOON, time, NOON, time)]
    assert _refused(stream, events) == [(0, reason, 1), (0, reason, 3)]
    assert _refused(stream, events[1]) == [(0, reason, None)]


def test_the_place_of_a_sample_and_of_a_control_record_from_the_future() -> None:
    later: list[dict[str, Any]] = [SAMPLE, {"control": "watermark"}]
    events = [GOOD["serving"] | {"timestamp": NOON}, *(found | {"timestamp": FUTURE} for found in later)]
    assert _refused("serving", events) == [(0, "future", 1), (0, "future", 2)]


@pytest.mark.parametrize("time", [FUTURE, TOO_LATE])
def test_the_place_in_a_batch_of_what_came_at_a_wrong_time(time: int) -> None:
    """The row before it is refused for what it says, so it is the second of those that are counted."""
    reason = "future" if time == FUTURE else "too_late"
    batch = {"model": "trees", "timestamp": [NOON, 7, NOON, time], "features": {"temp": [1.0] * 4}}
    assert _refused("predictions", batch) == [(0, "seconds_time", 1), (0, reason, 3)]
    mixed = {"model": ["trees", "prices"], "timestamp": [NOON, time]}
    assert _refused("predictions", mixed) == [(0, reason, 1)]


@pytest.mark.parametrize("time", [FUTURE, TOO_LATE])
def test_a_feature_stores_event_of_many_values_and_models_is_refused_once(time: int) -> None:
    reason, event = "future" if time == FUTURE else "too_late", GOOD["features"] | {"values": [1.0, None, 3.0]}
    assert _refused("features", event | {"timestamp": time}) == [(0, reason, None)]
    assert _refused("features", [event | {"timestamp": time}] * 2) == [(0, reason, 0), (0, reason, 1)]
    batch = event | {"timestamp": [NOON, time, time]}
    assert _refused("features", batch) == [(0, reason, 1), (0, reason, 2)]
    assert _refused("features", *[event | {"timestamp": time}] * 2) == [(0, reason, None), (1, reason, None)]


def test_an_event_that_is_too_late_for_one_model_alone_is_refused_once_and_counted_for_the_other() -> None:
    short = monitor(revise_within_ms=HOUR)
    found = applied(trees=InForce(reference=OLD, monitor=monitor()), prices=InForce(reference=OLD, monitor=short))
    late = GOOD["features"] | {"timestamp": NOON - 5 * HOUR, "values": [1.0, 2.0]}
    assert _refused("features", late, found=found, counted=2) == [(0, "too_late", None)]


def _refused(
    stream: Stream, *values: Any, found: dict[str, StreamPlan] | None = None, counted: int | None = None
) -> list[tuple[int, str, int | None]]:
    """(offset, reason, place) of what is refused of these records of noon, counted as refused by their partition."""
    refused: list[Rejection] = []
    counting, owner = counter(found or both(), refused=refused), tenure(stream=stream)
    records = [Stored(json.dumps(value).encode(), offset, topic=stream) for offset, value in enumerate(values)]

    async def count() -> None:
        await counting.add(run(records, owner), owner)
        await counting.drain()

    asyncio.run(count())
    assert owner.rejected.total() == len(refused)
    assert counted is None or counting.events == counted
    return [(one.record.offset, one.reason, one.index) for one in refused]
