"""Refreshes, taken together: the state that ``step`` would make of them one after the other, at a fraction of the cost.

Most of what is said while something fires is a refresh: the same verdict with other numbers.  It changes its member, and of the
incident only when time alone will change something again, which is never sooner than before.  So as long as nothing is due, an
incident is settled once after any number of refreshes: as of the last of them, and as many revisions further.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from alerting.correlate import judged
from alerting.draft import Draft
from alerting.incident import Member
from alerting.settle import refreshed
from alerting.state import NEVER, Known, State
from alerting.step import is_due
from alerting.timers import indexed
from alerting.totals import LATE
from schemas.findings import Finding, Progress


@dataclass(frozen=True, slots=True)
class _Move:
    """A model is judged up to ``clock``, which was heard at ``now``."""

    model: str
    clock: int
    now: int


@dataclass(slots=True)
class _Told:
    """What an incident is told: its members as they become, by how many verdicts; the last came at ``now``, after ``moves``."""

    members: dict[str, Member] = field(default_factory=dict)
    verdicts: int = 0
    moves: int = 0
    now: int = 0


class Refreshes:
    """Refreshes of one state, and time that passes while nothing is due; ``now`` is how far it has."""

    def __init__(self, state: State) -> None:
        self.now = state.now
        self._state = state
        #: By incident; the one that was told of something last is the last.
        self._pending: dict[str, _Told] = {}
        self._known: dict[str, dict[str, Known]] = {}
        self._clocks: dict[str, int] = {}
        self._wakes: dict[str, int] = {}
        self._moves: list[_Move] = []

    def pass_to(self, now: int) -> bool:
        """Let time pass; False where something is due by then."""
        if is_due(self._state, now):
            return False
        self.now = max(self.now, now)
        return True

    def hear(self, progress: Progress, now: int) -> bool:
        """Let a model's event time pass; False where an incident waits for that, or something is due before it."""
        if is_due(self._state, now) or not self._may_pass(progress):
            return False
        self.pass_to(now)
        self._pass(progress)
        return True

    def take(self, finding: Finding, now: int) -> bool:
        """Take a finding; False where it says more than a refresh does, or something is due or waits for its event time."""
        known = self._known_of(finding)
        if known is None or is_due(self._state, now):
            return False
        if finding.rev <= known.rev:
            return self.pass_to(now)
        name = known.home or ""
        told = self._pending.get(name) or self._steady(name)
        if told is None or not self._may_pass(finding):
            return False
        member = told.members.get(finding.key) or self._state.incidents[name].members[finding.key]
        new = judged(member, finding)
        if not _repeats(member, new):
            return False
        self.pass_to(now)
        self._pass(finding)
        self._tell(name, told, new)
        return True

    def finished(self) -> State:
        """The state with all of it taken."""
        draft, moves = Draft(self._state, self.now), iter(self._moves)
        for model, known in self._known.items():
            draft.know_all(model, known)
        heard = 0
        for name, told in self._pending.items():
            _hear(draft, islice(moves, told.moves - heard))
            heard, draft.now = told.moves, told.now
            refreshed(draft, name, told.members, verdicts=told.verdicts)
        _hear(draft, moves)
        draft.now = self.now
        return draft.finish(indexed(draft))

    def _known_of(self, finding: Finding) -> Known | None:
        """What is known of its key; None where nothing is, or of a model that nobody watches any more."""
        heard = self._state.models.get(finding.model)
        if heard is None or finding.model not in self._state.policy.lineage.panes:
            return None
        return self._known.get(finding.model, {}).get(finding.key) or heard.keys.get(finding.key)

    def _clock(self, model: str) -> int:
        heard = self._state.models.get(model)
        return self._clocks.get(model, NEVER if heard is None else heard.clock)

    def _may_pass(self, message: Finding | Progress) -> bool:
        """Whether its event time means nothing to any incident of its model."""
        model = message.model
        if model not in self._wakes:
            incidents = (self._state.incidents[name] for name in self._state.index.by_model.get(model, ()))
            dues = (incident.event_due for incident in incidents)
            self._wakes[model] = min((due for due in dues if due is not None), default=LATE)
        return message.at < self._wakes[model] or message.at <= self._clock(model)

    def _pass(self, message: Finding | Progress) -> None:
        if message.at > self._clock(message.model):
            self._clocks[message.model] = message.at
            self._moves.append(_Move(message.model, message.at, self.now))

    def _steady(self, name: str) -> _Told | None:
        """Nothing told yet, of an incident that only its own verdicts change: a storm that speaks for it looks at each again."""
        incident = self._state.incidents.get(name)
        if incident is None or any(self._state.entries[entry].rolled is not None for entry in incident.entries):
            return None
        return _Told()

    def _tell(self, name: str, told: _Told, member: Member) -> None:
        finding = member.finding
        told.members[finding.key] = member
        told.verdicts, told.moves, told.now = told.verdicts + 1, len(self._moves), self.now
        self._known.setdefault(finding.model, {})[finding.key] = Known(finding.rev, name)
        self._pending.pop(name, None)
        self._pending[name] = told


def _hear(draft: Draft, moves: Iterable[_Move]) -> None:
    for move in moves:
        draft.now = move.now
        draft.hear(move.model, move.clock)


def _repeats(member: Member, new: Member) -> bool:
    """Whether a verdict on a member that fires says what was said before, but for its numbers, and of a later time."""
    before, now = member.finding, new.finding
    if member.state != "firing" or _said(before) != _said(now):
        return False
    later = now.seen >= before.seen and (now.refresh_by or 0) >= (before.refresh_by or 0)
    return later and new.step == member.step and member.began is not None


def _said(finding: Finding) -> tuple[object, ...]:
    return (
        finding.state, finding.severity, finding.model, finding.subject, finding.kind, finding.rule, finding.feature,
        finding.source, finding.window, finding.segment, finding.owner, finding.memory, finding.refresh_by is None,
        finding.evidence.get("cause"),
    )  # fmt: skip
