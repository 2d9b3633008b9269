"""A deployment of one model: its decoder must still ask whose event it is."""

from __future__ import annotations

import pytest

from schemas.config import InForce
from stream.ingest.buffer import Buffer
from tests.support.ingest import NOON, OLD, Stored, applied, event, monitor, run, tenure


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
    decoder.decode_run(run([Stored(value), Stored(event(), offset=1)], tenure()).records, tenure(), into=into)
    assert [rejection.reason for rejection in into.rejections] == [reason]
    assert [shape for shape in into.shape if shape >= 0] == [0]
