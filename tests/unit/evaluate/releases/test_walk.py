"""A release's turns: up to where it is judged, from when a share counts, and what is kept of a turn."""

from __future__ import annotations

import pytest

from stream.evaluate.closing.closing import Refused
from stream.state.store import PANES_A_BLOCK
from tests.support.judged import HOUR
from tests.support.released import told
from tests.support.released_dry import SEEN_AFTER_MS, Dry, begun, phases
from tests.support.released_live import RELEASE

BEGUN = (1, "begin", 0.05, ("begun",))
OTHER = RELEASE.model_copy(update={"challenger": "5"})
LONG = RELEASE.model_copy(update={"every_ms": 3 * HOUR})


def test_a_share_counts_only_once_the_router_may_know_it() -> None:
    """A decision leaves when its window is complete: so much later than it ends as events may be late."""
    found = begun(phases=phases(RELEASE, lateness_ms=HOUR))
    found.routed(0.05, hours=2)
    found.turn()
    assert told(found.told) == [BEGUN, (2, "hold", 0.05, ("settling",)), (3, "promote", 0.10, ("healthy",))]


def test_windows_in_which_panes_may_be_missing_are_passed_over() -> None:
    found = begun()
    found.warming = True
    found.routed(0.05, errors=1.0, hours=3)
    found.turn()
    assert (told(found.told), found.read, found.release.last) == ([BEGUN], [], 4 * HOUR)
    found.warming = False
    found.routed(0.05)
    found.turn()
    assert (told(found.told)[1:], found.read) == ([(5, "promote", 0.10, ("healthy",))], [(4, 5)])


def test_every_turn_says_up_to_where_no_window_comes_any_more_and_by_which_file() -> None:
    found = begun()
    assert [(one.at, one.seen) for one in found.marks] == [(2 * HOUR - 1, 2 * HOUR - 1 + SEEN_AFTER_MS)]
    found.routed(0.05, hours=2)
    made = found.turn()
    assert [one.at for one in found.marks] == [2 * HOUR - 1, 4 * HOUR - 1]
    assert (made.last, made.fields["last"], made.fields["judged_by"]) == (str(HOUR), 3 * HOUR, "7")
    assert (found.shown["judged_to"], found.sent, found.tally.windows) == (3 * HOUR, [["m"], ["m"]], 2)


def test_where_nothing_runs_it_goes_to_what_is_closed_and_stops_where_a_file_begins() -> None:
    found = Dry(phases=phases(None, RELEASE, until=9))
    found.release.stored = found.release.last = 0
    found.routed(0.0, hours=5)
    found.turn()
    assert found.release.last == 5 * HOUR, "no file is ahead of its time"
    found.routed(0.0, hours=6)
    found.turn()
    assert (found.release.last, told(found.told)[0]) == (11 * HOUR, (9, "begin", 0.05, ("begun",)))


def test_one_that_was_rolled_back_goes_on_by_whole_windows() -> None:
    found = begun(phases=phases(LONG))
    found.routed(0.05, errors=0.5, hours=5)
    found.turn()
    assert [one[:2] for one in told(found.told)] == [(3, "begin"), (6, "roll_back")]
    found.routed(0.0, hours=5)
    found.turn()
    assert found.release.last == 9 * HOUR, "of eleven that are closed"


def test_a_window_that_ends_where_another_file_begins_promotes_nobody() -> None:
    found = begun(phases=phases(RELEASE, OTHER, until=2))
    found.routed(0.05)
    found.turn()
    assert told(found.told)[1:] == [(2, "roll_back", 0.0, ("superseded",)), (2, "begin", 0.05, ("begun",))]
    assert (found.told[1].challenger, found.told[2].challenger) == ("4", "5")


def test_many_windows_are_stored_a_block_at_a_time() -> None:
    found = begun()
    found.routed(0.0, hours=PANES_A_BLOCK + 1)
    found.turn()
    assert [one.fields["last"] // HOUR for one in found.made] == [1, 25, 26]  # type: ignore[operator]


def test_what_is_refused_leaves_what_is_known_of_the_store_as_it_was() -> None:
    found = begun()
    found.outcome = "elsewhere"
    found.routed(0.05)
    with pytest.raises(Refused, match="elsewhere"):
        found.turn()
    assert (found.release.expected, len(found.made), len(found.sent)) == (str(HOUR), 1, 1)
