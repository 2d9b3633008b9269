"""Whether a partition is to be stored now, or may wait until more of its events lie in the panes that they change.

Where events of many models come under any key, nearly each changes a pane of its own, and storing panes costs more than counting.
Pure: whoever asks says how long it has waited.
"""

from __future__ import annotations

from dataclasses import dataclass

#: So few changed panes cost less than the call.
FEW = 16
#: Events a changed pane: from here on storing costs little beside counting.
ENOUGH = 6


@dataclass(frozen=True, slots=True)
class Unstored:
    """What a partition has counted since it was stored.

    ``closes``: some pane has ended, and evaluation waits for it.  ``quiet``: it is read to its end, where nothing came lately.
    """

    panes: int
    events: int
    waited_s: float
    closes: bool
    quiet: bool


def is_due(unstored: Unstored, *, at_latest_s: float) -> bool:
    """Whether to store it now; ``at_latest_s`` bounds what a restart reads again.

    >>> from dataclasses import replace
    >>> busy = Unstored(panes=1000, events=1000, waited_s=0.5, closes=False, quiet=False)
    >>> is_due(busy, at_latest_s=5.0), is_due(replace(busy, panes=100), at_latest_s=5.0)
    (False, True)
    """
    return (
        unstored.closes
        or unstored.quiet
        or unstored.panes <= FEW
        or unstored.events >= ENOUGH * unstored.panes
        or unstored.waited_s >= at_latest_s
    )
