"""What the charts say that the monitors file names: a verdict for each that alarms, and a measure for reports.  Pure.

They inform (P3): no budget sets their limits.  Shewhart's has a known run length of independent panes, which its evidence names; of
the others nobody knows one on another's stream.

**Onset.**  Of Shewhart's as of a CUSUM; of the others from where they began to compare: a rolling mean forgets, and a detector of
river looks back no further than its last alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.charts import onset, river
from detectors.charts.by_name import STANDS, Signs
from detectors.charts.shewhart import run_length
from schemas.findings import Effect, Onset, finding_key
from schemas.monitored import RiverChart, RollingChart, ShewhartChart
from schemas.reports import Measure
from schemas.river import DETECTORS
from stream.evaluate.charts.charts import Charts, Stepped
from stream.evaluate.charts.named import Group, groups_of, places_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.verdict import Clear, Evidence, Judged, Verdict

#: Panes from a trouble's end until a chart of sizes is clear, with room for one by chance.
_CLEAR_AFTER = 3


def named_keys(watched: Watched) -> tuple[tuple[str, ...], ...]:
    """The keys of each group's columns; worked out once."""
    known: tuple[tuple[str, ...], ...] | None = watched.named_charts.get("keys")
    if known is None:
        known = watched.named_charts["keys"] = tuple(
            tuple(finding_key(group.rule, watched.subject_at(_place(watched, column))) for column in group.columns)
            for group in groups_of(watched)
        )
    return known


def named_verdicts(watched: Watched, stepped: Stepped, *, span: tuple[int, int]) -> Iterator[Verdict | Clear]:
    """Of the columns with a value in the pane ``[start, end)``: those that alarm, and that the others are clear."""
    named = stepped.charts.named
    if named is None:
        return
    for keys, group, signs in zip(named_keys(watched), named.groups, named.signs, strict=True):
        one = _Spoken(watched, stepped, group, signs, keys, span)
        said = stepped.rows[list(group.columns)] > 0
        firing = np.zeros_like(said) if signs is None else said & signs.beyond
        for at in np.flatnonzero(firing).tolist():
            yield one.verdict(keys[at])
        yield Clear(tuple(keys[at] for at in np.flatnonzero(said & ~firing).tolist()), span[0], one.verdict)


def named_measures(watched: Watched, charts: Charts, column: int) -> dict[str, Measure]:
    """The named charts of a column as they stand."""
    named = charts.named
    if named is None:
        return {}
    places = places_of(watched).get(column, ())
    return {named.groups[group].rule: _measure(named.groups[group], named.signs[group], at) for group, at in places}


@dataclass(frozen=True, eq=False, slots=True)
class _Spoken:
    """What a group's charts say after a pane, and the keys of their columns."""

    watched: Watched
    stepped: Stepped
    group: Group
    signs: Signs | None
    keys: Sequence[str]
    span: tuple[int, int]

    def verdict(self, key: str) -> Verdict:
        """Of the column that has the key."""
        at = self.keys.index(key)
        watched, column, signs = self.watched, self.group.columns[at], self.signs
        place, state = _place(watched, column), _state(signs, at)
        feature = watched.monitor.features[place.name] if place.room == "features" else None
        return Verdict(
            rule=self.group.rule,
            kind="drift" if feature else "prediction_drift",
            subject=watched.subject_at(place),
            state=state,
            severity=severity.OF_CHART,
            start_ms=self.span[0],
            memory=_memory_panes(self.group) * watched.layout.pane_ms,
            every=watched.pane_every_ms,
            value=None if signs is None else _size(signs.value[at]),
            threshold=None if signs is None else _size(signs.limit[at]),
            n=int(self.stepped.rows[column]),
            feature=place.name if feature else None,
            source=feature.source if feature else None,
            owner=watched.owner_of(place.name if feature else None),
            onset=self._onset(at) if state == "firing" else None,
            effect=Effect(importance=feature.importance if feature else None),
            evidence={} if signs is None else _evidence(self.group, signs, at),
        )

    def _onset(self, at: int) -> Onset | None:
        if self.signs is None:
            return None
        column, recent = self.group.columns[at], self.stepped.charts.recent
        since, back = int(self.signs.since[at]), int(self.signs.back[at])
        pane_ms = self.watched.layout.pane_ms
        if back:
            span = recent.span(column, since=since, back=back, pane_ms=pane_ms)
        else:
            falling = bool(self.signs.value[at] < 0)
            span = recent.onset(column, falling=falling, pane_ms=pane_ms, since=since)
        return Onset(*span, onset.COVERAGE)


def _state(signs: Signs | None, at: int) -> Judged:
    if signs is None or not signs.ready[at]:
        return "no_data"
    return "firing" if signs.beyond[at] else "ok"


def _measure(group: Group, signs: Signs | None, at: int) -> Measure:
    if signs is None:
        return Measure(None, river.wanted(group.rule))
    ready = bool(signs.ready[at])
    return Measure(
        _size(signs.value[at]) if ready else None,
        _convention(group) if ready else f"warming: {_convention(group)}",
        threshold=_size(signs.limit[at]),
        exceeded=bool(signs.beyond[at]),
    )


def _convention(group: Group) -> str:
    asked = group.asked
    match asked:
        case ShewhartChart():
            return f"long-run sd of panes, limit {asked.width:g}"
        case RollingChart():
            return f"long-run sd off the mean before, weight {asked.weight:g}, limit {asked.width:g} sd of that"
        case RiverChart():
            return f"{DETECTORS[asked.name].name} of river{_settings(asked)}, values since its last alarm"


def _evidence(group: Group, signs: Signs, at: int) -> Evidence:
    asked = group.asked
    match asked:
        case RiverChart():
            return {"detector": f"{DETECTORS[asked.name].name} of river{_settings(asked)}"}
        case ShewhartChart():
            return {"direction": _direction(signs, at), "run_length": run_length(asked.width)}
        case RollingChart():
            return {"direction": _direction(signs, at)}


def _settings(asked: RiverChart) -> str:
    return "".join(f", {name} {value}" for name, value in asked.settings.items())


def _direction(signs: Signs, at: int) -> str:
    return "down" if signs.value[at] < 0 else "up"


def _memory_panes(group: Group) -> int:
    return STANDS if isinstance(group.asked, RiverChart) else _CLEAR_AFTER


def _size(value: float) -> float | None:
    return None if np.isnan(value) else abs(float(value))


def _place(watched: Watched, column: int) -> Place:
    return watched.yardstick.places[int(watched.charted.numbers[column])]
