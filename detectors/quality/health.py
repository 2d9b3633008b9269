"""How a feature is, in one word, with why and whom to ask; and the list of those that are not well.

A feature's state is its column's in a report, spelled the same, and ``not_registered`` where it is sent but declared nowhere.
Checks of data quality that fail count as the column's own rules do: the state is then ``drift``, and ``why`` names them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from detectors.quality.verdict import Verdict
from schemas.monitored import FeatureMonitor, ModelMonitor
from schemas.reports import Column, Report, State

HealthState = State | Literal["not_registered"]

#: The states in which a feature needs somebody, the worst first; ``warming`` and ``not_enough_data`` pass by themselves.
UNHEALTHY: tuple[HealthState, ...] = ("drift", "stale", "no_traffic", "no_reference", "not_registered")


@dataclass(frozen=True, slots=True)
class Health:
    """why: measures of the report beyond their thresholds, then checks that fail. monitor: None where not registered."""

    feature: str
    state: HealthState
    why: tuple[str, ...] = ()
    monitor: FeatureMonitor | None = None
    owner: str | None = None

    @property
    def well(self) -> bool:
        return self.state not in UNHEALTHY


def health(feature: str, monitor: ModelMonitor, report: Report, *, verdicts: Sequence[Verdict] = ()) -> Health:
    """The health of one feature in a report's window; of one that is not declared, ``not_registered``.

    A declared feature that the report does not hold has no traffic.  Its owner is its own, its source's or the model's.
    """
    declared = monitor.features.get(feature)
    if declared is None:
        return Health(feature, "not_registered", owner=monitor.owner)
    column = report.features.get(feature)
    failing = tuple(verdict.check for verdict in verdicts if verdict.fails)
    why = (*_exceeded(column), *(check for check in failing if check not in _exceeded(column)))
    return Health(feature, _state(column, report, failing), why, declared, declared.owner or monitor.owner)


def unhealthy(
    report: Report,
    monitor: ModelMonitor,
    *,
    sent: Collection[str] = (),
    verdicts: Mapping[str, Sequence[Verdict]] | None = None,
) -> list[Health]:
    """The features that need somebody: by state, the worst first, then by importance, then by name.

    :param sent: names of features that events hold, of which some may be declared nowhere; :param verdicts: checks by feature.
    """
    names = sorted({*monitor.features, *sent})
    found = [health(name, monitor, report, verdicts=(verdicts or {}).get(name, ())) for name in names]
    return sorted(
        (one for one in found if not one.well), key=lambda one: (UNHEALTHY.index(one.state), -_importance(one))
    )


def _state(column: Column | None, report: Report, failing: tuple[str, ...]) -> HealthState:
    """A failing check is worse than all but a warming window, of which nothing is said yet."""
    state = report.state if report.state == "warming" else column.state if column is not None else "no_traffic"
    return "drift" if failing and state != "warming" else cast(HealthState, state)


def _exceeded(column: Column | None) -> tuple[str, ...]:
    return tuple(name for name, measure in column.measures.items() if measure.exceeded) if column is not None else ()


def _importance(one: Health) -> float:
    return (one.monitor.importance if one.monitor is not None else None) or 0.0
