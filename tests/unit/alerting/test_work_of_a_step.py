"""A finding costs about as much in a large incident as in a small one: counted in calls of functions, not in time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from alerting.document import view
from alerting.lineage import Lineage
from alerting.policy import Policy, Timings
from alerting.records import changed
from alerting.state import State, new_state
from alerting.step import step
from schemas.findings import Finding, FindingState
from tests.unit.alerting.world import HOUR, MINUTE, RECEIVERS, SOURCES, T0, finding, monitor, route

SMALL, LARGE = 100, 3_000
WIDE = LARGE + 100


def found(number: int, at: int, *, features: int, state: FindingState = "firing", rank: int = 0) -> Finding:
    """Of the models ``m0``, ``m1`` … each with so many features, the finding on feature ``number``."""
    subject = f"m{number // features}/f{number % features}"
    return finding(
        subject,
        at,
        severity="P1",
        onset=(T0 - HOUR, T0),
        state=state,
        rev=(at, rank),
        refresh_by=at + MINUTE,
        memory=HOUR,
    )


def fired(size: int, features: int) -> State:
    """One incident of so many findings, of which the first refreshed, cleared and fired again already."""
    models = {
        f"m{number}": monitor({f"f{n}": "weather" for n in range(features)}) for number in range(WIDE // features)
    }
    policy = Policy.of(Lineage.of(models, SOURCES), route(), RECEIVERS, timings=Timings())
    state = new_state(policy)
    for number in range(size):
        state = step(state, found(number, T0, features=features), T0)
    assert [len(incident.members) for incident in state.incidents.values()] == [size]
    verdicts: tuple[FindingState, ...] = ("firing", "ok", "firing")
    for rank, verdict in enumerate(verdicts, start=1):
        state = step(state, found(0, T0, features=features, state=verdict, rank=rank), T0)
        view(state, next(iter(state.incidents)))
    return state


def calls(work: Callable[[], object]) -> int:
    """How many functions were called, ours and the interpreter's."""
    count = 0

    def counted(_: object, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def costs(size: int, features: int) -> dict[str, int]:
    """Calls by what is done, in an incident of so many findings."""
    state, later = fired(size, features), T0 + MINUTE
    state = step(state, found(0, later, features=features), later)
    middle = size // 2
    cleared = step(state, found(middle, later, features=features, state="ok", rank=1), later)
    name = next(iter(state.incidents))
    given = {
        "joins": (state, found(size, later, features=features)),
        "refresh": (state, found(middle, later, features=features)),
        "clears": (state, found(middle, later, features=features, state="ok", rank=1)),
        "fires again": (cleared, found(middle, later, features=features, rank=2)),
    }
    counted = {what: calls(partial(step, at, one, later)) for what, (at, one) in given.items()}
    view(state, name)
    return counted | {
        "is stored": calls(lambda: changed(state, cleared)),
        "is shown": calls(lambda: view(cleared, name)),
    }


@pytest.mark.parametrize("features", [WIDE, 10], ids=["one wide model", "many models of ten features"])
def test_a_finding_costs_no_more_than_twice_as_much_among_thirty_times_as_many(features: int) -> None:
    small, large = costs(SMALL, features), costs(LARGE, features)
    assert {what: count for what, count in large.items() if count > 2 * small[what] + 200} == {}
    assert large["refresh"] < LARGE, "fewer calls than members"
