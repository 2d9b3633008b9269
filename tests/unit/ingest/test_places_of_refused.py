"""A refused event of a record of several says which one it is: of an unknown model, an undeclared feature, a sample of nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.config import InForce
from schemas.names import Stream
from stream.ingest.buffer import Buffer
from tests.support.ingest import NOON, OLD, Stored, applied, monitor, run, tenure

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


def _places(stream: Stream, found: Any) -> list[int | None]:
    decoder = applied(trees=InForce(reference=OLD, monitor=monitor()))[stream].decoder
    into, owner = Buffer(), tenure(stream=stream)
    decoder.decode_run(run([Stored(json.dumps(found).encode())], owner).records, owner, into=into)
    return [rejection.index for rejection in into.rejections]
