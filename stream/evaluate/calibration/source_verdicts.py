"""What a window says of each source whose features are tested together, where the budget decides by it.  Pure.

Its subject is the source's node of the lineage, which models may share: so the key of its finding names the model as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from schemas.findings import Effect
from schemas.reports import Report, Source
from stream.evaluate.calibration.pools import Pool, pools_of
from stream.evaluate.columns.rules import POOLED_RULE
from stream.evaluate.columns.watched import Watched
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Evidence, Quiet, Verdict, judged_by_measure, lasts_by_measure


def judged_sources(report: Report, watched: Watched) -> Iterator[Verdict | Quiet]:
    """One verdict a pool that decides; those that do not fire are made when they are asked for."""
    for pool in pools_of(watched, report.window, report.end - report.start):
        if pool.decides:
            source = report.sources.get(pool.source)
            whole = partial(_verdict, report, watched, pool, source=source)
            state = judged_by_measure(source.measures.get(POOLED_RULE) if source else None)
            yield whole() if state == "firing" else Quiet(pool.key, state, report.start, whole)


def _verdict(report: Report, watched: Watched, pool: Pool, *, source: Source | None) -> Verdict:
    measure = source.measures.get(POOLED_RULE) if source else None
    declared = watched.sources.get(pool.source)
    return Verdict(
        rule=POOLED_RULE,
        kind="drift",
        subject=pool.subject,
        scope=watched.model,
        state=judged_by_measure(measure),
        lasts=lasts_by_measure(measure),
        severity=severity.of_source(pool.importance),
        start_ms=report.start,
        memory=report.end - report.start,
        every=watched.monitor.step_ms,
        value=measure.value if measure else None,
        threshold=measure.threshold if measure else None,
        n=report.events,
        p=measure.p_value if measure else None,
        window=report.window,
        source=pool.source,
        owner=(declared.owner if declared else None) or watched.owner_of(None),
        effect=Effect(importance=pool.importance),
        evidence=_evidence(source) if source and measure and (measure.exceeded or lasts_by_measure(measure)) else {},
    )


def _evidence(source: Source) -> Evidence:
    """Which feature moved most surely, and by how much."""
    moved = source.features[source.feature]
    return {
        "moved": source.feature,
        "shift_sd": moved.value,
        "moved_p": moved.p_value,
        "features": len(source.features),
    }
