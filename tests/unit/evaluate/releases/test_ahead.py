"""Windows of which one stream is not known: what they may do, and what follows on them."""

from __future__ import annotations

from msgspec.structs import replace

from stream.evaluate.releases.ahead import Ahead
from stream.evaluate.releases.step import step_of_harm
from tests.support.released import HOUR, arm, monitor, running, shared, told, window

DOUBTFUL = shared(0.05, champion=arm(9_500, errors=400), errors=35)


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
