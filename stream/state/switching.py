"""When a changed model changes over: the pure half of publishing a generation.

Panes of different layouts are never summed, so a change of layout takes effect at a boundary of panes that no event has
reached yet.  A change that leaves every layout as it is (an owner, a lateness) takes effect at once.  What a release counts by
version has layouts of its own and changes over apart: a release that begins leaves the panes that drift is judged by alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from schemas.config import InForce
from schemas.monitored import ModelMonitor

#: Stream -> hash of the layout its panes are kept in.
Hashes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """A model's reference (by hash) and monitor, and the layouts that follow from them; ``arms`` are those of a release."""

    reference: str
    monitor: ModelMonitor
    layouts: Hashes
    arms: Hashes = field(default_factory=dict)

    @property
    def pair(self) -> tuple[str, ModelMonitor]:
        """As :class:`InForce` keeps what was in force before."""
        return self.reference, self.monitor


@dataclass(frozen=True, slots=True)
class Switch:
    """What was counted before, and until when; nothing where all panes are of what is in force."""

    previous: Version | None = None
    from_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force of a model now; a version whose reference is lost is None, since nobody could follow it."""

    current: Version | None
    panes: Switch = Switch()
    arms: Switch = Switch()


def changed_over(new: Version, standing: Standing, *, clock_ms: int | None) -> InForce:
    """``new`` put into force; ``clock_ms`` is the greatest event time counted so far, None before the first event."""
    panes = _switched(new, standing.current, standing.panes, of=attrgetter("layouts"), clock_ms=clock_ms)
    arms = _switched(new, standing.current, standing.arms, of=attrgetter("arms"), clock_ms=clock_ms)
    return InForce(
        reference=new.reference,
        monitor=new.monitor,
        from_ms=panes.from_ms,
        previous=panes.previous.pair if panes.previous else None,
        arms_from_ms=arms.from_ms,
        arms_previous=arms.previous.pair if arms.previous else None,
    )


def _switched(
    new: Version, old: Version | None, standing: Switch, *, of: Callable[[Version], Hashes], clock_ms: int | None
) -> Switch:
    """From what is in force to ``new``, as far as the layouts are concerned that ``of`` takes."""
    if old is not None and of(old) == of(new):
        return standing if standing.previous else Switch()
    before = _still_counting(old, standing, clock_ms)
    if before is None or clock_ms is None or of(before) == of(new):
        return Switch()
    return Switch(before, boundary_after(clock_ms, before.monitor.pane_ms, new.monitor.pane_ms))


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


def _still_counting(current: Version | None, standing: Switch, clock_ms: int | None) -> Version | None:
    """The version that events are counted in now: the previous one until its successor's boundary is reached."""
    waiting = standing.from_ms is not None and clock_ms is not None and clock_ms < standing.from_ms
    return standing.previous if waiting and standing.previous else current
