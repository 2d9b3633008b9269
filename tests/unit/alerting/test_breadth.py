"""Wide steps are those that look at every member of a large incident, and no others: counted in calls of functions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import pytest

from alerting.breadth import SETTLED, WIDE, is_wide, is_wide_due, summed
from alerting.incident import Incident
from alerting.inputs import Configure, Input, Tick
from alerting.records import changed, restored
from alerting.state import State, new_state
from alerting.step import fire, step
from schemas.actions import Acknowledge, AddSilence, ExpireSilence, Matcher, Resolve
from tests.unit.alerting.test_work_of_a_step import calls, fired, found
from tests.unit.alerting.world import DAY, HOUR, MINUTE, T0, progress

SIZE, NOW = 3 * WIDE, T0 + MINUTE
SILENCE = AddSilence(silence="s", matchers=(Matcher("model", "=", "m0"),), starts=NOW, ends=NOW + HOUR, by="x", at=NOW)


@cache
def large() -> State:
    return fired(SIZE, features=SIZE)


def looks_at_all(state: State, given: Input, now: int = NOW) -> bool:
    return calls(partial(step, state, given, now)) > 5 * SIZE


def every_input(state: State) -> dict[str, Input]:
    [name] = state.incidents
    return {
        "refreshed": found(5, NOW, features=SIZE),
        "clears": found(5, NOW, features=SIZE, state="ok", rank=1),
        "time": progress("m0", NOW),
        "tick": Tick(),
        "silence": SILENCE,
        "configured": Configure(state.policy),
        "resolved": Resolve(incident=name, by="x", at=NOW),
        "unsilenced": ExpireSilence(silence="s", by="x", at=NOW),
        "a day of silence": progress("m0", T0 + DAY),
    }


def test_what_looks_at_every_member_is_wide_and_nothing_else() -> None:
    state = large()
    wide = ["silence", "configured", "resolved", "unsilenced", "a day of silence"]
    assert [what for what, given in every_input(state).items() if is_wide(state, given)] == wide
    silenced = step(state, SILENCE, NOW)
    dear = [what for what, given in every_input(state).items() if looks_at_all(silenced, given)]
    assert set(dear) <= set(wide)
    assert {"configured", "resolved", "unsilenced", "a day of silence"} <= set(dear)
    assert looks_at_all(state, SILENCE)


def test_an_acknowledgement_lists_every_member() -> None:
    state = large()
    [name] = state.incidents
    assert is_wide(state, Acknowledge(incident=name, by="x", at=NOW))
    assert not is_wide(state, Acknowledge(incident="inc-other", by="x", at=NOW))


def test_a_small_incident_is_never_wide() -> None:
    state = fired(WIDE // 2, features=SIZE)
    assert [what for what, given in every_input(state).items() if is_wide(state, given)] == []


@pytest.mark.parametrize(("due", "wide"), [(NOW + HOUR - 1, False), (NOW + HOUR, True)])
def test_the_end_of_a_silence_is_wide(due: int, wide: bool) -> None:
    state = step(large(), SILENCE, NOW)
    while (state.index.due or due) < NOW + HOUR:
        state = fire(state)
    assert is_wide_due(state, due) is wide


def test_the_time_of_a_large_incident_is_wide_and_that_of_a_small_one_beside_it_is_not() -> None:
    opened = fired(SIZE, features=SIZE)
    due = opened.index.due
    assert due is not None
    assert is_wide_due(opened, due)
    assert not is_wide_due(opened, due - 1)
    assert not is_wide_due(fired(1, features=1), due)


@pytest.mark.parametrize(("live", "wide"), [(WIDE // (SETTLED + 1), False), (WIDE // (SETTLED + 1) + 1, True)])
def test_many_small_incidents_are_wide_together_and_those_that_ended_do_not_count(live: int, wide: bool) -> None:
    """A configuration settles each that lives."""
    ended, [one] = Incident("inc-e", "k", 0, 0, ended=1), fired(1, features=1).incidents.values()
    small = {f"inc-{n}": replace(one, id=f"inc-{n}") for n in range(live)}
    state = replace(large(), incidents=small | {f"inc-e{n}": ended for n in range(WIDE)})
    assert is_wide(state, Configure(state.policy)) is wide


def test_what_was_summed_at_a_take_over_is_not_summed_by_the_first_step() -> None:
    state = large()
    records = {name: value for name, value in changed(new_state(state.policy), state).items() if value is not None}
    cold, warm = restored(records, state.policy), summed(restored(records, state.policy))
    given = found(5, NOW, features=SIZE)
    assert looks_at_all(cold, given)
    assert not looks_at_all(warm, given)
    assert step(warm, given, NOW) == step(cold, given, NOW)
