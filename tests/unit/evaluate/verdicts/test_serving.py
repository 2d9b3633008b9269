"""Errors, latency and silence: what pages, at what severity, and from how many requests on."""

from __future__ import annotations

import math
from typing import Any

import pytest

from schemas.monitored import ServingMonitor
from schemas.names import Stream
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.verdicts.serving import no_traffic_verdict, serving_verdicts, suspect_in, traffic_verdict
from stream.evaluate.verdicts.verdict import Verdict
from tests.support.judged import HOUR, counted, monitor, watched, window


def verdicts(rows: dict[str, Any], *, of: Watched | None = None) -> dict[str, Verdict]:
    of = of or watched()
    found = list(serving_verdicts(of, counted(of.layout, rows), start_ms=HOUR))
    whole = {said.whole().rule: said.whole() for said in found}
    assert [(said.key, said.state, said.start_ms) for said in found] == [
        (verdict.key, verdict.state, verdict.start_ms) for verdict in whole.values()
    ]
    return whole


def statuses(errors: int, *, of: int) -> dict[str, Any]:
    return {"status": ["error"] * errors + ["success"] * (of - errors)}


@pytest.mark.parametrize(
    ("errors", "requests", "state", "severity"),
    [
        (20, 20, "firing", "P0"),
        (19, 19, "no_data", "P0"),
        (19, 20, "firing", "P1"),
        (6, 20, "firing", "P1"),
        (5, 20, "ok", "P1"),
        (2, 30, "ok", "P1"),
        (14, 100, "firing", "P1"),
        (13, 100, "ok", "P1"),
        (5, 100, "ok", "P1"),
    ],
)
def test_errors(errors: int, requests: int, state: str, severity: str) -> None:
    found = verdicts(statuses(errors, of=requests))["errors"]
    assert (found.state, found.severity if state != "no_data" else "P0") == (state, severity)
    assert (found.kind, found.subject, found.n, found.value) == ("error", "model:m", requests, errors / requests)
    assert (found.threshold, found.memory, found.every, found.start_ms) == (0.05, HOUR, 4 * HOUR, HOUR)


def tail(count: int, trials: int) -> float:
    """P(at least so many) at 5 %, term by term."""
    return sum(math.comb(trials, k) * 0.05**k * 0.95 ** (trials - k) for k in range(count, trials + 1))


@pytest.mark.parametrize(("errors", "requests", "p"), [(2, 30, 0.446458), (13, 100, 0.001464), (14, 100, 0.000463)])
def test_a_broken_promise_says_how_likely_it_is_by_chance(errors: int, requests: int, p: float) -> None:
    found = verdicts(statuses(errors, of=requests))["errors"].p
    assert found == pytest.approx(tail(errors, requests), rel=1e-12)
    assert found == pytest.approx(p, abs=5e-7)


def test_no_failure_is_certain_and_a_promise_of_none_is_broken_by_one() -> None:
    assert verdicts(statuses(0, of=100))["errors"].p == 1.0
    strict = watched(monitor(serving=ServingMonitor(error_rate=0.0)))
    found = verdicts(statuses(1, of=100), of=strict)["errors"]
    assert (found.state, found.p, found.threshold) == ("firing", 0.0, 0.0)


def test_a_service_that_keeps_its_promise_is_not_paged_about_at_thirty_requests_an_hour() -> None:
    """At a true share of 0.4 %, thirty an hour: the share alone fired in 0.6 % of hours, once a week."""
    by_share, fired = 0.0, 0.0
    for errors in range(31):
        weight = math.comb(30, errors) * 0.004**errors * 0.996 ** (30 - errors)
        by_share += weight * (errors / 30 > 0.05)
        fired += weight * (verdicts(statuses(errors, of=30))["errors"].state == "firing")
    assert by_share == pytest.approx(0.006461, abs=5e-6)
    assert fired < 1e-9


def test_without_a_promise_only_total_failure_fires() -> None:
    of = watched(monitor(serving=ServingMonitor()))
    most = verdicts(statuses(99, of=100), of=of)["errors"]
    assert (most.state, most.p) == ("ok", None)
    assert verdicts(statuses(100, of=100), of=of)["errors"].severity == "P0"
    assert "latency" not in verdicts({}, of=of)


def test_a_request_that_states_nothing_was_answered() -> None:
    found = verdicts({"status": ["error"] * 20 + [None] * 380})["errors"]
    assert (found.state, found.value, found.n) == ("ok", 0.05, 400)


