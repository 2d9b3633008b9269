"""No traffic: the one verdict that a wall clock gives, so only where evaluation follows one.

What is listened to is a count that only grows, events in closed panes and in those still open.  While it stands still, nothing
came; a worker that has just taken a model over gives it the whole time again.  Where a partition that is being read lags
behind, the model may only be waiting in it, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import NO_REBUILD, PartitionState, waited_for
from stream.evaluate.storing.breath import Asking
from stream.evaluate.verdicts.serving import LOOKS, no_traffic_verdict, traffic_verdict
from stream.state.layout import EVENTS

#: Open panes that are looked into.
MOST_PANES = 24


@dataclass(frozen=True, slots=True)
class Silence:
    """``events`` were counted in all when it was last looked (``looked_ms``), and that was so first at ``since_ms``."""

    events: int
    since_ms: int
    looked_ms: int

    def after(self, events: int, now_ms: int) -> Silence:
        """What another look finds.

        >>> Silence(5, 100, 100).after(5, 200), Silence(5, 100, 200).after(6, 300)
        (Silence(events=5, since_ms=100, looked_ms=200), Silence(events=6, since_ms=300, looked_ms=300))
        """
        return Silence(events, self.since_ms if events == self.events else now_ms, now_ms)


def lags(partitions: Sequence[PartitionState], *, now_ms: int, after_ms: int) -> bool:
    """Whether a partition that is not read to its end holds events older than the silence."""
    return any(
        not partition.clock.idle and (partition.clock.clock is None or partition.clock.clock < now_ms - after_ms)
        for partition in partitions
    )


class Listening:
    """Remembers each unit's silence; a unit is a model's stream that its requests are taken from."""

    def __init__(self, redis: Redis, names: Names, *, desk: Desk, asking: Asking) -> None:
        self._redis, self._names, self._desk, self._asking = redis, names, desk, asking
        self._heard: dict[str, Silence] = {}

    def forget(self, model: str) -> None:
        """The model is another worker's, or begins anew."""
        self._heard.pop(model, None)

    def due(self, units: Sequence[Unit], *, now_ms: int, rebuilding: bool) -> list[Unit]:
        """Those whose time it is to be looked at; none while an emptied Redis is filled, and all silences begin anew."""
        if rebuilding:
            for unit in units:
                self.forget(unit.model)
            return []
        return [unit for unit in units if self._is_time(unit, now_ms)]

    def _is_time(self, unit: Unit, now_ms: int) -> bool:
        before, after_ms = self._heard.get(unit.model), unit.phase.watched.monitor.no_traffic_after_ms
        return before is None or after_ms is None or now_ms >= before.looked_ms + after_ms // LOOKS

    async def listen(self, unit: Unit, *, due: Due, now_ms: int) -> None:
        """Look whether anything came, where it is time to; say so if it was silent too long, or no longer is.

        :raises Refused: it could not be stored.
        """
        monitor = unit.phase.watched.monitor
        after_ms, before = monitor.no_traffic_after_ms, self._heard.get(unit.model)
        if after_ms is None or not unit.listens:
            return
        if due.rebuild.running:  # what is counted again says nothing of what comes
            self.forget(unit.model)
            return
        due = replace(due, rebuild=NO_REBUILD)  # a silence is no pane's
        if not self._is_time(unit, now_ms):
            return
        events = await self._events(unit, due.partitions)
        found = (before or Silence(events, now_ms, now_ms)).after(events, now_ms)
        self._heard[unit.model] = found
        silent_ms = now_ms - found.since_ms
        if before is not None and before.events != events:
            await self._say(unit, due, now_ms, silent_ms=0)
        elif silent_ms >= after_ms and not lags(
            waited_for(due.partitions, unit.model), now_ms=now_ms, after_ms=after_ms
        ):
            await self._say(unit, due, now_ms, silent_ms=silent_ms)

    async def _say(self, unit: Unit, due: Due, now_ms: int, *, silent_ms: int) -> None:
        # Dated by the model's own event time, which a wall clock may be hours ahead of; only ``seen`` is the wall's.
        watched, at_ms = unit.phase.watched, unit.last or 0
        start_ms = at_ms - watched.layout.pane_ms
        verdict = (
            no_traffic_verdict(watched, silent_ms=silent_ms, start_ms=start_ms)
            if silent_ms
            else traffic_verdict(watched, start_ms=start_ms)
        )
        walk = self._desk.walk(unit, due)
        await walk.conclude(
            [verdict], at_ms=at_ms, revision=unit.standing.next_of(verdict.key, at_ms=at_ms, least=now_ms)
        )
        if walk.conclusion.messages:
            walk.conclusion.fields |= unit.fields()
            await self._desk.store(walk, due)

    async def _events(self, unit: Unit, partitions: Sequence[PartitionState]) -> int:
        """All events of a model's stream, in closed panes and in open ones."""
        key, field = self._names.totals(unit.model), f"{unit.stream}:events"
        closed = await self._asking(lambda: self._redis.hget(key, field))
        layout, last = unit.phase.watched.layout, unit.last or 0
        newest = max((one.clock.clock for one in partitions if one.clock.clock is not None), default=last)
        first = max(last, layout.pane_of(newest) - (MOST_PANES - 1) * layout.pane_ms)
        starts = range(first, newest + 1, layout.pane_ms)
        found = await self._desk.merged.whole(
            layout, starts, incarnations=[partition.incarnation for partition in partitions]
        )
        return int(closed or 0) + sum(int(partial.cells[EVENTS]) for partial in found.values())
