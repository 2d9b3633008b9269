"""From a report to what data quality says of each feature.  Pure.

A check speaks where it fails, and once when it does so no more: what never failed has no verdict, for a feature has up to ten
checks and nearly all of them find nothing, ever.  Nothing is remembered of clear windows: the beginning is put into
the window that fails first.
"""

from __future__ import annotations

from collections.abc import Iterator

from detectors.quality.limits import LEARNED
from detectors.quality.verdict import Check
from schemas.findings import Effect, Finding, Kind, Onset, Severity
from schemas.reports import Column, Measure, Report
from stream.evaluate.calibration.learned import learned_in
from stream.evaluate.columns.rules import LEAST_ROWS
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.windows import windows_of
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.standing import STEP_COVERAGE, Standing
from stream.evaluate.verdicts.verdict import Judged, Verdict, evidence_of

#: The checks of a window and the kind of trouble that each finds.  A promised share of missing rows is a rule of its own.
KINDS: dict[Check, Kind] = {
    "missing": "missing",
    "nonfinite": "range",
    "type": "type",
    "range": "range",
    "outside": "range",
    "unseen": "unseen",
    "constant": "stuck",
    "vanished": "vanished",
}


#: The check of panes (`stream.evaluate.quality.still`).
STUCK: Check = "stuck"
#: What was agreed, and needs one row to be broken.
AGREED: tuple[Check, ...] = ("type", "range")
#: What is a share of values, not of rows.
OF_VALUES: tuple[Check, ...] = ("range", "outside", "unseen", "constant")


def quality_verdicts(report: Report, watched: Watched, standing: Standing) -> Iterator[Verdict]:
    """The checks that fail in a stream's newest window, and those that were told to fail and do not; warming, it says nothing."""
    if report.state == "warming":
        return
    for name, column in report.features.items():
        if column.state == "drift":
            for check in KINDS:
                measure = column.measures.get(check)
                if measure is not None and measure.exceeded and not _is_rule(watched, name, check):
                    yield _verdict(report, watched, name, check=check, state="firing")
    for name, check, told in _told(watched, standing):
        found = report.features.get(name)
        if found is not None and told.window == report.window and not _exceeds(found, check):
            yield _verdict(report, watched, name, check=check, state=_quiet(report, found, check))


def still_judged(watched: Watched, standing: Standing) -> frozenset[str]:
    """The keys of checks that were told to fail and are judged by this configuration too."""
    windows = {None, *(spec.name for spec in windows_of(watched.monitor, watched.stream))}
    return frozenset(told.key for _, _, told in _told(watched, standing) if told.window in windows)


def _told(watched: Watched, standing: Standing) -> list[tuple[str, Check, Finding]]:
    """(feature, check, finding) of what was told last, of features that are watched."""
    checks = {watched.rule_on(check): check for check in (*KINDS, STUCK)}
    return [
        (told.feature, checks[told.rule], told)
        for stood in standing.keys.values()
        if (told := stood.told) is not None
        and told.rule in checks
        and told.feature in watched.monitor.features
        and not _is_rule(watched, told.feature, checks[told.rule])
    ]


def _is_rule(watched: Watched, name: str, check: Check) -> bool:
    """A promised share of missing rows is a rule of its own, and the window's."""
    return check == "missing" and watched.monitor.features[name].null_threshold is not None


def _exceeds(column: Column, check: Check) -> bool:
    measure = column.measures.get(check)
    return measure is not None and measure.exceeded


def _quiet(report: Report, column: Column, check: Check) -> Judged:
    few = report.events < LEAST_ROWS and check not in AGREED
    return "no_data" if few or column.state == "no_traffic" else "ok"


def _verdict(report: Report, watched: Watched, name: str, *, check: Check, state: Judged) -> Verdict:
    column, feature = report.features[name], watched.monitor.features[name]
    measure = column.measures.get(check, Measure(None))
    return Verdict(
        rule=watched.rule_on(check),
        kind=KINDS[check],
        subject=watched.subject_of(name),
        state=state,
        severity=_severity(report, watched, name, check=check, measure=measure),
        start_ms=report.start,
        memory=report.end - report.start,
        every=watched.monitor.step_ms,
        value=measure.value,
        threshold=measure.threshold,
        n=column.n if check in OF_VALUES else report.events,
        p=measure.p_value,
        window=report.window,
        feature=name,
        source=feature.source,
        owner=watched.owner_of(name),
        onset=Onset(report.start, report.end, STEP_COVERAGE),
        effect=Effect(importance=feature.importance),
        evidence=evidence_of(column, measure) if state == "firing" else {},
    )


def _severity(report: Report, watched: Watched, name: str, *, check: Check, measure: Measure) -> Severity:
    """A limit that was learned is passed by chance: what no budget counts informs."""
    by_budget = learned_in(watched, report.window, report.end - report.start).get(name, ())
    if check in LEARNED and check not in by_budget:
        return severity.OF_LEARNED
    value, threshold = measure.value or 0.0, measure.threshold or 0.0
    return severity.of_quality(check, value, threshold, importance=watched.monitor.features[name].importance)
