"""Actions: what people do to incidents and releases, one JSON object a record on the topic ``actions``.

Who acts is part of the action, and so is the revision of the incident that they saw: an acknowledgement of what has changed
since covers what was seen.  Times are epoch milliseconds of Redis' clock.  A ``nonce`` names the answer that its sender waits
for: a place in the topic would name another action's once the topic was made anew.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

from schemas.findings import Value

SCHEMA = 1
Operator = Literal["=", "!=", "=~", "!~"]
#: ``hold``: no further share; ``resume``: as the rules say again; ``roll_back``: nothing to the challenger, for good.
ReleaseOrder = Literal["hold", "resume", "roll_back"]
#: A decision repeats who ordered it and why: longer ones would make it a record that no broker takes.
LONGEST_NAME, LONGEST_REASON = 200, 500
Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
Reason = Annotated[str, msgspec.Meta(max_length=LONGEST_REASON)]
Nonce = Annotated[str, msgspec.Meta(max_length=64, pattern="^[0-9A-Za-z-]*$")]


class Matcher(Value, frozen=True):
    """One condition on a finding's labels, as Alertmanager writes it; regular expressions match the whole value."""

    label: str
    operator: Operator
    value: str


class Acknowledge(Value, frozen=True, tag="acknowledge", tag_field="type", kw_only=True, omit_defaults=True):
    """Somebody takes an incident; covers its members and severity at ``revision`` (None: at the time)."""

    incident: str
    by: str
    at: int
    revision: int | None = None
    comment: str = ""
    nonce: Nonce = ""
    schema: int = SCHEMA


class Resolve(Value, frozen=True, tag="resolve", tag_field="type", kw_only=True, omit_defaults=True):
    """Somebody declares an incident over; it stays closed until its findings were once ok, or get worse."""

    incident: str
    by: str
    at: int
    revision: int | None = None
    comment: str = ""
    nonce: Nonce = ""
    schema: int = SCHEMA


class MergeIncidents(Value, frozen=True, tag="merge_incidents", tag_field="type", kw_only=True, omit_defaults=True):
    """Somebody says that ``incident`` is the same fault as ``into``: its findings go there, and it ends."""

    incident: str
    into: str
    by: Name
    at: int
    comment: Reason = ""
    nonce: Nonce = ""
    schema: int = SCHEMA


class SplitIncident(Value, frozen=True, tag="split_incident", tag_field="type", kw_only=True, omit_defaults=True):
    """Somebody says that these findings of an incident (by their keys) are another fault: they become an incident of their own."""

    incident: str
    findings: tuple[str, ...]
    by: Name
    at: int
    comment: Reason = ""
    nonce: Nonce = ""
    schema: int = SCHEMA


class AddSilence(Value, frozen=True, tag="add_silence", tag_field="type", kw_only=True, omit_defaults=True):
    """Mutes openings and repeats (never closings) of findings that all matchers match, from ``starts`` until ``ends``."""

    silence: str
    matchers: tuple[Matcher, ...]
    starts: int
    ends: int
    by: str
    at: int
    comment: str = ""
    nonce: Nonce = ""
    schema: int = SCHEMA


class ExpireSilence(Value, frozen=True, tag="expire_silence", tag_field="type", kw_only=True, omit_defaults=True):
    """Ends a silence now."""

    silence: str
    by: str
    at: int
    nonce: Nonce = ""
    schema: int = SCHEMA


class OrderRelease(Value, frozen=True, tag="order_release", tag_field="type", kw_only=True, omit_defaults=True):
    """Somebody holds, resumes or rolls back the release of a model that they saw; whoever evaluates the model obeys or refuses."""

    model: Name
    release: Name
    order: ReleaseOrder
    by: Name
    at: int
    comment: Reason = ""
    nonce: Nonce = ""
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """A function of what is ordered, by whom and when: an order that comes again is obeyed once."""
        said = (self.model, self.release, self.order, self.by, str(self.at), self.comment)
        return hashlib.sha256("\0".join(said).encode()).hexdigest()[:24]


#: What the incident core decides; of the others the owner only passes on what is asked.
IncidentAction = Acknowledge | Resolve | MergeIncidents | SplitIncident | AddSilence | ExpireSilence
Action = IncidentAction | OrderRelease
_DECODER: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


def encode(action: Action) -> bytes:
    """The record's value."""
    return msgspec.json.encode(action)


def decode(value: bytes) -> Action:
    """What ``encode`` wrote.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _DECODER.decode(value)
