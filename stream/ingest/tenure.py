"""One partition while this worker owns it: what is read, counted and stored of it, and its open partials.

A tenure begins at an assignment and ends with the next one, even where the partition stays: panes kept across a rebalance
would be wrong although every fence passes.  A row read under an ended tenure is dropped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from faust.types import TP

from stream.ingest.arena import Arena, Room
from stream.ingest.timing import NEVER
from stream.state.epochs import Epoch
from stream.state.layout import Layout
from stream.state.packing import Partial

#: (hash of the layout, start of the pane)
PaneId = tuple[str, int]

#: Panes that left memory are remembered one by one up to so many; then Redis is asked for all that are as old.
MOST_AWAY = 2_000


@dataclass(slots=True, eq=False)
class OpenPane:
    """A partial in memory; ``late`` events since the last checkpoint make its next stored form a revision."""

    layout: Layout
    start_ms: int
    arena: Arena
    room: Room
    revision: int
    late: bool = False
    #: No cell of its room holds more, unless that is of 32 bits.
    most: int = 0
    #: The number of the drain that counted in it last.
    touched: int = 0
    #: What was counted before it outgrew the room's cells of 32 bits.
    carried: Partial | None = None
    #: Whether its room is its own still.
    held: bool = True

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.layout.pane_ms


@dataclass(slots=True, eq=False)
class Tenure:
    """Offsets are next offsets: ``read`` ≥ ``counted`` ≥ ``stored``. ``clock`` is the greatest event time counted.

    Nothing is stored of a pane that begins after ``shelved`` and is neither in memory nor in ``away``; no pane in memory ends
    before ``first_end``.
    """

    tp: TP
    stream: str
    epoch: Epoch
    placement: int
    stored: int
    incarnation: int = 0
    topic_id: str | None = None
    clock: int = NEVER
    closed: int = NEVER
    live: bool = True
    read: int = 0
    counted: int = 0
    #: Where the log ended when it was seen that Redis had been emptied; 0: it was not.
    rebuild_to: int = 0
    #: The one that was counted in longest ago first.
    panes: dict[PaneId, OpenPane] = field(default_factory=dict)
    #: Those of them that were counted in since the last checkpoint, in the order in which they were.
    changed: dict[PaneId, OpenPane] = field(default_factory=dict)
    #: Whose events were counted in it, whether their panes are still in memory or not; ``gpus``: samples of GPUs.
    models: set[str] = field(default_factory=set)
    shelved: int = NEVER
    away: set[PaneId] = field(default_factory=set)
    first_end: int = NEVER
    rejected: Counter[str] = field(default_factory=Counter)
    #: Clock and ``closed`` as they were last packed, and since when (on some monotonic clock) there has been more to store.
    packed: tuple[int, int] = (NEVER, NEVER)
    waits_since: float | None = None
    #: What was counted when it was last asked whether to store it.
    looked_at: int = 0
    #: Rows counted since it was packed: a record may be a batch of thousands.
    events_unstored: int = 0

    def __post_init__(self) -> None:
        self.read = self.counted = self.stored
        self.shelved, self.packed = self.clock, (self.clock, self.closed)

    def opened(self, key: PaneId, pane: OpenPane) -> OpenPane:
        """A pane is in memory from here on: this one, or that which is there already."""
        self.away.discard(key)
        self.models.add(pane.layout.model)
        self.first_end = min(self.first_end, pane.end_ms)
        return self.panes.setdefault(key, pane)

    def touch(self, key: PaneId, *, drain: int) -> None:
        """A pane is counted in: it leaves memory after all others."""
        pane = self.panes.pop(key)
        pane.touched = drain
        self.panes[key] = self.changed[key] = pane

    def shelve(self, key: PaneId) -> OpenPane:
        """A pane leaves memory, and no new ones as old as it are looked for there."""
        pane = self.panes.pop(key)
        self.shelved = max(self.shelved, pane.start_ms)
        return pane

    def put_away(self, key: PaneId) -> OpenPane:
        """A pane leaves memory, and will be asked for by its name: new ones as old as it are begun all the time."""
        pane = self.panes.pop(key)
        if pane.start_ms > self.shelved:  # one as old as those is asked for anyway
            self.away.add(key)
        if len(self.away) > MOST_AWAY:
            self.away = {each for each in self.away if each[1] > self.shelved}
        if len(self.away) > MOST_AWAY:
            self.shelved = max(start for _, start in self.away)
            self.away.clear()
        return pane

    def is_stored(self, key: PaneId) -> bool:
        """Whether something may be stored of a pane that is not in memory."""
        return key[1] <= self.shelved or key in self.away

    @property
    def partition(self) -> int:
        return self.tp.partition
