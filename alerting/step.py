"""One step of the incident core: a state, an input and a time make the next state.  Pure: no clock, no chance, no I/O.

Due times up to ``now`` fire first, in order, each at its own time, so it makes no difference how often anybody ticks.
"""

from __future__ import annotations

from alerting.conduct import act
from alerting.correlate import hear_finding, hear_progress, hear_time, is_news
from alerting.draft import Draft
from alerting.inputs import Began, Configure, Confirmed, Failed, Input, Tick
from alerting.recovery import removed
from alerting.renewal import renew
from alerting.sending import began, confirmed, failed
from alerting.settle import rerouted, settle
from alerting.silences import edge_passed
from alerting.state import State
from alerting.timers import indexed
from schemas.findings import Finding, Progress

#: So many incidents are settled at once when their time has come: a few milliseconds of work.
AT_ONCE = 20


def step(state: State, given: Input, now: int) -> State:
    """The state after an input at ``now`` (ms of the owner's clock; an earlier time than the state's counts as that)."""
    state = advance(state, now)
    if isinstance(given, Finding):
        if not is_news(state, given):
            return finished(Draft(state, now))
        state = _heard(state, given, now)
    draft = Draft(state, now)
    _take(draft, given)
    return finished(draft)


def _heard(state: State, finding: Finding, now: int) -> State:
    """The state once event time has passed up to a finding that is news, before the finding itself is taken."""
    draft = Draft(state, now)
    hear_time(draft, finding)
    return finished(draft) if draft.moved else state


def advance(state: State, now: int) -> State:
    """The state after every due time up to ``now`` has fired, in order."""
    while is_due(state, now):
        state = fire(state)
    return state


def is_due(state: State, now: int) -> bool:
    """Whether time alone changes something up to ``now``."""
    due = next_due(state)
    return due is not None and due <= now


def fire(state: State) -> State:
    """The state at its next due time, after ``AT_ONCE`` incidents at most; it stays due while there are more.

    Whoever drives the core can so give way between two; ``advance`` takes the same steps, so the outcome is the same.  A storm
    comes after what it stands for.  All incidents are settled at once when a silence begins or ends.
    """
    due = next_due(state)
    return state if due is None else _fired(state, due)


def next_due(state: State) -> int | None:
    """The next time at which something changes without an input, or None.

    Only the owner's clock has due times; event time moves by findings and progress marks.
    """
    return state.index.due


def _fired(state: State, due: int) -> State:
    draft = Draft(state, due)
    names = (name for name, at in state.index.dues.items() if at <= due)
    draft.touch(sorted(names, key=lambda name: draft.incidents[name].rollup is not None)[:AT_ONCE])
    _silences_moved(draft)
    return finished(draft)


def _silences_moved(draft: Draft) -> None:
    """Silences that began or ended since the state before: drop those that are over, and look at every incident."""
    now = draft.now
    if edge_passed(draft.silences.values(), draft.before.now, now):
        draft.touch(incident.id for incident in draft.live())
        for silence in list(draft.silences.values()):
            if silence.ends <= now:
                draft.silence(None, silence.id)


def _take(draft: Draft, given: Input) -> None:
    match given:
        case Finding():
            hear_finding(draft, given)
        case Progress():
            hear_progress(draft, given)
        case Configure():
            _configure(draft, given)
        case Began():
            began(draft, given)
        case Confirmed():
            confirmed(draft, given)
        case Failed():
            failed(draft, given)
        case Tick():
            pass
        case _:
            act(draft, given)


def _configure(draft: Draft, given: Configure) -> None:
    draft.policy = given.policy
    for incident in draft.live():
        rerouted(draft, removed(draft, incident))
    renew(draft)


def finished(draft: Draft) -> State:
    """The state once everything that was touched is settled."""
    if draft.silences is not draft.before.silences:
        draft.touch(incident.id for incident in draft.live())
    for name in list(draft.touched):
        if draft.incidents[name].rollup is None:
            settle(draft, name)
    # A storm comes after what it stands for.
    for name in [name for name in draft.touched if name in draft.incidents]:
        if draft.incidents[name].rollup is not None:
            settle(draft, name)
    return draft.finish(indexed(draft))
