"""One model's comparison of serving and feature store: how far it is judged, and what is carried on.

It has no panes of its own: it follows the two streams that it compares, and judges a window once both are closed up to its end.
So it is never ahead of either, and what it reads is stored.  Everything here can be dropped and is built again from Redis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from stream.evaluate.closing.closing import Due
from stream.evaluate.closing.unit import Phase, Unit
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.touched import SKEW
from stream.evaluate.panes.windows import WindowSpec, boundary_before
from stream.evaluate.skew.columns import Both
from stream.evaluate.verdicts.standing import Standing
from stream.evaluate.verdicts.withheld import FIELD, Withheld

#: Fields of the evaluation hash.
FIELDS = ("last", "begun", "layout", "judged_by", "standing", "seen", FIELD)
#: The window, and the sums of it on the sides of serving and store.
Rings = list[tuple[WindowSpec, Sliding, Sliding]]


@dataclass(eq=False, slots=True)
class Skew:
    """``last`` is the end of the last windows judged, ``stored`` as Redis has it (None: nothing stored).

    ``seen``: the last revision of each side whose windows were judged again.
    """

    served: Unit
    events: Unit
    last: int | None = None
    stored: int | None = None
    begun: int = 0
    layout: str = ""
    judged_by: str = ""
    standing: Standing = field(default_factory=Standing)
    seen: dict[str, int] = field(default_factory=dict)
    withheld: Withheld = field(default_factory=Withheld)
    rings: Rings | None = None
    loaded: bool = False
    #: As Redis has them: what was compared last, and since when.
    held: tuple[str, str, int] = ("", "", 0)
    #: Each built once.
    phases: Sequence[Both] = ()

    def __post_init__(self) -> None:
        self.phases = tuple(Both(*pair) for pair in zip(self.served.phases, self.events.phases, strict=True))

    @property
    def model(self) -> str:
        return self.events.model

    @property
    def stream(self) -> str:
        """What it is called where streams are named."""
        return SKEW

    @property
    def phase(self) -> Phase:
        """As the feature store's events are watched next."""
        return self.events.phase

    def prepare(self) -> None:
        """Find now what is compared: some milliseconds, to be spent off the event loop."""
        for both in self.phases:
            _ = both.columns

    @property
    def sides(self) -> tuple[Unit, Unit]:
        return self.served, self.events

    @property
    def both(self) -> Both:
        """What is compared in the windows that end next."""
        last = self.last or 0
        return next(both for both in self.phases if both.until_ms is None or last < both.until_ms)

    @property
    def closed(self) -> int:
        """Up to where both sides are closed and stored."""
        return min(self.served.stored or 0, self.events.stored or 0)

    @property
    def expected(self) -> str:
        """What the stored hash must hold as ``last``."""
        return "" if self.stored is None else str(self.stored)

    @property
    def compared(self) -> tuple[str, str, int]:
        """What is compared, and since when."""
        return self.layout, self.judged_by, self.begun

    @property
    def told_to(self) -> int:
        """No window that is judged later ends here or before."""
        return self.next_end - 1

    @property
    def next_end(self) -> int:
        step = self.both.step_ms
        return boundary_before(self.last or 0, step_ms=step) + step

    @property
    def is_due(self) -> bool:
        """Whether there is anything to judge or to say."""
        if self.stored is None or self.next_end <= self.closed or self.judged_by != self.both.judged_by:
            return True
        return any(self.revised(side) for side in self.sides)

    def is_freed(self, due: Due) -> bool:
        """Whether what was withheld is to be told now."""
        return self.loaded and due.frees(self.withheld, next_end_ms=self.next_end)

    def revised(self, side: Unit) -> list[int]:
        """The panes of a side that late events changed since this was last looked at."""
        return side.touched.after(self.seen.get(side.stream, 0))

    def restore(self, values: Sequence[bytes | None]) -> None:
        """Take up what is stored (``FIELDS``), or begin where both sides do.

        :raises msgspec.DecodeError: it is damaged.
        """
        found = dict(zip(FIELDS, values, strict=True))
        self.loaded = True
        if found["last"] is None:
            self._begin()
            return
        self.last = self.stored = int(found["last"])
        self.begun = int(found["begun"] or 0)
        self.layout = (found["layout"] or b"").decode()
        self.judged_by = (found["judged_by"] or b"").decode()
        self.standing = Standing.from_json(found["standing"]) if found["standing"] else Standing()
        self.seen = _SEEN.decode(found["seen"]) if found["seen"] else {}
        self.withheld = Withheld.read(found[FIELD])
        self.held = self.compared

    def fields(self) -> Mapping[str, str | bytes | int]:
        """What is stored of it."""
        return {
            "last": self.last or 0, "begun": self.begun, "layout": self.layout, "judged_by": self.judged_by,
            "standing": self.standing.to_json(), "seen": msgspec.json.encode(self.seen),
            **self.withheld.fields(),
        }  # fmt: skip

    def change_over(self) -> bool:
        """Where the next windows are of other panes than the last: they begin anew.  False where a side is not there yet."""
        while True:
            both = self.both
            if (self.served.layout, self.events.layout) == _layouts(both):
                self._enter(both)
            if self.layout == both.layout:
                return True
            if both.until_ms is None or self.closed < both.until_ms:
                return False
            self.last = both.until_ms  # both sides have left this configuration behind

    def _enter(self, both: Both) -> None:
        """Panes of a layout that was left and came into force again begin anew too."""
        begun = max(self.served.begun, self.events.begun)
        if (self.layout, self.begun) != (both.layout, begun):
            self.layout, self.begun, self.rings = both.layout, begun, None

    def ends(self) -> Iterator[int]:
        """The ends that can be judged by this configuration."""
        both, first = self.both, self.next_end
        closed = self.closed if both.until_ms is None else min(self.closed, both.until_ms)
        yield from range(first, closed + 1, both.step_ms)

    def leave(self, both: Both) -> bool:
        """Whether nothing is left of this configuration: the next one begins at its end."""
        until = both.until_ms
        if until is None or self.closed < until:
            return False
        self.last, self.rings = max(self.last or 0, until), None
        return True

    def _begin(self) -> None:
        """With the first pane that both sides have; where the store's began before anybody compared, with the next window."""
        since = self.events.touched.since
        start = self.closed if since is None else max(since, self.served.begun if self.served.layout else 0)
        self.last = boundary_before(start, step_ms=self.events.phase_at(start).step_ms)
        self.seen = {side.stream: side.touched.number for side in self.sides if since is None}


def _layouts(both: Both) -> tuple[str, str]:
    return both.served.watched.layout.hash, both.stored.watched.layout.hash


_SEEN = msgspec.json.Decoder(dict[str, int])
