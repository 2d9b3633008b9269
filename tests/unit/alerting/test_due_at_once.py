"""Many incidents due at once fire a few at a time, so whoever drives the core can give way; the outcome is that of one go."""

from __future__ import annotations

from unittest.mock import patch

from alerting import step as core
from alerting.lineage import Lineage
from alerting.policy import Policy, Timings
from alerting.state import State, new_state
from alerting.step import AT_ONCE, advance, fire, is_due, next_due, step
from schemas.monitored import SourceMonitor
from tests.unit.alerting.world import RECEIVERS, T0, finding, monitor, route

MANY = 3 * AT_ONCE + 7


def waiting() -> State:
    """So many incidents, each of a model on a source of its own, that all open at the same moment, without a storm."""
    models = {f"m{number}": monitor({"x": f"s{number}"}) for number in range(MANY)}
    lineage = Lineage.of(models, {f"s{number}": SourceMonitor() for number in range(MANY)})
    state = new_state(Policy.of(lineage, route(), RECEIVERS, timings=Timings(storm=1_000)))
    for model in models:
        state = step(state, finding(f"{model}/x", T0, severity="P1"), T0)
    return state


def changed(before: State, after: State) -> int:
    return sum(before.incidents.get(name) is not one for name, one in after.incidents.items())


def test_each_firing_settles_a_few_and_the_rest_stays_due() -> None:
    state = waiting()
    assert len(state.incidents) == MANY
    due = next_due(state)
    assert due is not None
    counts = []
    while is_due(state, due):
        before, state = state, fire(state)
        counts.append(changed(before, state))
        assert state.now == due
    assert counts == [AT_ONCE, AT_ONCE, AT_ONCE, 7]


def test_the_outcome_is_that_of_one_go() -> None:
    state = waiting()
    due = next_due(state)
    assert due is not None
    with patch.object(core, "AT_ONCE", 10_000):
        at_once = advance(state, due)
    assert changed(state, at_once) == MANY
    assert advance(state, due) == at_once
    assert next_due(advance(state, due)) == next_due(at_once)
