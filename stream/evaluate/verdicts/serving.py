"""Requests, errors and latency: what a stream's counts say of serving, in a report and by rules on each pane.  Pure.

They are taken from the stream that the model's ``serving.from`` names, never from both.  A request is a row of ``status``; one
that states none was answered, so it counts as a success.  The p95 of latency is linear within its bin and exact at the bins'
edges (0.25, 0.5, 0.75, 1, 2 … s): a promise that is an edge is judged exactly, another one to within its bin.

==========  ========================================================  ======================================
rule        fires where                                               needs
==========  ========================================================  ======================================
errors      every request failed; or more than ``slo.errors`` allows  20 requests in the pane
            did, beyond chance
latency     more than 5 % took longer than ``slo.latency_p95``,       20 latencies in the pane; a promised p95
            beyond chance
==========  ========================================================  ======================================

*Beyond chance*: a service that just keeps its promise would do as badly in fewer than one pane of a thousand (the exact
binomial tail, the finding's ``p``).  Two failures of thirty are more than 5 %, and happen to it in nearly every other pane.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from detectors.bin_quantile import count_above, quantile
from detectors.binomial import tail
from schemas.findings import finding_key
from schemas.reports import Measure
from stream.evaluate.columns.rules import LEAST_REQUESTS
from stream.evaluate.columns.watched import Watched
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.latency_unit import suspicion
from stream.evaluate.verdicts.verdict import Judged, Quiet, Verdict
from stream.state.layout import CategoricalColumn, Layout
from stream.state.packing import Ints, Partial

#: What would happen more seldom than this where the promise is kept is not chance.
CHANCE = 0.001
#: The share of requests that may take longer than a promised p95.
MAY_BE_SLOWER = 0.05
#: A silence is looked at so many times before it is one.
LOOKS = 4
QUANTILES = {"latency_p50_s": 0.5, "latency_p95_s": 0.95, "latency_p99_s": 0.99}


def serving_measures(watched: Watched, total: Partial) -> dict[str, Measure]:
    """Requests, share of errors and quantiles of latency in a window; nothing on a stream that serving is not taken from."""
    if watched.stream != watched.monitor.serving.stream:
        return {}
    requests, errors = requests_of(watched.layout, total)
    found = {"requests": Measure(float(requests), "rows")}
    if requests:
        found["error_ratio"] = Measure(errors / requests, "share of rows")
    edges, counts, span = latencies_of(watched.layout, total)
    latencies = {name: quantile(edges, counts, level, span=span) for name, level in QUANTILES.items()}
    return found | {name: Measure(value, "in-bin, linear") for name, value in latencies.items() if value is not None}


def serving_verdicts(watched: Watched, pane: Partial, *, start_ms: int) -> Iterator[Verdict | Quiet]:
    """The rules on one pane."""
    if watched.stream != watched.monitor.serving.stream:
        return
    whole: Callable[[], Verdict] = partial(_errors, watched, pane, start_ms=start_ms)
    state = _plain(*requests_of(watched.layout, pane), promised=watched.monitor.serving.error_rate)
    yield whole() if state is None else Quiet(finding_key("errors", watched.subject), state, start_ms, whole)
    if watched.monitor.serving.latency_p95_ms is not None:
        promised = watched.monitor.serving.latency_p95_ms / 1000
        whole = partial(_latency, watched, pane, start_ms=start_ms, promised=promised)
        state = _plain(*_surely_slower(watched.layout, pane, promised), promised=MAY_BE_SLOWER)
        yield whole() if state is None else Quiet(finding_key("latency", watched.subject), state, start_ms, whole)


def no_traffic_verdict(watched: Watched, *, silent_ms: int, start_ms: int) -> Verdict:
    """P0: no event for so long, by a wall clock; ``start_ms`` is the event time up to which there were some."""
    return replace(
        traffic_verdict(watched, start_ms=start_ms), state="firing", value=silent_ms / 1000, n=0, evidence={"unit": "s"}
    )


def traffic_verdict(watched: Watched, *, start_ms: int) -> Verdict:
    """What ends ``no_traffic_verdict``: an event came."""
    patience = watched.monitor.no_traffic_after_ms
    every = max(watched.pane_every_ms, (patience or 0) // LOOKS)
    return Verdict(
        rule="no_traffic", kind="no_traffic", subject=watched.subject, state="ok", severity=severity.OF_NO_TRAFFIC,
        start_ms=start_ms, memory=watched.layout.pane_ms, every=every,
        threshold=None if patience is None else patience / 1000, owner=watched.owner_of(None),
    )  # fmt: skip


def requests_of(layout: Layout, partial: Partial) -> tuple[int, int]:
    """(requests, errors): rows by ``status``."""
    column, first = _status(layout)
    at = first + column.categories.index("error")
    return int(partial.cells[first : first + column.cells].sum()), int(partial.cells[at])


def latency_of(layout: Layout, partial: Partial, level: float) -> tuple[float | None, int]:
    """(a quantile of latency in seconds, how many latencies)."""
    edges, counts, span = latencies_of(layout, partial)
    return quantile(edges, counts, level, span=span), int(counts.sum())


def slower_than(layout: Layout, partial: Partial, promised: float) -> int:
    """How many requests took longer, to the nearest whole one where the promise is not an edge."""
    edges, counts, span = latencies_of(layout, partial)
    return round(count_above(edges, counts, promised, span=span))


def _errors(watched: Watched, partial: Partial, *, start_ms: int) -> Verdict:
    requests, errors = requests_of(watched.layout, partial)
    ratio = errors / requests if requests else None
    promised = watched.monitor.serving.error_rate
    p = None if promised is None or not requests else tail(errors, requests, promised)
    return Verdict(
        rule="errors", kind="error", subject=watched.subject, state=_state(requests, _beyond_chance(p) or ratio == 1.0),
        severity=severity.of_errors(ratio or 0.0), start_ms=start_ms, memory=watched.layout.pane_ms,
        every=watched.pane_every_ms, value=ratio, threshold=1.0 if promised is None else promised, n=requests, p=p,
        owner=watched.owner_of(None), evidence={"requests": requests, "errors": errors},
    )  # fmt: skip


def _latency(watched: Watched, partial: Partial, *, start_ms: int, promised: float) -> Verdict:
    p95, n = latency_of(watched.layout, partial, 0.95)
    slower = slower_than(watched.layout, partial, promised)
    p = tail(slower, n, MAY_BE_SLOWER) if n else None
    return Verdict(
        rule="latency", kind="latency", subject=watched.subject, state=_state(n, _beyond_chance(p)),
        severity=severity.of_latency(p95 or 0.0, promised), start_ms=start_ms, memory=watched.layout.pane_ms,
        every=watched.pane_every_ms, value=p95, threshold=promised, n=n, p=p, owner=watched.owner_of(None),
        evidence={"unit": "s", "quantile": 0.95, "slower": slower, **_suspect(watched, partial)},
    )  # fmt: skip


def suspect_in(watched: Watched, pane: Partial) -> str | None:
    """What is probably wrong with a pane's latencies themselves."""
    median, n = latency_of(watched.layout, pane, 0.5)
    return suspicion(median, n, promised_ms=watched.monitor.serving.latency_p95_ms)


