"""What becomes of an action, in words, for the person who waits for it.

The core leaves out what cannot be done; here is why.  Decided by the owner, not by the command: between a command's look and
its action an incident may end.
"""

from __future__ import annotations

from alerting.document import view
from alerting.state import State
from schemas.actions import Acknowledge, Action, AddSilence, ExpireSilence, Resolve
from schemas.answers import Answer
from schemas.incidents import IncidentView


def answer(state: State, action: Action, now: int) -> Answer:
    """What becomes of an action in this state."""
    match action:
        case Acknowledge() | Resolve():
            return _of_incident(known(state, action.incident), action)
        case AddSilence():
            if action.ends <= now:
                return Answer(False, "the silence would have ended before it began")
            return Answer(True, f"silence {action.silence} is in force")
        case ExpireSilence():
            if action.silence not in state.silences:
                return Answer(False, f"there is no silence {action.silence}, or it has ended")
            return Answer(True, f"silence {action.silence} has ended")


def known(state: State, incident: str) -> IncidentView | None:
    """The incident's document; None where the owner does not know it (any more)."""
    return view(state, incident) if incident in state.incidents else None


def _of_incident(found: IncidentView | None, action: Acknowledge | Resolve) -> Answer:
    if found is None:
        return Answer(False, f"there is no incident {action.incident}, or it ended long ago")
    if found.state == "ended":
        return Answer(False, f"incident {found.id} has ended ({found.end_reason}); nothing was changed")
    done = "acknowledged" if isinstance(action, Acknowledge) else "resolved"
    return Answer(True, f"incident {found.id} is {done}{_changed_since(found, action.revision)}")


def _changed_since(found: IncidentView, revision: int | None) -> str:
    seen = revision is None or revision == found.revision
    return "" if seen else f" as it was at revision {revision}; it is at {found.revision} now"
