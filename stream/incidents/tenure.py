"""One worker's time as the incident owner: from the assignment that gave it the inputs to the write that was refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from alerting.inputs import Input
from alerting.policy import Policy
from alerting.state import State
from stream.incidents.inbox import Inbox
from stream.state.epochs import Epoch


class Ended(Exception):
    """The tenure that this belonged to is over: another owner goes on with what is stored."""


@dataclass(slots=True, eq=False)
class Tenure:
    """``state`` and ``now`` are what is stored; ``turn`` numbers the last turn stored, ``stored`` are the inputs' offsets.

    ``doubtful`` are the entries whose request the owner before had begun and not seen answered, and ``since`` is when this
    tenure began, by the process' own clock: for a while from then on its requests may still arrive.  ``configured`` is the
    policy that the core was last told of, ``unread`` the records of a tenure
    that has no policy yet, by which nothing can be decided, ``outlived`` are ended incidents that the next turn removes.
    """

    epoch: Epoch
    turn: int
    state: State
    now: int
    inbox: Inbox
    stored: dict[str, int]
    since: float
    configured: Policy | None = None
    unread: Mapping[str, bytes] | None = None
    doubtful: set[str] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)
    own: list[tuple[Input, asyncio.Future[None]]] = field(default_factory=list)
    outlived: list[str] = field(default_factory=list)
    unawaited: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    blocked_since: float | None = None
    live: bool = True

    def end(self) -> None:
        """Nobody may write in its name; whoever waits for a write of it hears so."""
        self.live = False
        for _, stored in self.own:
            if not stored.done():
                stored.set_exception(Ended())
        self.own = []
