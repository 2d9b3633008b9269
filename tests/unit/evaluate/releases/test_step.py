"""The canary: which windows bring a challenger on, which hold it, and which send it back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from schemas.releases import release_id
from stream.evaluate.releases.state import State
from stream.evaluate.releases.step import step
from stream.evaluate.releases.window import Arm, Arms, Sums
from stream.ingest.codes import scattered
from stream.state.arms import ID_BUCKETS
from tests.support.released import HOUR, arm, monitor, running, shared, stepped, told, window

GOOD = [window(hour, shared(share)) for hour, share in enumerate((0.05, 0.10, 0.25, 0.50, 1.0), start=1)]


def test_a_good_version_goes_on_window_by_window_and_is_complete() -> None:
    state, found = stepped(running(), GOOD)
    assert told(found) == [
        (1, "promote", 0.10, ("healthy",)),
        (2, "promote", 0.25, ("healthy",)),
        (3, "promote", 0.50, ("healthy",)),
        (4, "promote", 1.0, ("healthy",)),
        (5, "complete", 1.0, ("healthy",)),
    ]
    assert [one.number for one in found] == [2, 3, 4, 5, 6]
    assert (state.phase, state.share, state.since) == ("complete", 1.0, 4 * HOUR)
    assert stepped(state, [window(6, shared(1.0, errors=5_000))]) == (state, [])


def test_a_bad_version_at_ten_per_cent_is_rolled_back_after_one_window_and_stays_so() -> None:
    state, found = stepped(running(), [GOOD[0], window(2, shared(0.10, errors=200))])
    assert told(found)[1:] == [(2, "roll_back", 0.0, ("errors", "worse_success"))]
    assert found[1].reasons[0].text == "errors: 0.2 of 1000 beside a limit of 0.05"
    check = found[1].evidence.checks[0]
    assert (check.rule, check.grade, check.limit, check.n, check.value) == ("errors", "bad", 0.05, 1000, 0.2)
    assert check.p == pytest.approx(1.3e-57, rel=0.5)
    assert state.phase == "rolled_back"
    assert stepped(state, GOOD) == (state, [])


def test_one_doubtful_window_holds_and_two_on_end_roll_back() -> None:
    doubtful = shared(0.05, champion=arm(9_500, errors=400), errors=35)  # of 500: p = 0.03
    calm = window(2, shared(0.05))
    assert told(stepped(running(), [window(1, doubtful), calm])[1]) == [
        (1, "hold", 0.05, ("doubtful",)),
        (2, "promote", 0.10, ("healthy",)),
    ]
    assert told(stepped(running(), [window(1, doubtful), window(2, doubtful)])[1])[1:] == [
        (2, "roll_back", 0.0, ("errors",))
    ]


def test_what_few_ids_alone_make_doubtful_holds_and_rolls_nobody_back() -> None:
    """Twenty users of fifty requests each; two of them always fail."""
    few: dict[str, Any] = {"errors": 100, "ids": (50,) * 10 + (-50,) * 10, "with_id": 1000}
    windows = [window(hour, shared(0.10, champion=arm(9_000, errors=400), **few)) for hour in (1, 2, 3)]
    state, found = stepped(replace(running(), share=0.10), windows)
    assert told(found) == [(1, "hold", 0.10, ("doubtful",))]
    assert found[0].reasons[0].text == "errors: 0.1 beside a limit of 0.05, of few ids"
    assert state.doubtful == ()


def test_doubts_of_two_rules_are_not_one_doubt_twice() -> None:
    windows = [window(1, shared(0.05, champion=arm(9_500, errors=400), errors=35)), window(2, shared(0.05, slow=35))]
    assert told(stepped(running(), windows)[1]) == [(1, "hold", 0.05, ("doubtful",))]


def test_a_hold_is_told_when_its_reasons_change() -> None:
    few = Arms(arm(9_500), arm(20))
    windows = [window(1, Arms(arm(9_500), Arm())), window(2, Arms(arm(9_500), Arm())), window(3, few), window(4, few)]
    windows += [window(5, Arms(arm(9_500), Arm())), window(6, shared(0.05))]
    state, found = stepped(running(), windows)
    assert told(found) == [
        (1, "hold", 0.05, ("never_seen",)),
        (3, "hold", 0.05, ("not_enough_requests",)),
        (5, "hold", 0.05, ("no_traffic",)),
        (6, "promote", 0.10, ("healthy",)),
    ]
    assert found[0].reasons[0].text == "version '4' was never seen"
    assert found[1].reasons[0].text == "20 requests of the 100 that a verdict needs"
    assert state.seen == ("3", "4")


def test_a_version_that_is_never_seen_holds_and_no_champion_holds_too() -> None:
    state, found = stepped(running(), [window(1, Arms()), window(2, Arms(Arm(), arm(500)))])
    assert told(found) == [
        (1, "hold", 0.05, ("never_seen", "champion_no_traffic")),
        (2, "hold", 0.05, ("champion_no_traffic",)),
    ]
    assert state.runs


def test_a_router_that_divides_otherwise_than_told_is_never_promoted() -> None:
    assert told(stepped(running(), [window(1, shared(0.10)), window(2, shared(0.10))])[1]) == [
        (1, "hold", 0.05, ("sample_ratio",))
    ]


def test_what_was_sent_before_the_router_could_know_a_share_is_judged_for_harm_alone() -> None:
    early = window(1, shared(0.05), settled=Arms(arm(950), arm(50)), settled_ms=HOUR // 2)
    (held,) = stepped(running(), [early])[1]
    assert told([held]) == [(1, "hold", 0.05, ("settling",))]
    unsettled = window(1, shared(0.05), settled=Arms(arm(900), arm(100)), settled_ms=HOUR // 2)
    assert step(running(), unsettled, monitor()).evidence.observed_share == 0.1
    bad = window(1, shared(0.05, errors=200), settled=Arms(), settled_ms=2 * HOUR)
    assert told(stepped(running(), [bad])[1]) == [(1, "roll_back", 0.0, ("errors",))]


def test_a_window_that_a_change_cut_short_is_judged_for_harm_alone() -> None:
    short = window(2, shared(0.05))  # an hour, where the file promises two
    state, found = stepped(running(), [short], every_ms=2 * HOUR)
    assert told(found) == [(2, "hold", 0.05, ("settling",))]
    assert found[0].reasons[0].text == "a change cut the window to 1h of 2h"
    assert told(stepped(replace(state, share=1.0), [window(2, shared(1.0))], every_ms=2 * HOUR)[1]) == []
    bad = window(2, shared(0.05, errors=200))
    assert told(stepped(running(), [bad], every_ms=2 * HOUR)[1])[0][1] == "roll_back"


def test_a_champion_that_is_as_bad_holds_and_a_worse_challenger_goes_back() -> None:
    as_bad = Arms(arm(9_500, errors=1_900), arm(500, errors=100))
    worse = Arms(arm(9_500, errors=1_900), arm(500, errors=200))
    assert told(stepped(running(), [window(1, as_bad)])[1]) == [(1, "hold", 0.05, ("both_unhealthy",))]
    assert told(stepped(running(), [window(1, worse)])[1])[0][1] == "roll_back"


def test_shares_that_a_file_changes_meanwhile_go_on_from_where_the_release_is() -> None:
    found = stepped(running(), [GOOD[0], window(2, shared(0.10)), window(3, shared(0.6))], shares=(0.02, 0.6, 1.0))[1]
    assert told(found) == [
        (1, "promote", 0.6, ("healthy",)),
        (2, "hold", 0.6, ("sample_ratio",)),
        (3, "promote", 1.0, ("healthy",)),
    ]


def test_a_state_that_was_stored_goes_on_as_if_nothing_was() -> None:
    state = running()
    for one in GOOD:
        state = step(State.from_json(state.to_json()), one, monitor())[0]
    assert state == stepped(running(), GOOD)[0]
    assert state.release == release_id("m", "3", "4", begun_ms=0)


def test_fewer_requests_than_a_verdict_needs_are_held_however_bad_they_look() -> None:
    few = shared(0.05, champion=arm(9_500, errors=500), errors=50)
    assert told(stepped(running(), [window(1, few)], least=100)[1])[0][1] == "roll_back"
    assert told(stepped(running(), [window(1, few)], least=501)[1]) == [(1, "hold", 0.05, ("not_enough_requests",))]


def test_a_challenger_that_keeps_every_limit_and_is_surely_worse_than_the_champion_goes_back() -> None:
    good = window(1, shared(0.05, champion=arm(9_500, errors=95), errors=5))
    state, found = stepped(running(), [good])
    assert told(found) == [(1, "promote", 0.10, ("healthy",))]
    worse = shared(0.10, of=100_000, champion=arm(90_000, errors=900), errors=300)
    state, found = stepped(state, [window(2, worse)])
    assert told(found) == [(2, "roll_back", 0.0, ("worse_success",))]
    assert state.why == "success: -0.02 beside the champion"
    success = found[0].evidence.compared[0]
    assert (success.n, success.n_champion) == (10_000, 90_000)
    assert success.difference == pytest.approx(-0.02)
    assert success.low < -0.02 < success.high < 0
    assert success.d == pytest.approx(-0.18, abs=0.01)


def test_what_was_compared_at_another_share_is_forgotten() -> None:
    state, _ = stepped(running(), [GOOD[0]])
    assert state.since_share.challenger.success.n == 0
    held, _ = stepped(running(), [window(1, shared(0.05), settled=shared(0.05, of=1_000)), window(2, shared(0.07))])
    assert held.since_share.challenger.success.n == 50 + 700


def test_a_longer_latency_that_nobody_notices_is_no_harm() -> None:
    def of(requests: int, mean: float) -> Sums:
        return Sums(requests, requests * mean, requests * (mean * mean + 1.0))

    champion = arm(950_000, latency=of(950_000, 1.0))
    unfelt = shared(0.05, of=1_000_000, champion=champion, latency=of(50_000, 1.05))
    felt = shared(0.05, of=1_000_000, champion=champion, latency=of(50_000, 1.2))
    assert told(stepped(running(), [window(1, unfelt)])[1])[0][1] == "promote"
    assert told(stepped(running(), [window(1, felt)])[1]) == [(1, "roll_back", 0.0, ("worse_latency",))]


def test_ids_that_go_to_both_versions_hold_and_ids_that_stick_do_not() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.permutation(np.repeat(np.arange(64), 50)).reshape(2, -1)
    leaking = Arms(arm(1_600, **sketch(first)), arm(1_600, **sketch(second)))
    sticky = Arms(arm(1_600, **sketch(first % 32)), arm(1_600, **sketch(32 + second % 32)))
    begun = replace(running(), share=0.5)
    assert told(stepped(begun, [window(1, leaking)])[1]) == [(1, "hold", 0.5, ("leaking",))]
    assert told(stepped(begun, [window(1, sticky)])[1]) == [(1, "promote", 1.0, ("healthy",))]


def sketch(ids: NDArray[np.int64]) -> dict[str, Any]:
    cells = np.bincount([scattered(str(each), 2 * ID_BUCKETS) for each in ids], minlength=2 * ID_BUCKETS)
    return {"ids": tuple((cells[0::2] - cells[1::2]).tolist()), "with_id": len(ids)}
