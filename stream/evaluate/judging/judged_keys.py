"""Every finding key that a configuration judges: what a new one no longer names is withdrawn.  Pure.

It lists what *may* be judged, on every stream that a verdict of this one could come from; keys of rules whose column has no
data yet are among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from schemas.findings import finding_key
from schemas.monitored import ModelMonitor
from stream.evaluate.calibration.pools import pools_of
from stream.evaluate.charts.freshness import RULE as FRESHNESS
from stream.evaluate.charts.limits import limits_of
from stream.evaluate.charts.named_verdicts import named_keys
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.window_verdicts import heads_of
from stream.evaluate.panes.windows import SLOW
from stream.evaluate.quality.ids import RULE as DUPLICATES
from stream.evaluate.quality.ids import is_promised
from stream.evaluate.verdicts.burn import burn_keys


def keys_of(watched: Watched) -> frozenset[str]:
    """The keys of one stream of a model."""
    return frozenset((*_of_windows(watched), *_of_panes(watched)))


def _of_windows(watched: Watched) -> Iterator[str]:
    for name, length in watched.monitor.windows.items():
        yield from _of_window(watched, name, length)
        if is_promised(watched):
            yield finding_key(DUPLICATES, watched.subject, window=name)
    if SLOW not in watched.monitor.windows:
        slow = {rules.slow_window_ms for rules in watched.rules if rules.slow_window_ms is not None}
        for length in sorted(slow):
            yield from _of_window(watched, SLOW, length)


def _of_window(watched: Watched, name: str, length: int) -> Iterator[str]:
    yield from (head.key for head in heads_of(watched, name, length))
    yield from (pool.key for pool in pools_of(watched, name, length) if pool.decides)


def _of_panes(watched: Watched) -> Iterator[str]:
    yield from (watched.chart_keys[at] for at in np.flatnonzero(limits_of(watched).decide).tolist())
    yield from (key for keys in named_keys(watched) for key in keys)
    for name, feature in watched.monitor.features.items():
        if feature.freshness_sla_ms is not None:
            yield finding_key(watched.rule_on(FRESHNESS), watched.subject_of(name))
    if watched.stream == watched.monitor.serving.stream:
        yield from (finding_key(rule, watched.subject) for rule in _of_serving(watched.monitor))
        yield from burn_keys(watched.monitor, model=watched.model)


def _of_serving(monitor: ModelMonitor) -> Iterator[str]:
    """Total failure needs no promise; a latency and a silence are held against what is declared."""
    yield "errors"
    if monitor.serving.latency_p95_ms is not None:
        yield "latency"
    if monitor.no_traffic_after_ms is not None:
        yield "no_traffic"
