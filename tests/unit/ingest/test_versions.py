"""Versions seen in events: one event a run, columnar and strict events too, and nothing that a producer writes breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from schemas.names import Stream
from tests.support.ingest import NOON, Shelf, Stored, both, counter, event, run, tenure


def seen_after(*values: bytes, stream: Stream = "predictions") -> dict[str, dict[str, int]]:
    """What is known after a run of these, and once the decoder has been taught by them."""

    async def count() -> dict[str, dict[str, int]]:
        owner, counting = tenure(stream=stream), counter(both(), shelf=Shelf())
        records: Sequence[Stored] = [Stored(value, at, NOON + at) for at, value in enumerate(values)]
        await counting.add(run(records, owner), owner)
        await counting.learn()
        found = counting.plans[stream].decoder.versions.drained()
        return {model: dict(versions) for model, versions in found.items()}

    return asyncio.run(count())


def test_the_last_event_of_a_run_says_its_version_and_when() -> None:
    assert seen_after(event(version="3"), event(version=4)) == {"trees": {"4": NOON + 1}}


def test_an_event_that_says_none_tells_nothing() -> None:
    assert seen_after(event(version="3"), event()) == {}


def test_an_empty_version_is_none() -> None:
    """To Prometheus an empty label is no label."""
    assert seen_after(event(version="3"), event(version="")) == {}
    assert seen_after(event(version="", undeclared={"a": 1})) == {}
    assert seen_after(event(timestamp=[NOON, NOON + 1], version=["3", ""])) == {"trees": {"3": NOON}}


def test_an_event_for_the_strict_contract_says_it_too() -> None:
    assert seen_after(event(version="7", undeclared={"a": 1})) == {"trees": {"7": NOON}}


def test_a_decoder_that_is_taught_anew_keeps_what_was_seen_before() -> None:
    assert seen_after(event(version="3", undeclared=1)) == {"trees": {"3": NOON}}


def test_a_batch_says_all_of_its_versions() -> None:
    batch = event(timestamp=[NOON, NOON + 1, NOON + 2], version=["3", 4, "3"])
    assert seen_after(batch) == {"trees": {"3": NOON, "4": NOON}}


def test_labels_say_nothing_of_versions_whether_they_come_alone_or_as_a_batch() -> None:
    batch = event(id=["a", "b"], timestamp=[NOON] * 2, outcome=[0, 1], version="3")
    for labels in (event(id="a", outcome=1, version="3"), batch):
        assert seen_after(labels, stream="labels") == {}
