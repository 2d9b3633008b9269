"""How old a feature's last value is, in event time, against what was promised.  Pure.

On predictions a feature is fresh while predictions carry a value of it; they stand in where its source sends no ``features``
events.  On the stream ``features`` its own source's values count, and only of features that it ever sent.  Event time only
passes with events: a model without any traffic has no stale features, it has no traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from schemas.findings import Effect, finding_key
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Promise, Watched
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Fine, Quiet, Verdict

RULE = "freshness"
#: Streams whose events carry features.
WITH_FEATURES = ("predictions", "features")


def age_ms(watched: Watched, charts: Charts, feature: str) -> int | None:
    """Event time from the last pane with a value of the feature to the last pane; None where that is not known.

    A feature that predictions never carried is as old as the model's first pane.
    """
    if charts.at is None or charts.first is None:
        return None
    never = charts.first if watched.stream == "predictions" else None
    last = charts.values.get(feature, never)
    return None if last is None else charts.at - last


def is_stale(watched: Watched, charts: Charts, feature: str) -> bool:
    """Whether the feature's last value is older than was promised."""
    monitor = watched.monitor.features.get(feature)
    if monitor is None or monitor.freshness_sla_ms is None:
        return False
    return _beyond(age_ms(watched, charts, feature), monitor.freshness_sla_ms)


def freshness_verdicts(watched: Watched, charts: Charts, *, start_ms: int) -> Iterator[Verdict | Quiet | Fine]:
    """One verdict for each feature with a promise, at the pane that the charts end with."""
    promises, at, last = promises_of(watched), charts.at, charts.values
    if (
        promises
        and at is not None
        and charts.first is not None
        and all(last.get(one.feature) == at for one in promises)
    ):
        yield _all_fresh(watched, charts, start_ms=start_ms)
        return
    for promise in promises:
        age = age_ms(watched, charts, promise.feature)
        if age is None:
            continue
        start = _start(watched, charts, age=age, start_ms=start_ms)
        whole = partial(_verdict, watched, promise, charts, age=age, start_ms=start)
        yield whole() if age > promise.age_ms else Quiet(promise.key, "ok", start, whole)


def _all_fresh(watched: Watched, charts: Charts, *, start_ms: int) -> Fine:
    """Nearly always each of them has a value in the pane."""
    promises = {promise.key: promise for promise in promises_of(watched)}
    start = _start(watched, charts, age=0, start_ms=start_ms)
    return Fine(tuple(promises), start, lambda key: _verdict(watched, promises[key], charts, age=0, start_ms=start))


def _verdict(watched: Watched, promise: Promise, charts: Charts, *, age: int, start_ms: int) -> Verdict:
    name, promised = promise.feature, promise.age_ms
    feature = watched.monitor.features[name]
    return Verdict(
        rule=watched.rule_on(RULE),
        kind="stale",
        subject=watched.subject_of(name),
        state="firing" if age > promised else "ok",
        severity=severity.of_feature(RULE, age, promised, importance=feature.importance),
        start_ms=start_ms,
        memory=watched.layout.pane_ms,
        every=watched.pane_every_ms,
        value=age / 1000,
        threshold=promised / 1000,
        feature=name,
        source=feature.source,
        owner=watched.owner_of(name),
        effect=Effect(importance=feature.importance),
        evidence={"unit": "s", "last_value_ms": charts.values.get(name)},
    )


def _start(watched: Watched, charts: Charts, *, age: int, start_ms: int) -> int:
    """The last value came in the pane before the age began; what made the feature stale came after that pane's start."""
    return min(start_ms, (charts.at or 0) - age - watched.layout.pane_ms)


def promises_of(watched: Watched) -> list[Promise]:
    """What is promised of a stream that carries features; worked out once."""
    known = watched.promises.get(watched.stream)
    if known is None:
        found = watched.monitor.features.items() if watched.stream in WITH_FEATURES else ()
        known = watched.promises[watched.stream] = [
            Promise(name, monitor.freshness_sla_ms, finding_key(watched.rule_on(RULE), watched.subject_of(name)))
            for name, monitor in found
            if monitor.freshness_sla_ms is not None
        ]
    return known


def _beyond(age: int | None, promised: int | None) -> bool:
    return age is not None and promised is not None and age > promised
