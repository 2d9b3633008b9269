"""The members of an incident: one table in the order in which they joined, another by model, and which subjects they are about.

Each version shares with the one before what did not change, so a finding costs about as much in an incident of ten thousand
members as in one of ten.  What is asked of all members is a :class:`~alerting.table.Summary`, never a loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alerting.table import Table

if TYPE_CHECKING:
    from alerting.incident import Member

#: What is counted by subject: those about which something fires, and, by kind, those about which something has a say.
ACTIVE = "active"
#: And those of which a finding says what its change looks like: messages do then, too.
EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Subject:
    """A node that findings are about, and the keys of those, the newest member last."""

    name: str
    keys: tuple[str, ...]


class Members(Mapping[str, "Member"]):
    """By the findings' keys; ``active`` is how many fire, or are not known to have stopped."""

    __slots__ = ("_tags", "active", "by_model", "subjects", "table")

    def __init__(self) -> None:
        self.table: Table[Member] = Table()
        self.by_model: Table[Table[Member]] = Table()
        self.subjects: Table[Subject] = Table()
        self.active = 0
        self._tags: Mapping[str, int] = {}

    @classmethod
    def of(cls, members: Mapping[str, Member]) -> Members:
        """These members, in this order."""
        return cls().put(members)

    def __getitem__(self, key: str) -> Member:
        return self.table[key]

    def __contains__(self, key: object) -> bool:
        return key in self.table

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def put(self, changes: Mapping[str, Member]) -> Members:
        """With these members replaced, or added at the end."""
        if any(_moves(self.table.get(key), member) for key, member in changes.items()):
            return Members.of({**dict(self.table.rows()), **changes})
        made = Members()
        made.table = self.table.put(changes)
        made.by_model = self._by_model(changes)
        made.subjects, made.active, made._tags = self.subjects, self.active, self._tags
        made._count(self.table, changes)
        return made

    def again(self, changes: Mapping[str, Member]) -> Members:
        """With these members replaced after a refresh: each fires as it did, and only numbers and times are others."""
        made = Members()
        made.table = self.table.again(changes)
        made.by_model = self.by_model.again(
            {model: self.by_model[model].again(part) for model, part in _parts(changes).items()}
        )
        made.subjects, made.active, made._tags = self.subjects, self.active, self._tags
        return made

    def about(self, subject: str) -> Iterator[Member]:
        """The members about a subject."""
        found = self.subjects.get(subject)
        return (self.table[key] for key in found.keys) if found is not None else iter(())

    def differing(self, before: Members) -> Iterator[tuple[str, Member]]:
        """The members that are not the identical ones in ``before``."""
        return self.table.differing(before.table)

    def pieces(self) -> Iterator[object]:
        """What holds them, a few each, in every table."""
        yield from self.table.pieces()
        for _, part in self.by_model.rows():
            yield from part.pieces()

    def subjects_with(self, tag: str) -> int:
        """About how many subjects something fires (``ACTIVE``), or has a say that is of a kind and not silenced."""
        return self._tags.get(tag, 0)

    def _by_model(self, changes: Mapping[str, Member]) -> Table[Table[Member]]:
        empty: Table[Member] = Table()
        parts = _parts(changes).items()
        return self.by_model.put({model: self.by_model.get(model, empty).put(part) for model, part in parts})

    def _count(self, before: Table[Member], changes: Mapping[str, Member]) -> None:
        """Bring subjects and counts from ``before`` to what is in the table, one changed member after the other."""
        tags = dict(self._tags)
        subjects: dict[str, Subject] = {}
        done: dict[str, Member] = {}
        for key, member in changes.items():
            was, name = before.get(key), member.finding.subject
            subject = subjects.get(name) or self.subjects.get(name) or Subject(name, ())
            self.active += member.active - (was is not None and was.active)
            others = {
                tag
                for other in subject.keys
                if other != key and (one := done.get(other) or before.get(other))
                for tag in _tags(one)
            }
            for tag in _tags(member) - others:
                tags[tag] = tags.get(tag, 0) + 1
            for tag in (_tags(was) if was is not None else set()) - others:
                tags[tag] -= 1
            if was is None:
                subjects[name] = Subject(name, (*subject.keys, key))
            done[key] = member
        self.subjects, self._tags = self.subjects.put(subjects), tags


def _parts(changes: Mapping[str, Member]) -> dict[str, dict[str, Member]]:
    parts: dict[str, dict[str, Member]] = {}
    for key, member in changes.items():
        parts.setdefault(member.finding.model, {})[key] = member
    return parts


def _moves(was: Member | None, member: Member) -> bool:
    """A key says whose finding it is; should one ever say something else, everything is counted afresh."""
    if was is None:
        return False
    return (was.finding.model, was.finding.subject) != (member.finding.model, member.finding.subject)


def _tags(member: Member) -> set[str]:
    tags = {ACTIVE} if member.active else set()
    if member.active and isinstance(member.finding.evidence.get("cause"), str):
        tags.add(EXPLAINED)
    if member.counts and member.silenced is None:
        tags.add(member.finding.kind)
    return tags
