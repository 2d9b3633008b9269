"""Burn rates against raw events counted by numpy, and against Prometheus' own arithmetic on counters of the same events."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from schemas.monitored import ServingMonitor
from schemas.service_levels import Slo
from stream.evaluate.panes.ledger import Ledger, begun
from stream.evaluate.verdicts.burn import WINDOWS_MS, service_of
from stream.evaluate.verdicts.served import COUNTS, counts_of
from tests.support.judged import DAY, HOUR, Floats, counted, monitor, watched
from tests.support.promtool import Case, Minutes, differs

MINUTE = 60_000
#: Day 400, 17:23 o'clock: neither an hour nor a midnight.
END = 400 * DAY + 17 * HOUR + 23 * MINUTE
PERIOD = 5 * DAY
ALLOWED: dict[Slo, float] = {"errors": 0.02, "latency": 0.05}
OF = watched(monitor(serving=ServingMonitor(error_rate=0.02, latency_p95_ms=500, period_ms=PERIOD), pane_ms=MINUTE))


@dataclass(frozen=True, slots=True)
class Raw:
    """Requests, one an entry: when, whether it failed, and how long it took in s (NaN: it does not say)."""

    at: Any
    failed: Any
    latency: Floats

    def part(self, chosen: Any) -> Raw:
        return Raw(self.at[chosen], self.failed[chosen], self.latency[chosen])


def raw(seed: int) -> Raw:
    """Eight days of requests with outages, silences and slow hours, the last minute not without one."""
    rng = np.random.default_rng(seed)
    at = np.sort(np.append(END - rng.integers(1, 8 * DAY, 6_000), END - rng.integers(1, 7 * HOUR, 2_000)))
    at = np.append(at[(at // (90 * MINUTE)) % 5 != seed % 5], END - 1)  # silences
    bad = np.isin(at // (25 * MINUTE), rng.choice(at // (25 * MINUTE), 40))
    failed = rng.random(len(at)) < np.where(bad, 0.6, 0.01)
    latency = rng.choice(np.array([0.1, 0.5, 0.500001, 3.0, np.nan]), len(at), p=[0.6, 0.2, 0.05, 0.1, 0.05])
    return Raw(at, failed, latency)


def counts(of: Raw) -> Any:
    rows = {
        "status": ["error" if failed else "success" for failed in of.failed],
        "latency_s": [None if np.isnan(latency) else latency for latency in of.latency.tolist()],
    }
    return counts_of(OF.layout, counted(OF.layout, rows), promised_ms=500)


def ledger(of: Raw, *, seed: int) -> Ledger:
    """As panes are closed in order; a third of the requests come late, in any order."""
    late = np.random.default_rng(seed).random(len(of.at)) < 1 / 3
    late[-1] = False
    found = begun(MINUTE, at_ms=0, longest_ms=PERIOD, counts=COUNTS)
    for chosen in (~late, late):
        panes = np.unique(of.at[chosen] // MINUTE).tolist()
        if chosen is late:
            Random(seed).shuffle(panes)
        for pane in panes:
            found = found.plus(pane * MINUTE, counts(of.part(chosen & (of.at // MINUTE == pane))))
    return found


def spent(of: Raw, slo: Slo, begin_ms: int) -> tuple[int, int]:
    """(requests that the promise is about, bad ones) since then."""
    recent = of.part(of.at >= begin_ms)
    if slo == "errors":
        return len(recent.at), int(recent.failed.sum())
    return int((~np.isnan(recent.latency)).sum()), int((recent.latency > 0.5).sum())


def begin_of(span_ms: int) -> int:
    """To the minute; of three days to the hour, and of a budget to midnight."""
    whole = {3 * DAY: HOUR, PERIOD: DAY}.get(span_ms, MINUTE)
    return (END - span_ms) // whole * whole


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_window_holds_what_numpy_counts_of_the_raw_events(seed: int) -> None:
    events = raw(seed)
    levels = service_of(OF, ledger(events, seed=seed), suspect=None).levels
    for slo, allowed in ALLOWED.items():
        level, (requests, bad) = levels[slo], spent(events, slo, begin_of(PERIOD))
        assert (level.requests, level.bad) == (requests, bad)
        assert level.left == pytest.approx(1 - bad / requests / allowed)
        for window, span_ms in WINDOWS_MS.items():
            requests, bad = spent(events, slo, begin_of(span_ms))
            assert level.burn[window] == pytest.approx(bad / requests / allowed), (slo, window)


#: Counters of what is bad and of all.
SERIES: tuple[tuple[Slo, str, str], ...] = (
    ("errors", "bad_requests", "all_requests"),
    ("latency", "slow_latencies", "all_latencies"),
)


def cumulated(of: Raw, chosen: Any) -> Minutes:
    """A counter of the chosen requests as scraped at the end of each of the last 361 minutes, and before the first."""
    ends = END - MINUTE * np.arange(361, -1, -1)
    return [float(count) for count in np.searchsorted(of.at[chosen], ends)]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_prometheus_divides_the_same_increases_where_its_windows_are_the_same(tmp_path: Path) -> None:
    events = raw(4)
    timed = ~np.isnan(events.latency)
    levels = service_of(OF, ledger(events, seed=4), suspect=None).levels
    case = Case({
        "bad_requests": cumulated(events, events.failed), "all_requests": cumulated(events, events.at > 0),
        "slow_latencies": cumulated(events, events.latency > 0.5), "all_latencies": cumulated(events, timed),
    })  # fmt: skip
    terms = []
    for window in ("5m", "30m", "1h", "6h"):
        for slo, bad, of in SERIES:
            rate = levels[slo].burn[window]
            assert rate is not None
            terms.append(
                f"(abs(increase({bad}[{window}]) / increase({of}[{window}]) / {ALLOWED[slo]} - {rate!r}) < bool 1e-9)"
            )
    assert differs(case, " + ".join(terms), len(terms), folder=tmp_path) == ""
