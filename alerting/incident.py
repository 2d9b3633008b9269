"""An incident and its members, as the owner keeps them: values, replaced and never changed.

``at``, ``cleared``, ``onset`` and what is compared with them are event time; ``opened``, ``updated``, ``ended``, ``blind``
and the rest are the owner's clock.  The two never meet in one comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from alerting.deliveries import ReceiverKind
from alerting.members import Members
from schemas.findings import Class, Finding, Onset, Severity
from schemas.incidents import Cause, EndReason, IncidentState

#: How a finding came to its incident.
JoinedBy = Literal["first", "onset", "tail", "subject", "continuation", "overflow", "merged", "split"]
#: ``blind``: it was firing when it was last judged, and cannot be judged now.
MemberState = Literal["firing", "clear", "blind"]
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reach:
    """One address that a member's route ends at, with the route's times."""

    address: str
    kind: ReceiverKind
    receiver: str
    wait: int
    update_interval: int
    repeat_interval: int | None


@dataclass(frozen=True, slots=True)
class Lowered:
    """Since ``at`` a member is no worse than ``severity`` (None: clear): it counts once a hold has passed."""

    at: int
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Member:
    """One finding in an incident.

    ``severity`` is the effective one: worse at once, better by the worst of the last hold; None once it has been clear for a
    hold while others fired, and then its key is free to join elsewhere.  ``step`` is the time between two judgements.
    ``reach`` and ``silenced`` (until when) follow from policy and silences and are not stored.
    """

    finding: Finding
    joined_by: JoinedBy
    joined: int
    state: MemberState = "firing"
    severity: Severity | None = None
    lowered: Lowered | None = None
    cleared: int | None = None
    blind: int | None = None
    step: int = 0
    peak: float | None = None
    #: The revision of the incident at which it got worse, and the severity before.
    worsened: tuple[int, Severity] | None = None
    #: The worst it was here, and how often it came back to what it had been: each time the next hold is twice as long.
    worst: Severity | None = None
    relapses: int = 0
    #: Its onset when it joined; the finding's own is that of its newest episode.
    began: Onset | None = None
    reach: tuple[Reach, ...] = field(default=(), compare=False)
    silenced: int | None = field(default=None, compare=False)

    @property
    def active(self) -> bool:
        """It fires, or is not known to have stopped."""
        return self.state != "clear"

    @property
    def rhythm(self) -> int:
        """The time between two verdicts that may differ; 0 where a change is told at once, however seldom it is said again."""
        return 0 if self.finding.kind == "external" else self.step

    @property
    def counts(self) -> bool:
        """It fires, or fired less than a hold ago: it has a say in severity, title and routing."""
        return self.severity is not None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who took it and when, and what that covers: these findings, up to this severity."""

    by: str
    at: int
    severity: Severity
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an incident's history; numbers only grow."""

    number: int
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a receiver shows of an incident: ``urgent`` is shown at once when it changes, ``detail`` at the next update."""

    urgent: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RollUp:
    """A storm at one address: what it stands for is told there as one incident, without members of its own.

    ``waiting`` incidents are told by it and not yet by themselves, ``taken`` is how many there were in all.
    """

    reach: Reach
    waiting: int = 0
    taken: int = 0
    silenced: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A hypothesis of one fault: the findings it explains, and when a cause at each candidate node must have begun.

    ``late``: it began while the owner was catching up, so much later than it could have; its openings are ``held`` until then.
    ``anchor`` is that interval by node and only shrinks.  ``due`` is when time alone changes something by the owner's clock,
    ``event_due`` the same by its models' event time.
    """

    id: str
    seed: str
    opened: int
    updated: int
    revision: int = 0
    state: IncidentState = "pending"
    members: Members = field(default_factory=Members)
    anchor: dict[str, Interval] = field(default_factory=dict)
    severity: Severity = "P3"
    worst: Severity = "P3"
    classes: frozenset[Class] = frozenset()
    models: frozenset[str] = frozenset()
    #: (revision, severity before) of the worsenings, the newest last.
    worsenings: tuple[tuple[int, Severity], ...] = ()
    acknowledged: Acknowledged | None = None
    flips: int = 0
    returned: int | None = None
    resting: int | None = None
    outlived: str | None = None
    overflow: bool = False
    rollup: RollUp | None = None
    links: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    #: How many members there were when the causes were weighed last.
    weighed: int = 0
    entries: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    ended: int | None = None
    ended_at: int | None = None
    reason: EndReason | None = None
    #: The incident that a person merged it into; ``parted``: a person split it off another one.
    into: str | None = None
    parted: bool = False
    #: How often findings were split off it: then members leave.
    splits: int = 0
    picture: Picture = Picture()
    late: int | None = None
    held: int | None = None
    due: int | None = None
    event_due: int | None = None

    @property
    def live(self) -> bool:
        """It has not ended."""
        return self.ended is None

    @property
    def firing(self) -> bool:
        """At least one member fires, or is not known to have stopped; so does a storm until it is over."""
        return self.rollup is not None or self.members.active > 0
