"""Versions seen in events: one event a run, columnar and strict events too, and nothing that a producer writes breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stream.ingest.versions import LONGEST, MOST, Versions
from tests.support.ingest import NOON, Shelf, Stored, both, counter, event, run, tenure


def seen_after(*values: bytes) -> dict[str, dict[str, int]]:
    async def count() -> dict[str, dict[str, int]]:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        records: Sequence[Stored] = [Stored(value, at, NOON + at) for at, value in enumerate(values)]
        await counting.add(run(records, owner), owner)
        found = counting.plans["predictions"].decoder.versions.drained()
        return {model: dict(versions) for model, versions in found.items()}

    return asyncio.run(count())


def test_the_last_event_of_a_run_says_its_version_and_when() -> None:
    assert seen_after(event(version="3"), event(version=4)) == {"trees": {"4": NOON + 1}}


def test_an_event_that_says_none_tells_nothing() -> None:
    assert seen_after(event(version="3"), event()) == {}


def test_an_event_for_the_strict_contract_says_it_too() -> None:
    assert seen_after(event(version="7", undeclared={"a": 1})) == {"trees": {"7": NOON}}


def test_what_was_drained_is_forgotten() -> None:
    versions = Versions()
    versions.note("m", "1", at_ms=5)
    assert versions.drained() == {"m": {"1": 5}}
    assert versions.drained() == {}


def test_a_producer_that_writes_anything_is_bounded() -> None:
    versions = Versions()
    for number in range(100):
        versions.note("m", f"{number}" + "x" * 200, at_ms=number)
    found = versions.drained()["m"]
    assert len(found) == MOST
    assert {len(name) for name in found} == {LONGEST}


def test_half_a_surrogate_pair_can_be_stored() -> None:
    versions = Versions()
    versions.note("m", "a\ud800", at_ms=1)
    (name,) = versions.drained()["m"]
    assert name.encode() == b"a?"
