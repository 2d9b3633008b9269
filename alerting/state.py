"""The whole state of the incident owner: one immutable value.

A step makes a new one that shares everything it did not change, so what has to be stored is found by identity
(:mod:`alerting.records`).  ``index`` follows from the rest and is not stored, and neither is ``left``: whoever stores a state
takes the last word of what has left it from there, and goes on with :meth:`State.without_left`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from alerting.digest import Digest
from alerting.entry import Entry
from alerting.incident import Incident
from alerting.policy import Policy
from alerting.silences import Silence
from alerting.table import Table
from schemas.findings import Severity

__all__ = ["NEVER", "Heard", "Index", "Known", "Left", "Policy", "State", "Storm", "new_state"]

#: Event time of a model of which nothing was heard.
NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a finding's key: its newest revision, its incident, and whether a person closed it.

    ``shut``: an operator resolved it at this severity; it stays closed until it was once ok, or gets worse.
    """

    rev: tuple[int, int]
    home: str | None = None
    shut: Severity | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a model: up to which event time it is judged (``clock``), when that was last heard, and its findings."""

    clock: int = NEVER
    heard: int = 0
    keys: Table[Known] = field(default_factory=Table)


@dataclass(frozen=True, slots=True)
class Index:
    """Live incidents by candidate node and by model, and the deadlines by incident (ended ones too)."""

    by_node: dict[str, frozenset[str]] = field(default_factory=dict)
    by_model: dict[str, frozenset[str]] = field(default_factory=dict)
    dues: dict[str, int] = field(default_factory=dict)
    due: int | None = None
    live: int = 0


@dataclass(frozen=True, slots=True)
class Storm:
    """The openings at one address: when the last ones were asked for, by the owner's clock.

    ``rollup`` is the incident that tells there what is not told singly, while there is one.  ``taken`` is how many entries it
    spoke for in all, and ``waiting`` those that it speaks for now: they follow from the entries and are not stored.
    """

    asked: tuple[int, ...] = ()
    rollup: str | None = None
    taken: int = 0
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Left:
    """An incident as it was when it left the working state, with its entries."""

    incident: Incident
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Everything the owner knows, at ``now`` on its clock."""

    policy: Policy
    now: int = 0
    models: dict[str, Heard] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    #: By address.
    storms: dict[str, Storm] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)
    index: Index = field(default=Index(), compare=False)
    left: dict[str, Left] = field(default_factory=dict, compare=False)

    def without_left(self) -> State:
        """The same, once the last documents of what has left are stored."""
        return replace(self, left={}) if self.left else self


def new_state(policy: Policy) -> State:
    """Nothing heard yet."""
    return State(policy)
