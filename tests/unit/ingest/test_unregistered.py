"""Names of features that nobody declared: from the first event on, by the fast path too, and bounded."""

from __future__ import annotations

import asyncio

from tests.support.ingest import NOON, Shelf, Stored, both, counter, event, run, tenure

STRANGE = event(features={"temp": 5, "wind": 3})


def seen_after(*values: bytes, learned: bool) -> dict[str, dict[str, int]]:
    """What is known after these, and where ``learned``, after the first of them has taught the decoder."""

    async def count() -> dict[str, dict[str, int]]:
        owner, counting = tenure(), counter(both(), shelf=Shelf())
        for at, value in enumerate(values):
            await counting.add(run([Stored(value, at, NOON + at)], owner), owner)
            if learned and at == 0:
                await counting.learn()
        found = counting.plans["predictions"].decoder.unregistered.drained()
        return {model: dict(names) for model, names in found.items()}

    return asyncio.run(count())


def test_a_name_is_known_from_its_first_event_and_when_it_was_last_seen() -> None:
    assert seen_after(STRANGE, learned=False) == {"trees": {"wind": NOON}}
    assert seen_after(STRANGE, STRANGE, event(), learned=False) == {"trees": {"wind": NOON + 1}}


def test_a_learned_name_is_still_seen_by_the_fast_path() -> None:
    assert seen_after(STRANGE, STRANGE, event(), learned=True) == {"trees": {"wind": NOON + 1}}


def test_a_decoder_that_is_taught_anew_keeps_what_was_seen_before() -> None:
    assert seen_after(STRANGE, event(), learned=True) == {"trees": {"wind": NOON}}


def test_events_of_what_is_declared_tell_nothing() -> None:
    assert seen_after(event(), event(features={"temp": 5}), learned=True) == {}
