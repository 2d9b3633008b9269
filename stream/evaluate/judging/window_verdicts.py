"""From a report to the verdicts of its rules: what a window says of each column that a rule decides about.  Pure.

A rule that has no measure (too few rows, no traffic) says ``no_data``.  A warming window says nothing at all: it would be
judged against a part of itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from schemas.findings import Effect, Kind, Severity, finding_key
from schemas.reports import Column, Measure, Report
from stream.evaluate.calibration.source_verdicts import judged_sources
from stream.evaluate.causes.signatures import plainly
from stream.evaluate.columns.places import places_of
from stream.evaluate.columns.rules import BUDGET_RULES, RULE_OF_THUMB, ColumnRules
from stream.evaluate.columns.watched import Head, Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.quality.ids import id_verdicts
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Evidence, Quiet, Verdict, evidence_of, judged_by_measure, lasts_by_measure


def verdicts_of(report: Report, watched: Watched) -> list[Verdict]:
    """Every rule's verdict on the report's columns, features first, then on its sources, then on its ids."""
    return [said.whole() for said in judged(report, watched)]


def judged(report: Report, watched: Watched) -> list[Verdict | Quiet]:
    """The same; those that do not fire are made when they are asked for."""
    if report.state == "warming":
        return []
    return [*_judged(report, watched), *judged_sources(report, watched), *id_verdicts(report, watched)]


def heads_of(watched: Watched, window: str, length_ms: int) -> list[Head]:
    """What each verdict of a window is about, in the order of the report; worked out once."""
    known = watched.heads.get((window, length_ms))
    if known is None:
        known = watched.heads[window, length_ms] = [
            Head(finding_key(watched.rule_on(rule), watched.subject_at(place), window=window), place, rules, rule)
            for _, place, rules in places_of(watched, window, length_ms)
            for rule in rules.names
        ]
    return known


def _judged(report: Report, watched: Watched) -> Iterator[Verdict | Quiet]:
    rooms = {"features": report.features, "prediction": report.prediction}
    for head in heads_of(watched, report.window, report.end - report.start):
        column = rooms[head.place.room].get(head.place.name)
        if column is None:
            continue
        whole = partial(_verdict, report, watched, head, column=column)
        state = judged_by_measure(column.measures.get(head.rule))
        yield whole() if state == "firing" else Quiet(head.key, state, report.start, whole)


def _verdict(report: Report, watched: Watched, head: Head, *, column: Column) -> Verdict:
    place, rules, rule = head.place, head.rules, head.rule
    measure = column.measures.get(rule)
    feature = watched.monitor.features[place.name] if place.room == "features" else None
    return Verdict(
        rule=watched.rule_on(rule),
        kind=_kind(rule, place),
        subject=watched.subject_at(place),
        state=judged_by_measure(measure),
        lasts=rule in BUDGET_RULES and lasts_by_measure(measure),
        severity=_severity(head, column),
        start_ms=report.start,
        memory=report.end - report.start,
        every=watched.monitor.step_ms,
        value=measure.value if measure else None,
        threshold=_threshold(rule, rules, measure),
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


def _calibrated_p(column: Column) -> float | None:
    """What the calibrated test says of it, whatever decided."""
    calibrated = column.measures.get("drift")
    return None if calibrated is None else calibrated.p_value


def _rows(report: Report, rule: str, column: Column) -> int:
    """What a rule was computed from: PSI and the missing ratio count the rows without a value too."""
    return report.events if rule in ("psi", "missing") and report.stream == "predictions" else column.n


def _kind(rule: str, place: Place) -> Kind:
    if rule == "missing":
        return "missing"
    return "drift" if place.room == "features" else "prediction_drift"


def _threshold(rule: str, rules: ColumnRules, measure: Measure | None) -> float | None:
    if rule in BUDGET_RULES:
        return None if measure is None else measure.threshold
    return rules.missing if rule == "missing" else rules.thresholds[rule]


def _severity(head: Head, column: Column) -> Severity:
    place, rules, rule = head.place, head.rules, head.rule
    if rule in BUDGET_RULES:
        return _severity_by_budget(head, column)
    measure = column.measures.get(rule)
    if measure is None or measure.value is None or measure.threshold is None:
        return "P3"
    if column.awaits and rule in rules.thresholds:
        return severity.OF_AWAITED
    if place.room == "prediction":
        return severity.of_prediction(rule, measure.value, measure.threshold)
    return severity.of_feature(rule, measure.value, measure.threshold, importance=rules.importance)


def _severity_by_budget(head: Head, column: Column) -> Severity:
    """A calibrated test says that there is a change, PSI how large it is: heavy by the rule of thumb."""
    psi = column.measures.get("psi")
    if psi is None or psi.value is None:
        return "P3"
    if head.place.room == "prediction":
        return severity.of_prediction("psi", psi.value, RULE_OF_THUMB["psi"])
    return severity.of_feature("psi", psi.value, RULE_OF_THUMB["psi"], importance=head.rules.importance)


def _evidence(column: Column, measure: Measure | None) -> Evidence:
    """What a person wants beside the value, where the rule fires or a test is not clear again."""
    if measure is None or not (measure.exceeded or lasts_by_measure(measure)):
        return {}
    cause = None if column.cause is None else plainly(column.cause)
    return evidence_of(column, measure, calibrated_p=_calibrated_p(column), q=column.q, cause=cause)
