"""Names seen in events: kept until they are stored, bounded, and nothing that a producer writes breaks them."""

from __future__ import annotations

from stream.ingest.sightings import LONGEST, Sightings


def test_each_name_is_kept_with_when_it_was_last_seen_until_it_is_drained() -> None:
    seen = Sightings(9)
    seen.note("m", ["a", 7], at_ms=5)
    seen.note("m", ["a"], at_ms=6)
    assert seen.drained() == {"m": {"a": 6, "7": 5}}
    assert seen.drained() == {}


def test_none_and_an_empty_text_are_no_names_and_its_model_is_not_seen() -> None:
    seen = Sightings(9)
    seen.note("m", [None, ""], at_ms=5)
    seen.note("n", [], at_ms=5)
    assert seen.drained() == {}


def test_a_producer_that_makes_up_names_is_bounded() -> None:
    seen = Sightings(9)
    seen.note("m", ["first"], at_ms=0)
    seen.note("m", [f"{number}" + "x" * 200 for number in range(30)], at_ms=1)
    seen.note("m", ["first"], at_ms=2)
    found = seen.drained()["m"]
    assert (len(found), max(map(len, found)), found["first"]) == (9, LONGEST, 2)


def test_half_a_surrogate_pair_can_be_stored() -> None:
    seen = Sightings(9)
    seen.note("m", ["a\ud800"], at_ms=1)
    assert seen.drained() == {"m": {"a?": 1}}
