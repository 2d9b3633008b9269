"""One model's release: how far it is judged, and what is carried on.

It follows the streams that its rules are taken from, and judges a health window once all of them are closed up to its end.  What
late events change afterwards changes no decision: a decision that was told stands.  Everything here can be dropped and is built
again from Redis.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.actions import OrderRelease
from schemas.names import Stream
from schemas.release import HOUR_MS
from stream.evaluate.closing.arms_phases import ArmsPhase, phase_at
from stream.evaluate.closing.unit import Phase, Unit
from stream.evaluate.panes.windows import boundary_before
from stream.evaluate.releases.ahead import Ahead, known_at
from stream.evaluate.releases.state import State
from stream.evaluate.verdicts.standing import Standing

#: Orders taken that are known again: one that comes twice is obeyed once, with another one in between too.
REMEMBERED = 20
#: What it is called where streams are named.
RELEASE = "release"
#: Fields of the evaluation hash.
FIELDS = ("last", "judged_by", "state", "standing", "ordered")


@dataclass(eq=False, slots=True)
class Release:
    """``last`` is the end of the last health window, ``stored`` as Redis has it (None: nothing stored).

    ``order`` is what was last ordered, ``ordered`` the ids of those that were taken last.
    """

    units: Mapping[Stream, Unit]
    phases: Sequence[ArmsPhase]
    last: int | None = None
    stored: int | None = None
    judged_by: str = ""
    standing: Standing = field(default_factory=Standing)
    order: OrderRelease | None = None
    ordered: tuple[str, ...] = ()
    loaded: bool = False
    #: Streams that are read to their end and quiet, and what was judged for harm without them.
    silent: Collection[Stream] = ()
    ahead: Ahead | None = None
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = State(model=self.model)

    @property
    def model(self) -> str:
        return self.units["predictions"].model

    @property
    def stream(self) -> str:
        """What it is called where streams are named."""
        return RELEASE

    @property
    def phase(self) -> Phase:
        """As the model's predictions are watched next."""
        return self.units["predictions"].phase

    @property
    def counted(self) -> ArmsPhase:
        """How the window that comes next is counted."""
        return phase_at(self.phases, self.last or 0)

    @property
    def is_of_interest(self) -> bool:
        """Whether there is a release, or was one: of another model nothing is written."""
        return self.stored is not None or any(phase.release is not None for phase in self.phases)

    @property
    def sides(self) -> tuple[Unit, ...]:
        """The streams that the next window is taken from."""
        return tuple(self.units[stream] for stream in self.counted.streams)

    @property
    def closed(self) -> int:
        """Up to where all of them are closed and stored."""
        return min(side.stored or 0 for side in self.sides)

    @property
    def expected(self) -> str:
        """What the stored hash must hold as ``last``."""
        return "" if self.stored is None else str(self.stored)

    @property
    def generation(self) -> str:
        """What names the configuration that it was last looked at by."""
        return str(self.units["predictions"].phases[-1].watched.generation)

    @property
    def next_end(self) -> int:
        """The end of the window that comes next: a multiple of its length, or where another configuration begins."""
        return self._end_after(self.last or 0)

    @property
    def begin_ahead(self) -> int:
        """Up to where it is judged for harm, by the streams that did not fall silent."""
        ahead, last = self.ahead, self.last or 0
        return ahead.to_ms if ahead is not None and ahead.follows(self.state, last) else last

    @property
    def end_ahead(self) -> int:
        """The end of the window that is judged so next; no such window reaches over a change of what is counted."""
        return self._end_after(self.begin_ahead)

    @property
    def known_ahead(self) -> tuple[Stream, ...]:
        """The streams that it is judged by; none where it waits for all."""
        end = self.end_ahead
        if not self.silent or not self.state.runs or end <= self.begin_ahead:
            return ()
        closed = {stream: self.units[stream].stored or 0 for stream in self.counted.streams}
        return known_at(end, closed, patience_ms=self.every_ms, silent=self.silent)

    def _end_after(self, start_ms: int) -> int:
        every, until = self.every_ms, self.counted.until_ms
        end = boundary_before(start_ms, step_ms=every) + every
        return end if until is None else min(end, until)

    @property
    def every_ms(self) -> int:
        """The length of a health window."""
        named = self.counted.release
        return HOUR_MS if named is None else named.every_ms

    @property
    def told_to(self) -> int:
        """No window that is judged later ends here or before."""
        return self.next_end - 1

    @property
    def is_due(self) -> bool:
        """Whether there is anything to judge or to say."""
        if not self.is_of_interest or not self.closed:
            return False
        if self.last is None:
            return self.closed >= self.first_ms
        if self.stored is None or self.next_end <= self.closed or self.judged_by != self.generation:
            return True
        return self.is_ordered or bool(self.known_ahead)

    @property
    def is_ordered(self) -> bool:
        """Whether a person ordered something that was not taken yet."""
        return self.order is not None and self.order.id not in self.ordered

    def restore(self, values: Sequence[bytes | None]) -> None:
        """Take up what is stored (``FIELDS``).

        :raises msgspec.DecodeError: it is damaged.
        """
        found = dict(zip(FIELDS, values, strict=True))
        self.loaded = True
        if found["last"] is None:
            return
        self.last = self.stored = int(found["last"])
        self.judged_by = (found["judged_by"] or b"").decode()
        self.state = State.from_json(found["state"]) if found["state"] else self.state
        self.standing = Standing.from_json(found["standing"]) if found["standing"] else Standing()
        self.ordered = tuple((found["ordered"] or b"").decode().split())

    def resume(self, state: State, standing: Standing) -> None:
        """Take up what is known from elsewhere, while nothing is stored."""
        self.state, self.standing = state, standing

    def first_after(self, at_ms: int) -> int:
        """Where windows begin that lie behind a time, and behind the first pane that is there."""
        first = self.first_ms
        return first if at_ms <= first else -(-at_ms // self.every_ms) * self.every_ms

    @property
    def first_ms(self) -> int:
        """Where the first release may begin: at a window's start, from where versions are counted, and behind the first pane.

        It is told once panes up to there are closed: nobody is told of a share that should have held before.
        """
        first = next(phase for phase in self.phases if phase.release is not None)
        before = [phase.until_ms or 0 for phase in self.phases[: self.phases.index(first)]]
        start = max([*before, *(self.units[stream].begun + 1 for stream in first.streams)])
        every = first.release.every_ms if first.release is not None else HOUR_MS
        return -(-start // every) * every

    def fields(self) -> Mapping[str, str | bytes | int]:
        """What is stored of it."""
        return {
            "last": self.last or 0, "judged_by": self.judged_by, "state": self.state.to_json(),
            "standing": self.standing.to_json(), "ordered": " ".join(self.ordered),
        }  # fmt: skip
