"""An entry of the register: what one address should believe of one incident, and what it may believe.

It is a register and not a queue: however much happened while a vendor was away, the sender only closes the difference.  An
entry keeps its address for life, whatever becomes of the receiver's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from alerting.deliveries import ReceiverKind
from alerting.incident import Picture
from schemas.findings import Severity

#: Why an entry wants what it wants.
Motive = Literal[
    "first",
    "again",
    "worse",
    "outlived",
    "repeat",
    "calmer",
    "moved",
    "recovered",
    "no_data",
    "removed",
    "operator",
    "expired",
    "merged",
    "calm",
]


@dataclass(frozen=True, slots=True)
class Belief:
    """What the vendor may believe of one generation.

    ``doubt``: its opening was begun, and whether it arrived is not known.  ``closing``: the same of its close.  ``severity``
    and ``shown`` are what it surely shows (None: nothing yet), ``sent`` what is on its way.
    """

    severity: Severity | None = None
    doubt: bool = True
    closing: bool = False
    thread: str | None = None
    sent: Picture | None = None
    shown: Picture | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """``want`` is the generation that should be open, None for none; ``generation`` is the last one given out.

    ``told`` is when an opening or edit was last confirmed, ``rung`` when it last rang.  ``note`` is a text to
    post once.  ``failed`` says why this address takes nothing any more.
    """

    id: str
    incident: str
    address: str
    kind: ReceiverKind
    receiver: str
    generation: int = 0
    want: int | None = None
    severity: Severity = "P3"
    motive: Motive = "first"
    believed: dict[int, Belief] = field(default_factory=dict)
    told: int | None = None
    rung: int | None = None
    update_interval: int = 0
    repeat_interval: int | None = None
    held: bool = False
    note: str | None = None
    note_motive: Motive = "again"
    failed: str | None = None
    #: The fingerprint of the secret under which it failed: under another one it is tried again (:mod:`alerting.renewal`).
    failed_under: str = ""
    #: The storm that speaks for it here, until it is told by itself.
    rolled: str | None = None
    #: Where the incident stood here when it was last closed: a return goes on there (Slack's root message).
    root: str | None = None
    #: The incident by whose name the vendor knows it, where that is another: it was told there before the two were merged.
    under: str = ""
    #: PagerDuty, live: by generation, when a resolve that was taken is sent once more (:mod:`alerting.resolves`).
    again: dict[int, int] = field(default_factory=dict)

    @property
    def confirmed(self) -> bool:
        """What is wanted open is surely open."""
        belief = self.believed.get(self.want) if self.want is not None else None
        return belief is not None and not belief.doubt

    @property
    def settled(self) -> bool:
        """Nothing is wanted and nothing left to be done; a failed address is given up."""
        noted = self.note is None or not self.notable
        told = not self.believed and not self.again and noted
        return self.failed is not None or (self.want is None and told)

    @property
    def notable(self) -> bool:
        """A note can be given there.  Where it is no Slack it is a trigger: on a key that is not open it would open one for ever.

        A note of an address that is yet to be opened rides on the opening.
        """
        return self.kind == "slack" or self.confirmed


def entry_id(incident: str, address: str) -> str:
    """The id of the entry of an incident at an address.

    >>> entry_id("inc-4f", "slack:#ml")
    'inc-4f|slack:#ml'
    """
    return f"{incident}|{address}"
