"""The owner's clock was set back: every time that was taken from it moves along, so nothing waits for the length of the jump.

What had so long to wait by the clock that was ahead has as long to wait by the new one.  Event time stays, and so do the
lines of a history: they say what the clock said.  A silence is a person's time of day and stays too, unless it began by the
clock that was ahead: then it is in force now, and goes on for as long as was asked for.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from alerting.draft import Draft
from alerting.entry import Entry
from alerting.incident import Incident, Member
from alerting.members import Members
from alerting.silences import Silence
from alerting.state import Index, State, Storm
from alerting.step import finished


def shifted(state: State, by: int) -> State:
    """The state ``by`` ms later on the owner's clock (negative: earlier); all that was to come is as far away as before."""
    moved = replace(
        state,
        now=state.now + by,
        models={name: replace(heard, heard=heard.heard + by) for name, heard in state.models.items()},
        incidents={name: _incident(incident, by) for name, incident in state.incidents.items()},
        entries={name: _entry(entry, by) for name, entry in state.entries.items()},
        storms={address: _storm(storm, by) for address, storm in state.storms.items()},
        digests={name: replace(digest, since=digest.since + by) for name, digest in state.digests.items()},
        index=_index(state.index, by),
    )
    draft = Draft(moved, moved.now)
    if state.silences:  # which of them are in force has to be looked at again
        draft.silences = {name: _silence(silence, state.now, by=by) for name, silence in state.silences.items()}
    return finished(draft)


def _index(index: Index, by: int) -> Index:
    return replace(index, dues={name: due + by for name, due in index.dues.items()}, due=_moved(index.due, by))


def _incident(incident: Incident, by: int) -> Incident:
    taken = incident.acknowledged
    return replace(
        incident,
        opened=incident.opened + by,
        updated=incident.updated + by,
        resting=_moved(incident.resting, by),
        ended=_moved(incident.ended, by),
        held=_moved(incident.held, by),
        due=_moved(incident.due, by),
        acknowledged=None if taken is None else replace(taken, at=taken.at + by),
        members=Members.of({key: _member(member, by) for key, member in incident.members.table.rows()}),
    )


def _member(member: Member, by: int) -> Member:
    finding = msgspec.structs.replace(member.finding, seen=member.finding.seen + by)
    return replace(member, finding=finding, blind=_moved(member.blind, by))


def _entry(entry: Entry, by: int) -> Entry:
    again = {generation: due + by for generation, due in entry.again.items()}
    return replace(entry, told=_moved(entry.told, by), rung=_moved(entry.rung, by), again=again)


def _storm(storm: Storm, by: int) -> Storm:
    return replace(storm, asked=tuple(at + by for at in storm.asked))


def _silence(silence: Silence, before: int, *, by: int) -> Silence:
    if before + by < silence.starts <= before:
        return replace(silence, starts=silence.starts + by, ends=silence.ends + by)
    return silence


def _moved(at: int | None, by: int) -> int | None:
    return None if at is None else at + by
