"""From the counts of one window on both sides to its report, and from the report to what it says.  Pure.

``n`` counts the values that were served and ``n_reference`` those of the store.  States of a feature: ``warming`` where a side's
panes do not reach back to the window's start (or are of another reference), ``no_traffic`` where no event served has a row of it,
``not_enough_data`` below a hundred values of a side, ``drift`` where they differ.  A feature of which the store sends nothing in a
window is left out: a source may send some of a model's features only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from detectors.quality.skew import Skew, skew
from schemas.findings import Effect, Severity
from schemas.reports import Column, Measure, Report, State
from stream.evaluate.columns.measuring import mean_of
from stream.evaluate.skew.columns import RULE, Both, Compared, Ints, Side
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Evidence, Quiet, Verdict, evidence_of, judged_by_measure
from stream.state.layout import EVENTS, LATE
from stream.state.packing import Partial

CONVENTION = "driftline, serving against store"
MEAN, MISSING = "mean_upstream", "missing_upstream"


@dataclass(frozen=True, eq=False, slots=True)
class Window:
    """``[start_ms, end_ms)`` of both streams; ``complete``: the panes of both reach back to the start."""

    name: str
    start_ms: int
    end_ms: int
    served: Partial
    stored: Partial
    complete: bool

    @property
    def events(self) -> int:
        """Of both: it grows where either side is revised."""
        return int(self.served.cells[EVENTS]) + int(self.stored.cells[EVENTS])


@dataclass(frozen=True, slots=True)
class _Counted:
    """One side of a feature in a window."""

    values: Ints
    n: int
    missing: int
    mean: float | None

    @property
    def missing_ratio(self) -> float | None:
        rows = self.n + self.missing
        return self.missing / rows if rows else None


def judge_skew(both: Both, window: Window, *, seen_ms: int) -> Report:
    """The report of a window."""
    columns = dict(_columns(both, window))
    watched = both.stored.watched
    return Report(
        model=watched.model,
        stream=RULE,
        window=window.name,
        start=window.start_ms,
        end=window.end_ms,
        seen=seen_ms,
        state=_state(window, columns.values()),
        events=window.events,
        late=int(window.served.cells[LATE]) + int(window.stored.cells[LATE]),
        reference=watched.layout.reference,
        layout=both.served.watched.layout.hash,
        generation=watched.generation,
        features=columns,
    )


def verdicts_of(report: Report, both: Both) -> Iterator[Verdict | Quiet]:
    """One verdict a feature; warming, the window says nothing."""
    if report.state == "warming":
        return
    for compared in both.columns:
        column = report.features.get(compared.name)
        state = judged_by_measure(None if column is None else column.measures.get(RULE))
        whole = partial(_verdict, report, both, compared, column=column)
        key = both.key(compared.name, report.window)
        yield whole() if state == "firing" else Quiet(key, state, report.start, whole)


def _columns(both: Both, window: Window) -> Iterator[tuple[str, Column]]:
    for compared in both.columns:
        stored = _counted(compared.stored, window.stored)
        if stored.n + stored.missing:
            yield (
                compared.name,
                _column(compared, window, served=_counted(compared.served, window.served), stored=stored),
            )


def _counted(side: Side, total: Partial) -> _Counted:
    place, end = side.place, int(side.begins[-1])
    values: Ints = np.add.reduceat(total.cells[:end], side.begins[:-1])
    n, missing = int(values.sum()), int(total.cells[place.values_end : place.rows_end].sum())
    return _Counted(values, n, missing, mean_of(place, total.sums.tolist(), n))


def _column(compared: Compared, window: Window, *, served: _Counted, stored: _Counted) -> Column:
    if not window.complete or not compared.alike:
        return Column("warming", served.n, stored.n, missing_ratio=served.missing_ratio, mean=served.mean)
    promise = compared.promise
    said = skew(
        served.values, stored.values, ordered=compared.ordered, threshold=promise.threshold, level=promise.level
    )
    return Column(
        _column_state(served, said),
        served.n,
        stored.n,
        missing_ratio=served.missing_ratio,
        mean=served.mean,
        measures=dict(_measures(said, stored)),
    )


def _column_state(served: _Counted, said: Skew | None) -> State:
    if said is not None:
        return "drift" if said.exceeded else "ok"
    return "not_enough_data" if served.n + served.missing else "no_traffic"


def _measures(said: Skew | None, stored: _Counted) -> Iterator[tuple[str, Measure]]:
    if said is not None:
        yield RULE, Measure(said.value, CONVENTION, said.p, said.expected, said.threshold, said.exceeded)
    if stored.mean is not None:
        yield MEAN, Measure(stored.mean, "of the store")
    if stored.missing_ratio is not None:
        yield MISSING, Measure(stored.missing_ratio, "share of the store's rows")


def _state(window: Window, columns: Iterable[Column]) -> State:
    """Of the whole window: what troubles any feature, else ok where any is."""
    if not window.complete:
        return "warming"
    if not window.served.cells[EVENTS] or not window.stored.cells[EVENTS]:
        return "no_traffic"
    states = {column.state for column in columns}
    order: tuple[State, ...] = ("drift", "ok", "not_enough_data", "no_traffic", "warming")
    return next((state for state in order if state in states), "not_enough_data")


def _verdict(report: Report, both: Both, compared: Compared, *, column: Column | None) -> Verdict:
    watched, name = both.stored.watched, compared.name
    feature = watched.monitor.features[name]
    column = column or Column("no_traffic", 0)
    measure = column.measures.get(RULE)
    return Verdict(
        rule=RULE,
        kind="skew",
        subject=watched.subject_of(name),
        state=judged_by_measure(measure),
        severity=_severity(compared, measure, importance=feature.importance),
        start_ms=report.start,
        memory=report.end - report.start,
        every=both.step_ms,
        value=measure.value if measure else None,
        threshold=compared.promise.threshold,
        n=min(column.n, column.n_reference),
        p=measure.p_value if measure else None,
        window=report.window,
        feature=name,
        source=feature.source,
        owner=watched.owner_of(name),
        effect=Effect(importance=feature.importance),
        evidence=_evidence(column, measure) if measure is not None and measure.exceeded else {},
    )


def _severity(compared: Compared, measure: Measure | None, *, importance: float | None) -> Severity:
    """Nobody promised that the two sides are one: then it informs."""
    if measure is None or measure.value is None or not compared.promise.agreed:
        return severity.OF_LEARNED
    return severity.of_quality("skew", measure.value, compared.promise.threshold, importance=importance)


def _evidence(column: Column, measure: Measure) -> Evidence:
    other = {name: column.measures[name].value for name in (MEAN, MISSING) if name in column.measures}
    found = evidence_of(column, measure, **other)
    found["n_upstream"] = found.pop("n_reference")
    return found