@pytest.mark.parametrize(
    ("slow", "state", "severity", "p95"),
    [
        (0.45, "ok", "P2", 0.435),
        (0.7, "firing", "P2", 0.66),
        (1.5, "firing", "P1", 1.4),
    ],
)
def test_latency(slow: float, state: str, severity: str, p95: float) -> None:
    found = verdicts({"latency_s": [0.004] * 80 + [slow] * 20})["latency"]
    assert (found.state, found.severity, found.n) == (state, severity, 100)
    assert found.value == pytest.approx(p95, abs=0.04)
    assert found.threshold == 0.5


@pytest.mark.parametrize(("slower", "state"), [(14, "firing"), (13, "ok"), (6, "ok"), (5, "ok")])
def test_more_slow_requests_than_chance_breaks_a_promised_p95(slower: int, state: str) -> None:
    """0.5 s is an edge of the bins: exact."""
    found = verdicts({"latency_s": [0.4] * (99 - slower) + [0.5] + [0.7] * slower})["latency"]
    assert (found.state, found.evidence["slower"]) == (state, slower)
    assert found.p == pytest.approx(tail(slower, 100), rel=1e-12)
    assert (round(found.value or 0.0, 6) > 0.5) == (slower > 5)


def test_a_promise_within_a_bin_is_judged_as_if_latencies_lay_evenly_in_it() -> None:
    of = watched(monitor(serving=ServingMonitor(latency_p95_ms=600)))
    # 40 of 100 between 0.5 s and their greatest, 0.75 s: 24 of them above 0.6 s.
    found = verdicts({"latency_s": [0.004] * 60 + [0.55] * 39 + [0.75]}, of=of)["latency"]
    assert (found.state, found.evidence["slower"]) == ("firing", 24)


def test_few_latencies_say_nothing() -> None:
    assert verdicts({"latency_s": [9.0] * 19})["latency"].state == "no_data"
    nothing = verdicts({})["latency"]
    assert (nothing.value, nothing.p, nothing.n) == (None, None, 0)


@pytest.mark.parametrize(("stream", "rules"), [("predictions", set()), ("serving", {"errors", "latency"})])
def test_serving_is_judged_on_the_stream_that_is_named(stream: Stream, rules: set[str]) -> None:
    declared = monitor(serving=ServingMonitor(stream="serving", latency_p95_ms=500))
    assert set(verdicts(statuses(50, of=50), of=watched(declared, stream=stream))) == rules


def test_a_window_shows_serving_without_deciding() -> None:
    of = watched()
    rows = {**statuses(10, of=40), "latency_s": [0.004] * 40}
    found = judge_window(of, window(of, rows), seen_ms=0).serving
    values = {name: measure.value for name, measure in found.items()}
    assert values == {
        "requests": 40.0, "error_ratio": 0.25, "latency_p50_s": 0.004, "latency_p95_s": 0.004, "latency_p99_s": 0.004,
    }  # fmt: skip
    assert not any(measure.exceeded for measure in found.values())
    assert set(judge_window(of, window(of, {}), seen_ms=0).serving) == {"requests"}


def test_silence_is_p0_until_an_event_comes() -> None:
    of = watched(monitor(no_traffic_after_ms=12 * HOUR))
    silent, over = no_traffic_verdict(of, silent_ms=13 * HOUR, start_ms=5), traffic_verdict(of, start_ms=6)
    assert (silent.state, silent.severity, silent.kind, silent.subject) == ("firing", "P0", "no_traffic", "model:m")
    assert (silent.value, silent.threshold, silent.every) == (46_800.0, 43_200.0, 4 * HOUR)
    assert (over.key, over.state) == (silent.key, "ok")
    patient = watched(monitor(no_traffic_after_ms=40 * HOUR))
    assert traffic_verdict(patient, start_ms=6).every == 10 * HOUR  # a quarter of it: so often it is looked at


@pytest.mark.parametrize(
    ("latencies", "cause"),
    [
        ([51.0] * 20, "milliseconds?"),
        ([12_000.0] * 11 + [0.01] * 9, "milliseconds?"),
        ([12_000.0] * 10 + [0.01] * 10, None),
        ([40.0] * 20, None),  # a service that times out
        ([12_000.0] * 19, None),
    ],
)
def test_latencies_in_milliseconds_are_slow_and_the_finding_says_why(latencies: list[float], cause: str | None) -> None:
    found = verdicts({"latency_s": latencies})["latency"]
    assert found.evidence.get("cause") == cause
    if len(latencies) >= 20:
        assert found.state == "firing"


def test_without_a_promise_half_an_hour_is_beyond_belief() -> None:
    of = watched(monitor(serving=ServingMonitor()))
    assert suspect_in(of, counted(of.layout, {"latency_s": [2000.0] * 20})) == "milliseconds?"
    assert suspect_in(of, counted(of.layout, {"latency_s": [1700.0] * 20})) is None
