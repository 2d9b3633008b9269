"""Predictions whose id came before: a model that promises how few there are is judged by it, window by window.  Pure.

Ids are counted by buckets of a hash, so what repeats in different panes or partitions of a window is found as well; a promise is
held against the window's events that bear an id.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from detectors.quality.repeats import duplicates
from schemas.findings import finding_key
from schemas.reports import Measure, Report
from stream.evaluate.columns.watched import Watched
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Quiet, Verdict, judged_by_measure
from stream.state.layout import ID
from stream.state.packing import Partial

RULE = "duplicates"
CONVENTION = "share of rows, pairs in buckets"


def is_promised(watched: Watched) -> bool:
    """Whether the stream's ids are counted."""
    return watched.stream == "predictions" and watched.monitor.duplicates is not None


def id_measures(watched: Watched, total: Partial) -> dict[str, Measure]:
    """The share of a window's events whose id came before; nothing where too few bear one."""
    allowed = watched.monitor.duplicates
    if allowed is None or not is_promised(watched):
        return {}
    starts = zip(watched.layout.categorical, watched.layout.categorical_starts, strict=True)
    first, buckets = next((first, column.buckets) for column, first in starts if column.path == ID)
    said = duplicates(total.cells[first : first + buckets], allowed=allowed)
    if said.value is None:
        return {}
    return {RULE: Measure(said.value, CONVENTION, threshold=said.threshold, exceeded=said.fails)}


def id_verdicts(report: Report, watched: Watched) -> Iterator[Verdict | Quiet]:
    """One verdict a window of the model's own; one that does not fire is made when it is asked for."""
    if is_promised(watched) and report.window in watched.monitor.windows:
        whole = partial(_verdict, report, watched)
        state = judged_by_measure(report.quality.get(RULE))
        key = finding_key(RULE, watched.subject, window=report.window)
        yield whole() if state == "firing" else Quiet(key, state, report.start, whole)


def _verdict(report: Report, watched: Watched) -> Verdict:
    measure = report.quality.get(RULE, Measure(None))
    return Verdict(
        rule=RULE,
        kind="duplicates",
        subject=watched.subject,
        state=judged_by_measure(measure),
        severity=severity.OF_DUPLICATES,
        start_ms=report.start,
        memory=report.end - report.start,
        every=watched.monitor.step_ms,
        value=measure.value,
        threshold=measure.threshold,
        n=report.events,
        window=report.window,
        owner=watched.owner_of(None),
        evidence={"convention": measure.convention, "promised": watched.monitor.duplicates} if measure.exceeded else {},
    )
