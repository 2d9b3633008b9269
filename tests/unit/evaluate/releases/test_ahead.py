"""Windows of which one stream is not known: what they may do, and what follows on them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from stream.evaluate.releases.ahead import Ahead
from stream.evaluate.releases.step import step_of_harm
from tests.support.released import HOUR, arm, monitor, running, shared, told, window
from tests.support.released_dry import Dry, begun, phases
from tests.support.released_live import RELEASE

DOUBTFUL = shared(0.05, champion=arm(9_500, errors=400), errors=35)
RATED = RELEASE.model_copy(update={"ratings": "labels"})


def test_what_is_bad_goes_back_by_its_rule_alone_and_what_is_good_stays_where_it_is() -> None:
    bad = step_of_harm(running(), window(1, shared(0.05, errors=200)), monitor())
    assert bad.decision is not None
    assert told([bad.decision]) == [(1, "roll_back", 0.0, ("errors",))]
    assert (bad.state.phase, bad.evidence.requests, bad.evidence.compared) == ("rolled_back", 500, ())
    assert step_of_harm(running(), window(1, shared(0.05)), monitor())[:2] == (running(), None)
    assert step_of_harm(bad.state, window(2, shared(0.05, errors=200)), monitor()).decision is None


def test_the_same_doubt_in_two_windows_on_end_goes_back() -> None:
    once = step_of_harm(running(), window(1, DOUBTFUL), monitor())
    assert (once.decision, once.state) == (None, replace(running(), doubtful=("errors",)))
    calm = step_of_harm(once.state, window(2, shared(0.05)), monitor()).state
    assert step_of_harm(calm, window(3, DOUBTFUL), monitor()).decision is None
    again = step_of_harm(once.state, window(2, DOUBTFUL), monitor()).decision
    assert again is not None
    assert told([again]) == [(2, "roll_back", 0.0, ("errors",))]


def test_what_was_judged_ahead_is_nothing_once_the_release_stands_further_or_was_decided_on() -> None:
    ahead = Ahead(3 * HOUR, replace(running(), doubtful=("errors",)))
    assert ahead.follows(running(), 2 * HOUR)
    assert not ahead.follows(running(), 3 * HOUR)
    assert not ahead.follows(replace(running(), number=2), HOUR)
    assert not ahead.follows(replace(running(), release="rel-of-another-file"), HOUR)


def silent(**of: Any) -> Dry:
    """Labels are read to their end and quiet, the first hour is closed, and four more of what a good version answers."""
    found = begun(phases=phases(RATED, **of))
    found.release.silent = {"labels"}
    found.routed(0.05, hours=4)
    return found


def test_windows_are_judged_ahead_once_each_and_again_only_from_where_a_decision_left_them() -> None:
    found = silent()
    found.turn()
    assert (found.read, found.release.last, found.release.is_due) == ([(1, 2), (2, 3), (3, 4)], HOUR, False)
    found.routed(0.05)
    assert found.release.is_due
    found.turn()
    assert found.read[3:] == [(4, 5)]
    found.closed(2)
    found.turn()
    assert told(found.told)[1:] == [(2, "promote", 0.10, ("healthy",))]
    assert found.read[4:] == [(1, 2), (1, 2), (2, 3), (3, 4), (4, 5)], "of two streams, and then of one again"


def test_harm_ahead_is_told_once_and_what_was_judged_is_judged_no_more() -> None:
    found = silent()
    found.routed(0.05, errors=0.5, hours=2)
    made = found.turn()
    assert told(found.told)[1:] == [(6, "roll_back", 0.0, ("errors",))]
    assert (made.fields["last"], found.shown["judged_to"]) == (6 * HOUR, 6 * HOUR)
    assert [(one.state, one.rev, one.onset.lo) for one in found.found] == [("firing", (6 * HOUR, 0), HOUR)]
    found.routed(0.0, hours=3)
    assert not found.release.is_due


def test_no_window_ahead_is_judged_while_panes_may_be_missing_nor_beyond_where_another_file_begins() -> None:
    found = silent()
    found.warming = True
    found.turn()
    assert found.read == []
    ending = begun(phases=phases(RATED, None, until=3))
    ending.release.silent = {"labels"}
    ending.routed(0.05, hours=2)
    ending.closed(5, stream="predictions")
    ending.turn()
    assert (ending.read, ending.release.is_due) == ([(1, 2), (2, 3)], False)
