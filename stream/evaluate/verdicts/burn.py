"""Burn rates: how fast a service spends the errors that its promise allows, over pairs of windows.  Pure.

A burn rate is the share of bad requests in a window over the share that is allowed: at 1 the budget of a period is spent when
the period is over.  A pair fires while **both** windows exceed its factor: the long one says that it is worth a page, the short
one that it is still so, and soon clears it.  The pairs are those of the SRE workbook (Google, 2018, chapter 5).

=============  ======  ========  =====================================================
windows        factor  severity  of a budget of 30 days is then spent
=============  ======  ========  =====================================================
1 h and 5 min  14.4    P1        2 % within the hour
6 h and 30 min 6       P1        5 % within six hours
3 d and 6 h    1       P3        10 % within three days: for the hours of work
=============  ======  ========  =====================================================

Bad is, for ``errors``, a request that failed; for ``latency``, one that took longer than the promised p95, which one in twenty
may.  And it is beyond chance: a service that just keeps its promise would do as badly in fewer than one window of a thousand.
Below 20 requests in the long window nothing is said, and nothing before something is known from before the short one: until
then both are one window, and three days of a model's first minutes.  Total failure is P0 by the rule ``errors``, which these
pages join.

What pages joins the other findings of the model, so that an outage is one page.  What informs has a subject of its own: it is
true for hours after an outage, and would keep that one open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from detectors.binomial import tail
from schemas.findings import Severity, finding_key
from schemas.monitored import ModelMonitor, ServingMonitor
from schemas.service_levels import Level, Perplexity, Service, Slo
from stream.evaluate.columns.rules import LEAST_REQUESTS
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.ledger import Ledger
from stream.evaluate.panes.tiers import DAY_MS, HOUR_MS
from stream.evaluate.verdicts.served import ERRORS, LATENCIES, PERPLEXITIES, REQUESTS, perplexity_of, slower_of
from stream.evaluate.verdicts.serving import CHANCE, MAY_BE_SLOWER
from stream.evaluate.verdicts.verdict import Judged, Quiet, Verdict

RULE = "burn"
MINUTE_MS = 60_000
Window = Literal["5m", "30m", "1h", "6h", "3d"]
WINDOWS_MS: Mapping[Window, int] = {
    "5m": 5 * MINUTE_MS, "30m": 30 * MINUTE_MS, "1h": HOUR_MS, "6h": 6 * HOUR_MS, "3d": 3 * DAY_MS,
}  # fmt: skip
#: A longer pane cannot say what its last five minutes were: rates and budget are shown, and nothing fires.
LONGEST_PANE_MS = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows that must both exceed a factor."""

    long: Window
    short: Window
    factor: float
    severity: Severity


PAIRS = (Pair("1h", "5m", 14.4, "P1"), Pair("6h", "30m", 6.0, "P1"), Pair("3d", "6h", 1.0, "P3"))


@dataclass(frozen=True, slots=True)
class Spent:
    """Of so many requests of a window so many were bad."""

    requests: int
    bad: float

    def rate(self, allowed: float) -> float | None:
        """The burn rate; None where there was no request.

        >>> Spent(200, 32.0).rate(0.0625)
        2.56
        """
        return self.bad / self.requests / allowed if self.requests else None


def promises_of(serving: ServingMonitor) -> dict[Slo, float]:
    """The share of requests that may be bad, by what is promised; a promise of none at all has no budget to spend."""
    found: dict[Slo, float] = {}
    if serving.error_rate:
        found["errors"] = serving.error_rate
    if serving.latency_p95_ms is not None:
        found["latency"] = MAY_BE_SLOWER
    return found


def burn_keys(monitor: ModelMonitor, *, model: str) -> Iterator[str]:
    """The keys of the findings that may come."""
    for slo in promises_of(monitor.serving) if monitor.pane_ms <= LONGEST_PANE_MS else ():
        yield from (finding_key(RULE, _subject(model, slo, pair), segment=slo, window=pair.long) for pair in PAIRS)


def spent_in(watched: Watched, ledger: Ledger, slo: Slo, *, span_ms: int) -> Spent | None:
    """What a window that ends with the newest pane has spent; None where the bins do not say."""
    total, promised = ledger.total(span_ms), watched.monitor.serving.latency_p95_ms
    if slo == "errors":
        return Spent(int(total[REQUESTS]), float(total[ERRORS]))
    slower = None if promised is None else slower_of(watched.layout, total, promised_ms=promised)
    return None if slower is None else Spent(int(total[LATENCIES]), slower)