def _suspect(watched: Watched, pane: Partial) -> dict[str, str]:
    said = suspect_in(watched, pane)
    return {} if said is None else {"cause": said}


def _plain(n: int, bad: int, *, promised: float | None) -> Judged | None:
    """What is plain from numbers alone: as few as promised are more often beaten than not, so their tail is large.

    >>> [_plain(40, bad, promised=0.05) for bad in (0, 2, 3, 40)], _plain(19, 19, promised=0.05)
    (['ok', 'ok', None, None], 'no_data')
    """
    if n < LEAST_REQUESTS:
        return "no_data"
    return "ok" if bad < n and (promised is None or bad <= n * promised) else None


def _surely_slower(layout: Layout, pane: Partial, promised: float) -> tuple[int, int]:
    """(latencies, those in a bin that reaches beyond what was promised)."""
    edges, counts, _ = latencies_of(layout, pane)
    return int(counts.sum()), int(counts[bisect_right(edges, promised) :].sum())


def _beyond_chance(p: float | None) -> bool:
    """So small a tail lies far above the promised share."""
    return p is not None and p < CHANCE


def _state(n: int, beyond: bool) -> Judged:
    if n < LEAST_REQUESTS:
        return "no_data"
    return "firing" if beyond else "ok"


def latencies_of(layout: Layout, partial: Partial) -> tuple[tuple[float, ...], Ints, tuple[float, float]]:
    """Edges, counts, and the least and the greatest one."""
    at = next(at for at, column in enumerate(layout.numeric) if column.path == "latency_s")
    column, first = layout.numeric[at], layout.numeric_starts[at]
    low, high = partial.extrema[2 * at : 2 * at + 2].tolist()
    return column.edges, partial.cells[first : first + column.bins], (low, high)


def _status(layout: Layout) -> tuple[CategoricalColumn, int]:
    pairs = zip(layout.categorical, layout.categorical_starts, strict=True)
    return next((column, first) for column, first in pairs if column.path == "status")
