"""How old a feature's last value is, in event time, against what was promised.  Pure.

On predictions a feature is fresh while predictions carry a value of it; they stand in where its source sends no ``features``
events.  On the stream ``features`` its own source's values count, and only of features that it ever sent.  Event time only
passes with events: a model without any traffic has no stale features, it has no traffic.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.findings import Effect
from stream.evaluate import severity
from stream.evaluate.charts import Charts
from stream.evaluate.verdict import Verdict
from stream.evaluate.watched import Watched


def rule_of(watched: Watched) -> str:
    """The rule's name on a stream: serving's side and the source's are judged, and told, apart."""
    return "freshness" if watched.stream == "predictions" else "freshness_upstream"


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


def freshness_verdicts(watched: Watched, charts: Charts, *, start_ms: int) -> Iterator[Verdict]:
    """One verdict for each feature with a promise, at the pane that the charts end with."""
    for name, monitor in watched.monitor.features.items():
        promised = monitor.freshness_sla_ms
        age = None if promised is None else age_ms(watched, charts, name)
        if promised is not None and age is not None:
            yield _verdict(watched, name, charts, age=age, start_ms=start_ms, promised=promised)


def _verdict(watched: Watched, name: str, charts: Charts, *, age: int, start_ms: int, promised: int) -> Verdict:
    feature = watched.monitor.features[name]
    stale = _beyond(age, promised)
    return Verdict(
        rule=rule_of(watched),
        kind="stale",
        subject=watched.subject_of(name),
        state="firing" if stale else "ok",
        severity=severity.of_feature("freshness", age, promised, importance=feature.importance),
        # The last value came in the pane before the age began; what made the feature stale came after that pane's start.
        start_ms=min(start_ms, (charts.at or 0) - age - watched.layout.pane_ms),
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


def _beyond(age: int | None, promised: int | None) -> bool:
    return age is not None and promised is not None and age > promised
