"""Burn rates: which pair fires at which counts, what clears it, and what is told of the budget."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.monitored import ServingMonitor
from schemas.names import Stream
from schemas.service_levels import Level
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.panes.ledger import Ledger, begun
from stream.evaluate.verdicts.burn import PAIRS, burn_verdicts, promises_of, revision_of, service_of
from stream.evaluate.verdicts.served import COUNTS, counts_of, terms_of
from stream.evaluate.verdicts.verdict import Verdict
from tests.support.judged import DAY, HOUR, counted, monitor, watched

MINUTE = 60_000
#: At a share of 5 % the factors are 72 %, 30 % and 5 % of the requests.
PROMISED = ServingMonitor(error_rate=0.05, latency_p95_ms=500)
Pane = tuple[int, int]


def model(serving: ServingMonitor = PROMISED, *, pane_ms: int = MINUTE, stream: Stream = "predictions") -> Watched:
    return watched(monitor(serving=serving, pane_ms=pane_ms), stream=stream)


def ledger(of: Watched, panes: dict[int, dict[str, Any]]) -> Ledger:
    """Panes by their minute."""
    terms = terms_of(of)
    assert terms is not None
    found = begun(of.layout.pane_ms, at_ms=0, longest_ms=terms.longest_ms, counts=COUNTS)
    for minute, rows in panes.items():
        found = found.plus(
            minute * MINUTE, counts_of(of.layout, counted(of.layout, rows), promised_ms=terms.promised_ms)
        )
    return found


def requests(bad: int, of: int) -> dict[str, Any]:
    return {"status": ["error"] * bad + ["success"] * (of - bad)}


def latencies(slow: int, of: int) -> dict[str, Any]:
    return {"latency_s": [2.0] * slow + [0.1] * (of - slow), "status": ["success"] * of}


#: A model that was served before: one request of the day before.
SERVED_BEFORE = {-1440: requests(0, 1)}


def fired(of: Watched, panes: dict[int, dict[str, Any]], *, slo: str = "errors") -> dict[str, str]:
    """State of each pair by its long window."""
    found = [said.whole() for said in burn_verdicts(of, ledger(of, panes))]
    return {verdict.window or "": verdict.state for verdict in found if verdict.scope == slo}


#: Sixty minutes at the stated counts (bad, of), then five.
@pytest.mark.parametrize(
    ("hour", "last", "state"),
    [
        ((8, 10), (10, 10), "firing"),  # 82 % of the hour
        ((8, 10), (7, 10), "ok"),  # 70 % of the last five minutes: it is over
        ((8, 10), (8, 10), "firing"),
        ((0, 10), (10, 10), "ok"),  # the last five minutes alone: 8 % of the hour
        ((7, 10), (10, 10), "firing"),  # 72.5 %
        ((7, 10), (9, 10), "ok"),  # 71.7 %
        ((0, 0), (3, 3), "no_data"),  # 15 requests, all failed
        ((0, 0), (4, 4), "firing"),  # 20 of them
        ((0, 0), (0, 4), "ok"),
    ],
)
def test_the_fast_pair_needs_both_windows_and_twenty_requests(hour: Pane, last: Pane, state: str) -> None:
    panes = SERVED_BEFORE | ({minute: requests(*hour) for minute in range(55)} if hour[1] else {})
    panes |= {minute: requests(*last) for minute in range(55, 60)}
    assert fired(model(), panes)["1h"] == state


@pytest.mark.parametrize(
    ("bad", "of", "state"),
    [(30, 100, "ok"), (31, 100, "firing"), (40, 100, "firing"), (71, 100, "firing")],
)
def test_the_second_pair_fires_above_six_times_what_is_allowed(bad: int, of: int, state: str) -> None:
    found = fired(model(), {minute: requests(bad, of) for minute in range(0, 360, 10)})
    assert (found["6h"], found["1h"]) == (state, "ok")


@pytest.mark.parametrize(("bad", "state"), [(5, "ok"), (6, "ok"), (7, "firing")])
def test_the_slow_pair_fires_above_what_is_allowed_and_beyond_chance(bad: int, state: str) -> None:
    """1 500 requests: 5 % of them is 75, and 90 happen to a service that keeps its promise in one of 26 such times."""
    found = fired(model(), {minute: requests(bad, 100) for minute in range(0, 15 * 240, 240)})
    assert (found["3d"], found["6h"]) == (state, "ok")


def test_what_happened_six_hours_ago_is_over_even_for_the_slow_pair() -> None:
    panes = {minute: requests(50, 50) for minute in range(30)}
    panes |= {minute: requests(0, 1) for minute in range(30, 389)}
    still = fired(model(), panes)  # the last bad minute is in the last six hours
    over = fired(model(), panes | {389: requests(0, 1)})
    assert still == {"1h": "ok", "6h": "ok", "3d": "firing"}
    assert over == {"1h": "ok", "6h": "ok", "3d": "ok"}


@pytest.mark.parametrize(
    ("minutes", "states"),
    [
        (5, ("no_data", "no_data", "no_data")),
        (6, ("firing", "no_data", "no_data")),
        (30, ("firing", "no_data", "no_data")),
        (31, ("firing", "firing", "no_data")),
        (360, ("firing", "firing", "no_data")),
        (361, ("firing", "firing", "firing")),
    ],
)
def test_a_pair_speaks_once_something_is_known_from_before_its_short_window(minutes: int, states: Any) -> None:
    """Until then both of its windows are all that there is, and the first minutes of a model would be its last three days."""
    of, panes = model(), {minute: requests(10, 10) for minute in range(minutes)}
    assert tuple(fired(of, panes).values()) == states
    told = service_of(of, ledger(of, panes), suspect=None).levels["errors"]
    assert told.firing == [window for window, state in fired(of, panes).items() if state == "firing"]
    assert [told.burn[pair.long] for pair in PAIRS] == [20.0 if state == "firing" else None for state in states]
    assert told.burn["5m"] == 20.0


def test_what_was_told_is_over_by_the_short_window_whatever_is_known_from_before() -> None:
    assert fired(model(), {0: requests(0, 3)}) == {"1h": "ok", "6h": "ok", "3d": "ok"}


def test_latency_burns_where_more_than_one_in_twenty_are_slower_than_promised() -> None:
    found = fired(model(), SERVED_BEFORE | {minute: latencies(73, 100) for minute in range(60)}, slo="latency")
    assert found == {"1h": "firing", "6h": "firing", "3d": "firing"}
    found = fired(model(), SERVED_BEFORE | {minute: latencies(31, 100) for minute in range(360)}, slo="latency")
    assert found == {"1h": "ok", "6h": "firing", "3d": "firing"}


def verdict(panes: dict[int, dict[str, Any]], *, window: str) -> Verdict:
    found = (said.whole() for said in burn_verdicts(model(), ledger(model(), panes)))
    return next(one for one in found if one.window == window and one.scope == "errors")


def test_a_page_says_what_it_rests_on() -> None:
    found = verdict({minute: requests(9, 10) for minute in range(60)}, window="1h")
    assert (found.rule, found.kind, found.severity, found.subject) == ("burn", "burn", "P1", "model:m")
    assert found.value == pytest.approx(18.0)
    assert (found.threshold, found.n) == (14.4, 600)
    assert (found.start_ms, found.memory, found.every) == (0, 5 * MINUTE, 4 * MINUTE)
    assert found.p is not None
    assert found.p < 1e-100
    assert found.evidence == {
        "slo": "errors", "allowed": 0.05, "bad": 540.0, "short": "5m", "short_value": pytest.approx(18.0),
    }  # fmt: skip


def test_what_informs_has_a_subject_of_its_own_so_that_it_keeps_no_outage_open() -> None:
    found = verdict({minute: requests(9, 10) for minute in range(60)}, window="3d")
    assert (found.severity, found.subject, found.memory) == ("P3", "slo:m/errors", 6 * HOUR)


def test_every_key_that_may_fire_is_listed_and_no_other() -> None:
    of = model()
    said = {said.key for said in burn_verdicts(of, ledger(of, {0: requests(1, 1)}))}
    assert said == {key for key in keys_of(of) if key.startswith("burn|")}
    assert len(said) == 2 * len(PAIRS)
    assert not any(key.startswith("burn|") for key in keys_of(model(stream="serving")))


def test_a_promise_of_none_has_no_budget_and_one_beyond_the_last_edge_no_slower_ones() -> None:
    assert promises_of(ServingMonitor(error_rate=0.0)) == {}
    far = model(ServingMonitor(latency_p95_ms=120_000))
    assert list(burn_verdicts(far, ledger(far, {0: latencies(40, 40)}))) == []
    assert service_of(far, ledger(far, {0: latencies(40, 40)}), suspect=None).levels == {}


def test_panes_longer_than_five_minutes_say_nothing_of_the_last_five() -> None:
    bad = {minute: requests(100, 100) for minute in range(0, 4320, 60)}
    hourly = model(pane_ms=HOUR)
    assert list(burn_verdicts(hourly, ledger(hourly, bad))) == []
    assert not any(key.startswith("burn|") for key in keys_of(hourly))
    burn = service_of(hourly, ledger(hourly, bad), suspect=None).levels["errors"].burn
    assert burn == dict.fromkeys(("5m", "30m", "1h", "6h", "3d"), pytest.approx(20.0))  # they are shown all the same
    assert fired(model(pane_ms=5 * MINUTE), SERVED_BEFORE | {0: requests(100, 100)})["1h"] == "firing"


def test_the_budget_is_what_is_left_of_the_period() -> None:
    of = model(ServingMonitor(error_rate=0.05, latency_p95_ms=500, period_ms=7 * DAY))
    panes = {minute: latencies(0, 40) | requests(1, 40) for minute in range(0, 3 * 1440, 60)}
    found = service_of(of, ledger(of, panes), suspect=None)
    assert (found.at, found.period) == ((3 * 1440 - 59) * MINUTE, 7 * DAY)
    assert found.levels["errors"] == Level(
        allowed=0.05, requests=2880, bad=72.0, left=0.5,
        burn=dict.fromkeys(("5m", "30m", "1h", "6h", "3d"), 0.5),
    )  # fmt: skip
    assert found.levels["latency"].left == 1.0
    broken = service_of(of, ledger(of, {0: requests(4, 40)}), suspect=None)
    assert broken.levels["errors"].left == pytest.approx(-1.0)
    assert broken.levels["latency"].burn["5m"] is None  # no latency came
    assert service_of(of, ledger(of, {}), suspect=None).levels["errors"].left is None


def test_a_promise_within_a_bin_counts_the_share_of_it_that_lies_above() -> None:
    of = model(ServingMonitor(latency_p95_ms=600))
    # 100 between 0.5 s and 0.75 s, of which 60 % lie above 0.6 s, and 10 in the bins above.
    found = service_of(of, ledger(of, {0: {"latency_s": [0.7] * 100 + [3.0] * 10 + [0.1] * 90}}), suspect=None)
    assert found.levels["latency"].bad == pytest.approx(70.0)
    assert found.levels["latency"].requests == 200


def test_a_latency_that_is_just_as_promised_is_not_slower() -> None:
    found = service_of(model(), ledger(model(), {0: {"latency_s": [0.5] * 30 + [0.500001] * 10}}), suspect=None)
    assert found.levels["latency"].bad == 10.0


def test_late_requests_give_the_same_time_a_greater_number() -> None:
    of = model()
    before = ledger(of, {0: requests(0, 3), 9: requests(0, 4)})
    late = before.plus(0, counts_of(of.layout, counted(of.layout, requests(2, 2)), promised_ms=500))
    assert (revision_of(before), revision_of(late), before.at_ms == late.at_ms) == (7, 9, True)


def test_nobody_keeps_counts_that_nobody_asks_for() -> None:
    assert terms_of(model(ServingMonitor())) is None
    assert terms_of(model(PROMISED, stream="labels")) is None
    assert terms_of(model(ServingMonitor(stream="serving", error_rate=0.1))) is None
    kept = terms_of(model(ServingMonitor(), stream="serving"))  # may hold perplexities
    assert kept is not None
    assert kept.promised_ms is None


def test_perplexity_is_the_mean_of_the_newest_shortest_window() -> None:
    of = model(ServingMonitor(), stream="serving")
    panes: dict[int, dict[str, Any]] = {
        0: {"perplexity": [100.0]},
        2880: {"perplexity": [4.0, 5.0, None]},
        2890: {"perplexity": [7.5]},
    }
    found = service_of(of, ledger(of, panes), suspect=None).perplexity
    assert found is not None
    assert (found.mean, found.n) == (5.5, 3)
    assert service_of(of, ledger(of, {0: requests(0, 9)}), suspect=None).perplexity is None
