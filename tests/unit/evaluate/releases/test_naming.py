"""What a monitors file does to a release: begin, go on, end, be refused."""

from __future__ import annotations

from msgspec.structs import replace

from stream.evaluate.releases.naming import named
from stream.evaluate.releases.state import State
from tests.support.released import HOUR, monitor, running, told

SWAPPED = monitor(champion="4", challenger="3")


def test_a_first_name_begins_at_the_first_share() -> None:
    state, found = named(State(model="m"), monitor(), at_ms=HOUR)
    assert told(found) == [(1, "begin", 0.05, ("begun",))]
    assert (state.phase, state.begun, state.since, state.number) == ("running", HOUR, HOUR, 1)
    assert found[0].reasons[0].text == "version '4' begins with 5% of the requests"
    assert named(state, monitor(errors=0.01), at_ms=2 * HOUR) == (state, [])


def test_a_release_that_the_file_names_no_more_is_rolled_back_and_the_same_one_begins_anew() -> None:
    state, found = named(running(), None, at_ms=HOUR)
    assert (told(found), state) == ([(1, "roll_back", 0.0, ("removed",))], State(model="m"))
    assert named(state, None, at_ms=2 * HOUR) == (state, [])
    again, found = named(state, monitor(), at_ms=2 * HOUR)
    assert told(found) == [(2, "begin", 0.05, ("begun",))]
    assert again.release != running().release


def test_another_challenger_ends_the_one_that_runs() -> None:
    _, found = named(running(), monitor(challenger="5"), at_ms=HOUR)
    assert told(found) == [(1, "roll_back", 0.0, ("superseded",)), (1, "begin", 0.05, ("begun",))]
    assert [(one.champion, one.challenger, one.number) for one in found] == [("3", "4", 2), ("3", "5", 1)]


def test_what_was_rolled_back_stays_so_until_another_challenger_is_named() -> None:
    back = replace(running(), phase="rolled_back", share=0.0)
    assert named(back, monitor(), at_ms=HOUR) == (back, [])
    assert told(named(back, monitor(challenger="5"), at_ms=HOUR)[1]) == [(1, "begin", 0.05, ("begun",))]
    assert named(back, None, at_ms=HOUR) == (State(model="m"), [])


def test_arms_that_are_swapped_midway_are_rolled_back_and_refused() -> None:
    state, found = named(running(), SWAPPED, at_ms=HOUR)
    assert told(found) == [(1, "roll_back", 0.0, ("swapped",))]
    assert (found[0].champion, found[0].challenger) == ("3", "4")
    assert state.phase == "refused"
    assert state.why.startswith("champion '4' is the challenger of a release that is not complete")
    assert named(state, SWAPPED, at_ms=2 * HOUR) == (state, [])
    assert named(state, None, at_ms=2 * HOUR) == (State(model="m"), [])


def test_what_was_rolled_back_is_no_champion_either() -> None:
    back = replace(running(), phase="rolled_back", share=0.0)
    assert named(back, monitor(champion="4", challenger="5"), at_ms=HOUR)[0].phase == "refused"


def test_a_version_that_is_complete_may_be_champion() -> None:
    complete = replace(running(), phase="complete", share=1.0)
    assert told(named(complete, SWAPPED, at_ms=HOUR)[1]) == [(1, "begin", 0.05, ("begun",))]


def test_one_version_twice_is_refused() -> None:
    state, found = named(State(model="m"), monitor(challenger="3"), at_ms=HOUR)
    assert (found, state.phase) == ([], "refused")
    assert state.why == "champion and challenger are one version, '3': name another challenger"
