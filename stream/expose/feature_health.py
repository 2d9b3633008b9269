"""Every feature of a model: how it is, why, and what its owner has declared of it.  Pure.

A feature is as the worst of its newest reports has it, of all windows and of its own events, spelled as the reports do, and
``not_registered`` where it is sent but declared nowhere; ``why`` names what is beyond its threshold, and in which windows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.monitored import FeatureMonitor, ModelMonitor
from schemas.reports import Report, State

HealthState = State | Literal["not_registered"]

#: The states in which a feature needs somebody, the worst first; ``warming`` and ``not_enough_data`` pass by themselves.
UNHEALTHY: tuple[HealthState, ...] = ("drift", "stale", "no_traffic", "no_reference", "not_registered")
#: From the worst on; a long window that is warming hides nothing of a short one.
ORDER: tuple[HealthState, ...] = (*UNHEALTHY, "ok", "not_enough_data", "warming")


@dataclass(frozen=True, slots=True)
class FeatureHealth:
    """``why``: measure to the windows in which it is exceeded; ``last_seen`` (ms) is known of those that are not registered."""

    model: str
    feature: str
    state: HealthState
    why: Mapping[str, tuple[str, ...]]
    owner: str | None
    monitor: FeatureMonitor | None
    last_seen: int | None = None

    @property
    def well(self) -> bool:
        return self.state not in UNHEALTHY

    @property
    def reasons(self) -> str:
        """``psi, unseen (day)``: the windows are named where there are several."""
        return ", ".join(f"{name} ({', '.join(windows)})" for name, windows in self.why.items())

    def to_json(self) -> dict[str, Any]:
        """What ``driftline features --json`` prints of it."""
        found: dict[str, Any] = {
            "model": self.model, "feature": self.feature, "state": self.state, "owner": self.owner,
            "why": {name: list(windows) for name, windows in self.why.items()}, "last_seen": self.last_seen,
        }  # fmt: skip
        if self.monitor is None:
            return found
        told = ("description", "type", "source", "importance", "unit", "computation", "version", "changes")
        return found | self.monitor.model_dump(mode="json", include=set(told))


def features_of(
    model: str, monitor: ModelMonitor, reports: Mapping[str, Report], *, unregistered: Mapping[str, int]
) -> list[FeatureHealth]:
    """All features of a model, the worst first, then by importance, then by name.

    :param reports: the newest by window; none where nothing was judged yet: all are ``warming`` then.
    :param unregistered: names that events hold and, as far as they still are, nobody declared, by when they were last seen.
    """
    declared = [_declared(model, monitor, name, reports=reports) for name in monitor.features]
    strange = [
        FeatureHealth(model, name, "not_registered", {}, monitor.owner, None, at)
        for name, at in unregistered.items()
        if name not in monitor.features
    ]
    return sorted([*declared, *strange], key=_worst_first)


def _declared(model: str, monitor: ModelMonitor, name: str, *, reports: Mapping[str, Report]) -> FeatureHealth:
    judged = {window: report for window, report in reports.items() if _holds(report, name)}
    state: HealthState = min((_state(report, name) for report in judged.values()), key=ORDER.index, default="warming")
    feature = monitor.features[name]
    return FeatureHealth(model, name, state, _why(judged, name), feature.owner or monitor.owner, feature)


def _holds(report: Report, name: str) -> bool:
    """Slow windows hold some features only, and a feature's own events are not sent of all."""
    column = report.features.get(name)
    return column is not None and (report.stream == "predictions" or column.n > 0)


def _state(report: Report, name: str) -> HealthState:
    """Of a window that is warming nothing is said yet."""
    return "warming" if report.state == "warming" else report.features[name].state


def _why(judged: Mapping[str, Report], name: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for window, report in judged.items():
        for rule, measure in report.features[name].measures.items():
            if measure.exceeded:
                found[rule].append(window)
    return {rule: tuple(windows) for rule, windows in found.items()}


def _worst_first(one: FeatureHealth) -> tuple[int, float, str]:
    importance = one.monitor.importance if one.monitor is not None else None
    return ORDER.index(one.state), -(importance or 0.0), one.feature


def unhealthy_of(features: Iterable[FeatureHealth]) -> list[FeatureHealth]:
    """Those that need somebody."""
    return [one for one in features if not one.well]
