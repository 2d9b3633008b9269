"""A deployment of one model: its decoder must still ask whose event it is."""

from __future__ import annotations

import pytest

from schemas.config import InForce
from stream.ingest.buffer import Buffer
from stream.ingest.compiled.values import SHAPE
from stream.records import Records
from tests.support.ingest import NOON, OLD, Stored, applied, event, monitor, tenure


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"timestamp": %d, "features": {"temp": 1.0}}' % NOON, "missing_field"),
        (event(model=""), "unknown_model"),
        (event(model="prices"), "unknown_model"),
    ],
)
def test_an_event_of_no_model_is_not_counted_as_the_only_one(value: bytes, reason: str) -> None:
    decoder = applied(trees=InForce(reference=OLD, monitor=monitor()))["predictions"].decoder
    into = Buffer()
    decoder.decode_run(Records.of([Stored(value), Stored(event(), offset=1)]), tenure(), into=into)
    assert [rejection.reason for rejection in into.rejections] == [reason]
    assert [shape for shape in into.meta(SHAPE).tolist() if shape >= 0] == [0]
