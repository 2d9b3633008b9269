"""The pages of incidents: what a row of the list says, and everything about one.

Pure: from the documents that the incident owner wrote to what the templates show.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from alerting.cause import stands_out
from schemas.incidents import IncidentView, MemberView
from stream.evaluate.panes.touched import SKEW
from stream.evaluate.panes.windows import SLOW
from stream.expose.console.measured import LABELS
from stream.expose.console.node import Node, node_of
from stream.state.incidents import Happened

#: Rows of a list; more are counted.
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate cause; ``leads`` where it stands out, by the rule that every receiver's message follows."""

    node: Node
    probability: float
    leads: bool


@dataclass(frozen=True, slots=True)
class Row:
    """An incident in a list; ``strongest`` is the finding that says how strong it is, ``cause`` None where none stands out."""

    view: IncidentView
    cause: Candidate | None
    strongest: MemberView | None
    firing: int

    @property
    def findings(self) -> int:
        """All of them, also those that the document does not list."""
        return len(self.view.members) + self.view.more_members


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One incident; ``tied`` candidates share the first place, ``commands`` are lines for a shell, with what each does."""

    row: Row
    candidates: Sequence[Candidate]
    tied: int
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
    return Row(
        view,
        next((cause for cause in candidates_of(view) if cause.leads), None),
        strongest(view.members),
        sum(member.state == "firing" for member in view.members) + view.more_firing,
    )


def candidates_of(view: IncidentView) -> list[Candidate]:
    """All candidates, the most probable first."""
    causes = sorted(view.causes, key=lambda cause: (-cause.probability, cause.node))
    clear = stands_out(causes)
    return [Candidate(node_of(cause.node), cause.probability, clear and at == 0) for at, cause in enumerate(causes)]


def strongest(members: Iterable[MemberView]) -> MemberView | None:
    """The gravest member, and of those the one furthest beyond its threshold."""
    return min(members, key=lambda member: (member.state != "firing", member.severity, -_excess(member)), default=None)


def incident_page(view: IncidentView, happened: Sequence[Happened]) -> IncidentPage:
    """Everything about one incident; ``happened`` is in the order of time, and shown newest first."""
    members = sorted(view.members, key=lambda one: (one.state != "firing", one.severity, one.onset_lo, one.key))
    candidates = candidates_of(view)
    return IncidentPage(
        row_of(view),
        candidates,
        sum(one.probability == candidates[0].probability for one in candidates),
        [(one, subject_of(one)) for one in members],
        happened[::-1],
        commands_of(view),
    )


def subject_of(member: MemberView) -> Node:
    """What a finding is about; that of a feature leads to the chart of the measure it was judged by.

    A slow window's reports may stand under a longer name (`stream.evaluate.panes.windows`): such a finding leads to the page alone.
    """
    node = node_of(member.subject)
    if member.feature is None or node.href is None or member.rule not in LABELS or member.window == SLOW:
        return node
    label = f"{SKEW}:{member.window}" if member.rule == SKEW else member.window
    asked = {"window": label} if member.window else {}
    return replace(node, href=f"{node.href}?{urlencode(asked | {'measure': member.rule})}")


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
