"""Which steps are wide: they look at more members than a few hundred, one by one, and take long.

A finding means something to one member only, in an incident of any size.  A silence, a configuration and an operator's word
concern every member; so do the end of an incident, time that passes for a model of which nothing was said, and a finding that may
show two incidents to be one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from alerting.document import view
from alerting.draft import Draft
from alerting.incident import Incident
from alerting.inputs import Began, Confirmed, Failed, Input, Tick
from alerting.silences import edge_passed
from alerting.state import State
from alerting.step import finished
from schemas.actions import Acknowledge, MergeIncidents, Resolve, SplitIncident
from schemas.findings import Finding, Progress

#: Of so many members a step may look at each: up to 6 ms of work.
WIDE = 200
#: To settle an incident costs as much as so many of its members.
SETTLED = 4


def is_wide(state: State, given: Input) -> bool:
    """Whether a step with this input is."""
    match given:
        case Finding():
            return _many(chain(_woken(state, given), _bridged(state, given)))
        case Progress():
            return _many(_woken(state, given))
        case Acknowledge() | Resolve() | SplitIncident():
            found = state.incidents.get(given.incident)
            return found is not None and _many([found])
        case MergeIncidents():
            return _many(state.incidents[name] for name in (given.incident, given.into) if name in state.incidents)
        case Began() | Confirmed() | Failed() | Tick():
            return False
        case _:
            return _many(state.incidents.values())


def is_wide_due(state: State, due: int) -> bool:
    """Whether the step at a due time is."""
    if edge_passed(state.silences.values(), state.now, due):
        return _many(state.incidents.values())
    return any(_many([state.incidents[name]]) for name, at in state.index.dues.items() if at <= due)


def summed(state: State) -> State:
    """The state, once what is summed over the members of each large incident was: the first step and document would do it."""
    draft = Draft(state, state.now)
    for incident in draft.live():
        if _many([incident]):
            draft.touch([incident.id])
            view(state, incident.id)
    finished(draft)
    return state


def _woken(state: State, message: Finding | Progress) -> Iterator[Incident]:
    """The incidents to which a model's event time means something by then."""
    for name in state.index.by_model.get(message.model, ()):
        incident = state.incidents[name]
        if incident.event_due is not None and incident.event_due <= message.at:
            yield incident


def _bridged(state: State, finding: Finding) -> list[Incident]:
    """The incidents that nobody was told of yet and that a finding without a home may show to be one."""
    heard = state.models.get(finding.model)
    known = heard.keys.get(finding.key) if heard is not None else None
    if finding.state != "firing" or (known is not None and known.home is not None):
        return []
    by_node = state.index.by_node
    nodes = state.policy.lineage.above(finding.subject)
    names = frozenset[str]().union(*(by_node.get(node, frozenset()) for node in nodes))
    untold = [state.incidents[name] for name in names if state.incidents[name].state == "pending"]
    return untold if len(untold) > 1 else []


def _many(incidents: Iterable[Incident]) -> bool:
    count = 0
    for incident in incidents:
        count += len(incident.members) + SETTLED if incident.live else 0
        if count > WIDE:
            return True
    return False
