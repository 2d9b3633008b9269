"""From a report to the verdicts of its rules: what a window says of each column that a rule decides about.  Pure.

A rule that has no measure (too few rows, no traffic) says ``no_data``.  A warming window says nothing at all: it would be
judged against a part of itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.findings import Effect, Kind, Severity
from schemas.reports import Column, Measure, Report
from stream.evaluate import severity
from stream.evaluate.judge_window import places_of
from stream.evaluate.rules import ColumnRules
from stream.evaluate.verdict import Evidence, Judged, Verdict
from stream.evaluate.watched import Watched
from stream.evaluate.yardstick import Place


def verdicts_of(report: Report, watched: Watched) -> list[Verdict]:
    """Every rule's verdict on the report's columns, features first."""
    return [] if report.state == "warming" else list(_verdicts(report, watched))


def rule_on(watched: Watched, rule: str) -> str:
    """A rule's name on a stream: serving's side and the source's are judged, and told, apart."""
    return rule if watched.stream == "predictions" else f"{rule}_upstream"


def _verdicts(report: Report, watched: Watched) -> Iterator[Verdict]:
    rooms = {"features": report.features, "prediction": report.prediction}
    for _, place, rules in places_of(watched, report.window, report.end - report.start):
        column = rooms[place.room].get(place.name)
        if column is not None:
            for rule in rules.names:
                yield _verdict(report, watched, place, rules=rules, rule=rule, column=column)


def _verdict(
    report: Report, watched: Watched, place: Place, *, rules: ColumnRules, rule: str, column: Column
) -> Verdict:
    measure = column.measures.get(rule)
    feature = watched.monitor.features[place.name] if place.room == "features" else None
    return Verdict(
        rule=rule_on(watched, rule),
        kind=_kind(rule, place),
        subject=watched.subject_at(place),
        state=_state(measure),
        severity=_severity(rule, rules, measure=measure, place=place),
        start_ms=report.start,
        memory=report.end - report.start,
        every=watched.monitor.step_ms,
        value=measure.value if measure else None,
        threshold=rules.missing if rule == "missing" else rules.thresholds[rule],
        n=_rows(report, rule, column),
        n_eff=column.n_eff,
        p=measure.p_value if measure else None,
        window=report.window,
        feature=place.name if feature else None,
        source=feature.source if feature else None,
        owner=watched.owner_of(place.name if feature else None),
        effect=Effect(importance=rules.importance),
        evidence=_evidence(column, measure),
    )


def _rows(report: Report, rule: str, column: Column) -> int:
    """What a rule was computed from: PSI and the missing ratio count the rows without a value too."""
    return report.events if rule in ("psi", "missing") and report.stream == "predictions" else column.n


def _kind(rule: str, place: Place) -> Kind:
    if rule == "missing":
        return "missing"
    return "drift" if place.room == "features" else "prediction_drift"


def _state(measure: Measure | None) -> Judged:
    if measure is None or measure.value is None:
        return "no_data"
    return "firing" if measure.exceeded else "ok"


def _severity(rule: str, rules: ColumnRules, *, measure: Measure | None, place: Place) -> Severity:
    if measure is None or measure.value is None or measure.threshold is None:
        return "P3"
    if place.room == "prediction":
        return severity.of_prediction(rule, measure.value, measure.threshold)
    return severity.of_feature(rule, measure.value, measure.threshold, importance=rules.importance)


def _evidence(column: Column, measure: Measure | None) -> Evidence:
    """What a person wants beside the value, where the rule fires."""
    if measure is None or not measure.exceeded:
        return {}
    found: Evidence = {
        "convention": measure.convention,
        "expected": measure.expected,
        "mean": column.mean,
        "missing_ratio": column.missing_ratio,
        "n_reference": column.n_reference,
    }
    return {name: value for name, value in found.items() if value is not None}
