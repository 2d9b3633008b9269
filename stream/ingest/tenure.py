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


@dataclass(slots=True, eq=False)
class OpenPane:
    """A partial in memory; ``late`` events since the last checkpoint make its next stored form a revision."""

    layout: Layout
    start_ms: int
    arena: Arena
    room: Room
    revision: int
    late: bool = False
    #: No cell of a small room holds more.
    most: int = 0
    #: What was counted before it outgrew the room's cells of 32 bits.
    carried: Partial | None = None

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.layout.pane_ms


@dataclass(slots=True, eq=False)
class Tenure:
    """Offsets are next offsets: ``read`` ≥ ``counted`` ≥ ``stored``. ``clock`` is the greatest event time counted.

    Nothing is stored of a pane that begins after ``shelved`` and is not in memory; no pane in memory ends before ``first_end``.
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
    panes: dict[PaneId, OpenPane] = field(default_factory=dict)
    changed: set[PaneId] = field(default_factory=set)
    shelved: int = NEVER
    first_end: int = NEVER
    rejected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.read = self.counted = self.stored
        self.shelved = self.clock

    @property
    def partition(self) -> int:
        return self.tp.partition
