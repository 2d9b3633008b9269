"""The pages of incidents: what a row of the list says, and everything about one.

Pure: from the documents that the incident owner wrote to what the templates show.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.incidents import IncidentView, MemberView
from stream.expose.console.node import Node, node_of
from stream.state.incidents import Happened

#: Rows of a list; more are counted.
MOST_ROWS = 200
#: Two probabilities closer than this are shown as a tie: they print alike.
TIE = 0.005


@dataclass(frozen=True, slots=True)
class Row:
    """An incident in a list; ``strongest`` is the member that says how strong it is."""

    view: IncidentView
    causes: Sequence[Node]
    probability: float | None
    strongest: MemberView | None
    firing: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate cause; ``tied`` with the most probable one."""

    node: Node
    probability: float
    tied: bool


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident; ``commands`` are lines for a shell, with what each does."""

    row: Row
    candidates: Sequence[Candidate]
    members: Sequence[tuple[MemberView, Node]]
    timeline: Sequence[Happened]
    commands: Sequence[tuple[str, str]]


def open_rows(views: Iterable[IncidentView]) -> list[Row]:
    """Incidents that have not ended, worst first, then the newest."""
    return rows_of(view for view in views if view.state != "ended")


def ended_rows(views: Iterable[IncidentView]) -> list[Row]:
    """Incidents that have, the newest end first."""
    ended = [view for view in views if view.state == "ended"]
    return [row_of(view) for view in sorted(ended, key=lambda view: (-(view.ended or view.updated), view.id))]


def rows_of(views: Iterable[IncidentView]) -> list[Row]:
    """Worst first, then the newest; equal ones by id, so that a list stands still."""
    return [row_of(view) for view in sorted(views, key=lambda view: (view.severity, -view.opened, view.id))]


def row_of(view: IncidentView) -> Row:
    """One incident in a list."""
    leading = leading_causes(view)
    return Row(
        view,
        [cause.node for cause in leading],
        leading[0].probability if leading else None,
        strongest(view.members),
        sum(member.state == "firing" for member in view.members) + view.more_firing,
    )


def leading_causes(view: IncidentView) -> list[Candidate]:
    """The most probable candidate and those tied with it."""
    return [candidate for candidate in candidates_of(view) if candidate.tied]


def candidates_of(view: IncidentView) -> list[Candidate]:
    """All candidates, the most probable first."""
    causes = sorted(view.causes, key=lambda cause: (-cause.probability, cause.node))
    top = causes[0].probability if causes else 0.0
    return [Candidate(node_of(cause.node), cause.probability, top - cause.probability < TIE) for cause in causes]


def strongest(members: Iterable[MemberView]) -> MemberView | None:
    """The gravest member, and of those the one furthest beyond its threshold."""
    return min(members, key=lambda member: (member.state != "firing", member.severity, -_excess(member)), default=None)


def incident_page(view: IncidentView, happened: Sequence[Happened]) -> IncidentPage:
    """Everything about one incident; ``happened`` is in the order of time, and shown newest first."""
    members = sorted(view.members, key=lambda one: (one.state != "firing", one.severity, one.onset_lo, one.key))
    return IncidentPage(
        row_of(view),
        candidates_of(view),
        [(one, node_of(one.subject)) for one in members],
        happened[::-1],
        commands_of(view),
    )


def commands_of(view: IncidentView) -> list[tuple[str, str]]:
    """What a person may type next; names are quoted for the shell."""
    ident = shlex.quote(view.id)
    if view.state == "ended":
        return [(f"driftline incident show {ident}", "the same in a terminal")]
    return [
        (f"driftline incident ack {ident}", "take it: no repeats, and worse still rings"),
        (f"driftline incident resolve {ident}", "declare it over"),
        (f"driftline silence add {shlex.quote(_matcher(view))} --for 4h", "mute what it is about for four hours"),
    ]


def _matcher(view: IncidentView) -> str:
    """What all members share: their source, the one model; else only the incident."""
    sources = {member.source for member in view.members}
    source = sources.pop() if len(sources) == 1 else None
    if source:
        return f'source="{source}"'
    return f'model="{view.models[0]}"' if len(view.models) == 1 else f'incident="{view.id}"'


def _excess(member: MemberView) -> float:
    """How many times its threshold a member's value is; of a p-value how many times smaller; 0 where one is missing."""
    if member.value is None or not member.threshold:
        return 0.0
    if member.rule.endswith("_p"):
        return member.threshold / member.value if member.value else math.inf
    return abs(member.value / member.threshold)
