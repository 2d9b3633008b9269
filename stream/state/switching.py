"""When a changed model changes over: the pure half of publishing a generation.

Panes of different layouts are never summed, so a change of layout takes effect at a boundary of panes that no event has
reached yet.  A change that leaves every layout as it is (an owner, a lateness) takes effect at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.config import InForce
from schemas.monitored import ModelMonitor

#: Stream -> hash of the layout its panes are kept in.
Hashes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """A model's reference (by hash) and monitor, and the layouts that follow from them."""

    reference: str
    monitor: ModelMonitor
    layouts: Hashes

    @property
    def pair(self) -> tuple[str, ModelMonitor]:
        """As :class:`InForce` keeps what was in force before."""
        return self.reference, self.monitor


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force of a model now; a version whose reference is lost is None, since nobody could follow it."""

    current: Version | None
    previous: Version | None
    from_ms: int | None


def changed_over(new: Version, standing: Standing, *, clock_ms: int | None) -> InForce:
    """``new`` put into force; ``clock_ms`` is the greatest event time counted so far, None before the first event."""
    old = standing.current
    if old is not None and old.layouts == new.layouts:
        previous = standing.previous
        from_ms = standing.from_ms if previous else None
        return _in_force(new, previous, from_ms=from_ms)
    before = _still_counting(standing, clock_ms)
    if before is None or clock_ms is None or before.layouts == new.layouts:
        return _in_force(new, None, from_ms=None)
    return _in_force(new, before, from_ms=boundary_after(clock_ms, before.monitor.pane_ms, new.monitor.pane_ms))


def boundary_after(clock_ms: int, old_pane_ms: int, new_pane_ms: int) -> int:
    """The first boundary of both pane lengths that is at least one whole pane after the clock.

    >>> hour = 3_600_000
    >>> boundary_after(7 * hour, hour, hour) // hour, boundary_after(7 * hour + 1, hour, hour) // hour
    (8, 9)
    >>> boundary_after(7 * hour, hour, 24 * hour) // hour
    48
    """
    both = math.lcm(old_pane_ms, new_pane_ms)
    return -(-(clock_ms + max(old_pane_ms, new_pane_ms)) // both) * both


def _still_counting(standing: Standing, clock_ms: int | None) -> Version | None:
    """The version that events are counted in now: the previous one until its successor's boundary is reached."""
    waiting = standing.from_ms is not None and clock_ms is not None and clock_ms < standing.from_ms
    return standing.previous if waiting and standing.previous else standing.current


def _in_force(new: Version, previous: Version | None, *, from_ms: int | None) -> InForce:
    before = previous.pair if previous else None
    return InForce(reference=new.reference, monitor=new.monitor, from_ms=from_ms, previous=before)
