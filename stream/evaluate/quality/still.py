"""Features that stand still: the same value in every row of pane after pane, for longer than the reference ever shows.  Pure.

What stands still is carried from pane to pane with the charts (`Charts.still`).  A run begins with a pane of two rows or more of
one value, and goes on while further panes hold it too; panes without a value tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from detectors.quality import verdict as quality
from detectors.quality.stillness import Run, stuck_run
from schemas.findings import Effect, Onset
from schemas.reference import NumericProfile
from schemas.reports import Measure
from stream.evaluate.charts.charts import Charts, Stepped, Still
from stream.evaluate.columns.counted import PaneCounts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.standing import STEP_COVERAGE
from stream.evaluate.verdicts.verdict import Verdict

RULE = "stuck"
CONVENTION = "s, twice the longest of the reference"


def with_still(after: Stepped, watched: Watched, pane: PaneCounts, *, before: Charts, start_ms: int) -> Stepped:
    """The charts after the pane that begins at ``start_ms``, with what stands still in it."""
    known = before.still if before.layout == after.charts.layout else {}
    still = dict(_still(known, watched, pane, start_ms=start_ms))
    return replace(after, charts=replace(after.charts, still=still)) if still else after


def still_verdicts(watched: Watched, before: Charts, after: Charts, *, start_ms: int) -> Iterator[Verdict]:
    """Of each feature that is stuck in the pane that begins at ``start_ms``, or was until it."""
    for at in _long(watched, before, after):
        name = watched.yardstick.places[at].name
        said, was = (judged(watched, charts, at) for charts in (after, before))
        if said is not None and said.fails:
            yield _verdict(watched, name, after.still[name], said=said, start_ms=start_ms)
        elif was is not None and was.fails:
            yield _verdict(watched, name, None, said=said, start_ms=start_ms)


def still_measures(watched: Watched, charts: Charts) -> Mapping[int, Measure]:
    """By number of place, for how long (s) what is stuck has been."""
    found = ((at, judged(watched, charts, at)) for at in _long(watched, charts))
    return {
        at: Measure(said.value, CONVENTION, p_value=said.p, threshold=said.threshold, exceeded=True)
        for at, said in found
        if said is not None and said.fails
    }


def _long(watched: Watched, *charts: Charts) -> Iterator[int]:
    """Features that stand still for longer than their reference allows: no other can be stuck, so no other is judged."""
    runs = [one.still for one in charts if one.still]
    for at, allowed in watched.quality.allowed.items() if runs else ():
        name = watched.yardstick.places[at].name
        if any(name in still and still[name].panes > allowed for still in runs):
            yield at


def judged(watched: Watched, charts: Charts, at: int) -> quality.Verdict | None:
    """What is said of a feature's run; None where it has none."""
    place = watched.yardstick.places[at]
    run, profile = charts.still.get(place.name), watched.yardstick.profiles[place.held]
    if run is None or not isinstance(profile, NumericProfile):
        return None
    allowed, pane_ms = watched.quality.allowed[at], watched.layout.pane_ms
    return stuck_run(profile, Run(run.value, run.panes, run.rows), allowed=allowed, pane_ms=pane_ms)


def _still(
    before: Mapping[str, Still], watched: Watched, pane: PaneCounts, *, start_ms: int
) -> Iterator[tuple[str, Still]]:
    able = list(watched.quality.allowed)
    for number in np.flatnonzero(pane.still).tolist():
        at = able[number]
        value = float(pane.partial.extrema[watched.quality.able[number]])
        name, rows = watched.yardstick.places[at].name, int(pane.values[at])
        known = before.get(name)
        if not rows:
            if known is not None:
                yield name, known
        elif known is not None and known.value == value:
            yield name, Still(value, known.since, known.panes + 1, known.rows + rows)
        elif rows > 1:
            yield name, Still(value, start_ms, 1, rows)


def _verdict(watched: Watched, name: str, run: Still | None, *, said: quality.Verdict | None, start_ms: int) -> Verdict:
    feature, pane_ms = watched.monitor.features[name], watched.layout.pane_ms
    since = start_ms if run is None else run.since
    return Verdict(
        rule=watched.rule_on(RULE),
        kind="stuck",
        subject=watched.subject_of(name),
        state="ok" if run is None else "firing",
        severity=severity.of_quality("stuck", 1.0, 0.0, importance=feature.importance),
        start_ms=since,
        memory=pane_ms,
        every=watched.pane_every_ms,
        value=None if said is None else said.value,
        threshold=None if said is None else said.threshold,
        n=None if said is None else said.n,
        p=None if said is None else said.p,
        feature=name,
        source=feature.source,
        owner=watched.owner_of(name),
        # It stood still from some row of the pane before the run, to the end of its first pane.
        onset=Onset(since - pane_ms, since + pane_ms, STEP_COVERAGE),
        effect=Effect(importance=feature.importance),
        evidence={} if run is None else {"unit": "s", "stuck_at": run.value, "panes": run.panes},
    )
