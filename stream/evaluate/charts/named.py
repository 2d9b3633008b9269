"""The charts that the monitors file names (``charts``), rebuilt from the stored series of pane values.

What they are after a pane is a function of that series and of nothing else: of the newest 256 panes, and of those since the last
whole 256th, so of fewer than twice as many.  A worker carries them on from pane to pane, and builds them anew where it cannot:
after a restart, when a pane of the series was revised, when the file says something else, and at every 256th pane.  So no state of
theirs is stored or unpickled, and what they say does not depend on who evaluates, or since when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.charts.by_name import Chart, River, Rolling, Shewhart, Signs
from detectors.charts.river import NoRiver
from schemas.monitored import CHART_PANES, ChartsMonitor, RiverChart, RollingChart, ShewhartChart
from schemas.river import DETECTORS
from stream.evaluate.charts.recent import Recent
from stream.evaluate.columns.watched import Watched

Floats = NDArray[np.float64]

#: Every rule there may be.
NAMED_RULES = ("shewhart", "rolling", *DETECTORS)
#: Of river's detectors those that take a fifth of a millisecond a value.
_SLOW = ("kswin",)
Asked = ShewhartChart | RollingChart | RiverChart


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that have the same chart; its rule is called like its key in the file, of a detector of river like that."""

    rule: str
    asked: Asked
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Named:
    """The charts of each group after so many ``panes``, built from those after ``base``, and what they say; None without river."""

    groups: tuple[Group, ...]
    panes: int
    base: int
    charts: tuple[Chart | None, ...]
    signs: tuple[Signs | None, ...]


def groups_of(watched: Watched) -> tuple[Group, ...]:
    """What the file asks for, by rule and setting; worked out once."""
    known: tuple[Group, ...] | None = watched.named_charts.get("groups")
    if known is None:
        known = watched.named_charts["groups"] = tuple(_groups(watched))
    return known


def places_of(watched: Watched) -> Mapping[int, tuple[tuple[int, int], ...]]:
    """By charted column the groups that it is in, and where; worked out once."""
    known: dict[int, tuple[tuple[int, int], ...]] | None = watched.named_charts.get("places")
    if known is None:
        known = watched.named_charts["places"] = {}
        for number, group in enumerate(groups_of(watched)):
            for at, column in enumerate(group.columns):
                known[column] = (*known.get(column, ()), (number, at))
    return known


def base_of(panes: int) -> int:
    """How many panes of a series are too old to be built from.

    >>> [base_of(panes) for panes in (0, 511, 512, 767, 768)]
    [0, 0, 256, 256, 512]
    """
    return max(panes // CHART_PANES - 1, 0) * CHART_PANES


def then(before: Named | None, recent: Recent, *, panes: int, watched: Watched) -> Named | None:
    """The charts after the newest of so many panes; None where the file names none."""
    groups = groups_of(watched)
    if not groups:
        return None
    if before is None or not _goes_on(before, groups, panes=panes):
        return rebuilt(recent, panes=panes, watched=watched)
    values = recent.newest(1)[0]
    pairs = zip(groups, before.charts, strict=True)
    return _named(groups, [chart and chart.then(values[list(group.columns)]) for group, chart in pairs], panes=panes)


def rebuilt(recent: Recent, *, panes: int, watched: Watched) -> Named | None:
    """The charts after so many panes, from the stored series: some milliseconds and more, to be spent beside the event loop."""
    groups = groups_of(watched)
    if not groups:
        return None
    series = recent.newest(panes - base_of(panes))
    return _named(groups, [_replayed(group, series[:, list(group.columns)]) for group in groups], panes=panes)


def is_current(named: Named | None, *, panes: int, watched: Watched) -> bool:
    """Whether these are the charts that the file names, after so many panes."""
    groups = groups_of(watched)
    return not groups or (named is not None and named.panes == panes and named.groups == groups)


def is_long(named: Named | None, *, panes: int, watched: Watched) -> bool:
    """Whether the pane after so many takes too long for the event loop: charts are built anew, or one of them is slow."""
    groups = groups_of(watched)
    if not groups:
        return False
    slow = any(group.rule in _SLOW for group in groups)
    return slow or named is None or not _goes_on(named, groups, panes=panes + 1)


def _goes_on(before: Named, groups: tuple[Group, ...], *, panes: int) -> bool:
    if before.panes != panes - 1 or before.base != base_of(panes) or before.groups != groups:
        return False
    return not any(chart and chart.is_spent for chart in before.charts)


def _named(groups: tuple[Group, ...], charts: list[Chart | None], *, panes: int) -> Named:
    return Named(
        groups, panes, base_of(panes), tuple(charts), tuple(None if chart is None else chart.signs for chart in charts)
    )


def _replayed(group: Group, series: Floats) -> Chart | None:
    try:
        chart = _begun(group)
    except NoRiver:
        return None
    for values in series:
        chart = chart.then(values)
    return chart


def _begun(group: Group) -> Chart:
    asked, columns = group.asked, len(group.columns)
    match asked:
        case ShewhartChart():
            return Shewhart.begun(columns, width=asked.width)
        case RollingChart():
            return Rolling.begun(columns, weight=asked.weight, width=asked.width)
        case RiverChart():
            return River.begun(columns, name=asked.name, settings=asked.settings)


def _groups(watched: Watched) -> Iterator[Group]:
    asked = [list(_asked(_charts_of(watched, number))) for number in watched.charted.numbers.tolist()]
    found: list[tuple[str, Asked, list[int]]] = []
    for column, each in enumerate(asked):
        for rule, chart in each:
            known = next((columns for name, one, columns in found if (name, one) == (rule, chart)), None)
            if known is None:
                found.append((rule, chart, [column]))
            else:
                known.append(column)
    yield from (Group(rule, chart, tuple(columns)) for rule, chart, columns in found)


def _charts_of(watched: Watched, number: int) -> ChartsMonitor:
    place = watched.yardstick.places[number]
    feature = watched.monitor.features.get(place.name) if place.room == "features" else None
    said = feature.charts if feature else None
    return watched.monitor.charts if said is None else said


def _asked(charts: ChartsMonitor) -> Iterator[tuple[str, Asked]]:
    if charts.shewhart is not None:
        yield "shewhart", charts.shewhart
    if charts.rolling is not None:
        yield "rolling", charts.rolling
    for detector in charts.river:
        yield detector.name, detector