def burn_verdicts(watched: Watched, ledger: Ledger) -> Iterator[Verdict | Quiet]:
    """What every pair says after the newest pane."""
    if watched.layout.pane_ms > LONGEST_PANE_MS:
        return
    apart, at = pairs_apart(ledger), ledger.at_ms
    for slo, allowed in promises_of(watched.monitor.serving).items():
        spent = _by_window(watched, ledger, slo)
        for pair in PAIRS if spent else ():
            state = _state(pair, spent, allowed, apart=apart)
            whole: Callable[[], Verdict] = partial(
                _verdict, watched, pair, spent, slo=slo, allowed=allowed, at_ms=at, state=state
            )
            key = finding_key(RULE, _subject(watched.model, slo, pair), segment=slo, window=pair.long)
            yield whole() if state == "firing" else Quiet(key, state, at - WINDOWS_MS[pair.long], whole)


def pairs_apart(ledger: Ledger) -> Collection[Pair]:
    """Those that are two windows: some request is known from before the short one."""
    known = ledger.whole()[REQUESTS]
    return [pair for pair in PAIRS if known > ledger.total(WINDOWS_MS[pair.short])[REQUESTS]]


def revision_of(ledger: Ledger) -> int:
    """What numbers verdicts at one time: requests in the longest window, to which late ones are only added."""
    return int(ledger.total(WINDOWS_MS["3d"])[REQUESTS])


def service_of(watched: Watched, ledger: Ledger, *, suspect: str | None) -> Service:
    """What is stored for metrics and people."""
    monitor = watched.monitor
    promised = promises_of(monitor.serving) if watched.stream == monitor.serving.stream else {}
    levels = {slo: _level(watched, ledger, slo, allowed=allowed) for slo, allowed in promised.items()}
    total = ledger.total(min(monitor.windows.values()))
    mean = perplexity_of(watched.layout, total)
    return Service(
        at=ledger.at_ms, period=monitor.serving.period_ms, suspect=suspect,
        levels={slo: level for slo, level in levels.items() if level is not None},
        perplexity=None if mean is None else Perplexity(mean=mean, n=int(total[PERPLEXITIES])),
    )  # fmt: skip


def _level(watched: Watched, ledger: Ledger, slo: Slo, *, allowed: float) -> Level | None:
    spent = spent_in(watched, ledger, slo, span_ms=watched.monitor.serving.period_ms)
    if spent is None:
        return None
    windows, apart, rate = _by_window(watched, ledger, slo), pairs_apart(ledger), spent.rate(allowed)
    judged = PAIRS if watched.layout.pane_ms <= LONGEST_PANE_MS else ()
    early = {pair.long for pair in PAIRS if pair not in apart}
    return Level(
        allowed=allowed, requests=spent.requests, bad=spent.bad, left=None if rate is None else 1.0 - rate,
        burn={window: None if window in early else one.rate(allowed) for window, one in windows.items()},
        firing=[pair.long for pair in judged if _state(pair, windows, allowed, apart=apart) == "firing"],
    )  # fmt: skip


def _by_window(watched: Watched, ledger: Ledger, slo: Slo) -> Mapping[Window, Spent]:
    """What every window has spent; nothing where the bins do not say."""
    found = {window: spent_in(watched, ledger, slo, span_ms=span) for window, span in WINDOWS_MS.items()}
    return {window: one for window, one in found.items() if one is not None}


def _state(pair: Pair, spent: Mapping[Window, Spent], allowed: float, *, apart: Collection[Pair]) -> Judged:
    """Clear by the short window, however few requests there are."""
    long, short = spent[pair.long], spent[pair.short]
    if (short.rate(allowed) or 0.0) <= pair.factor:
        return "ok"
    if long.requests < LEAST_REQUESTS or pair not in apart:
        return "no_data"
    beyond = (long.rate(allowed) or 0.0) > pair.factor and _chance(long, allowed) < CHANCE
    return "firing" if beyond else "ok"


def _chance(spent: Spent, allowed: float) -> float:
    return tail(round(spent.bad), spent.requests, allowed) if spent.requests else 1.0


def _verdict(
    watched: Watched, pair: Pair, spent: Mapping[Window, Spent], *, slo: Slo, allowed: float, at_ms: int, state: Judged
) -> Verdict:
    long, short, pane_ms = spent[pair.long], spent[pair.short], watched.layout.pane_ms
    return Verdict(
        rule=RULE, kind="burn", subject=_subject(watched.model, slo, pair), state=state,
        severity=pair.severity, start_ms=at_ms - WINDOWS_MS[pair.long], memory=max(WINDOWS_MS[pair.short], pane_ms),
        every=watched.pane_every_ms, value=long.rate(allowed), threshold=pair.factor, n=long.requests,
        p=_chance(long, allowed), window=pair.long, scope=slo, owner=watched.owner_of(None),
        evidence={"slo": slo, "allowed": allowed, "bad": long.bad, "short": pair.short, "short_value": short.rate(allowed)},
    )  # fmt: skip


def _subject(model: str, slo: Slo, pair: Pair) -> str:
    return f"model:{model}" if pair.severity != "P3" else f"slo:{model}/{slo}"
