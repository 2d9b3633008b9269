"""What becomes of an action, in words, for the person who waits for it.

Decided by the owner at the action's turn, not by the command: between a command's look and its action an incident may end.
"""

from __future__ import annotations

from alerting.conduct import refusal
from alerting.incident import Incident
from alerting.state import State
from schemas.actions import (
    Acknowledge,
    AddSilence,
    IncidentAction,
    MergeIncidents,
    OrderRelease,
    Resolve,
    SplitIncident,
)
from schemas.answers import Answer


def answer(state: State, action: IncidentAction) -> Answer:
    """What becomes of an action in this state, the one before it is taken."""
    refused = refusal(state, action)
    if refused is not None:
        return Answer(False, f"{refused}; nothing was changed")
    match action:
        case Acknowledge() | Resolve():
            return Answer(True, _done(state.incidents[action.incident], action))
        case MergeIncidents():
            return Answer(True, f"incident {action.incident} is merged into {action.into}")
        case SplitIncident():
            count = len(set(action.findings))
            what = "1 finding is" if count == 1 else f"{count} findings are"
            return Answer(
                True, f"{what} an incident of {'its' if count == 1 else 'their'} own, split off {action.incident}"
            )
        case AddSilence():
            return Answer(True, f"silence {action.silence} is in force")
        case _:
            return Answer(True, f"silence {action.silence} has ended")


def passed_on(order: OrderRelease) -> Answer:
    """Of an order of a release: whoever evaluates the model decides, and answers for itself."""
    return Answer(True, f"the order stands: whoever evaluates model {order.model!r} obeys it at its next look")


def _done(incident: Incident, action: Acknowledge | Resolve) -> str:
    done = "acknowledged" if isinstance(action, Acknowledge) else "resolved"
    seen = action.revision is None or action.revision == incident.revision
    since = (
        "" if seen else f" as it was at revision {action.revision}; it has changed since (revision {incident.revision})"
    )
    return f"incident {incident.id} is {done}{since}"
