"""The units that this worker evaluates: every stream of every model whose shard it holds, dropped with the lease."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import cast

import msgspec
from redis.asyncio import Redis

from schemas.names import TOPICS_IN, Names, Stream
from stream.evaluate.closing.arms_phases import ArmsPhase
from stream.evaluate.closing.paces import Paces, paces_of
from stream.evaluate.closing.roster import Roster
from stream.evaluate.closing.unit import FIELDS, Unit
from stream.evaluate.storing.breath import Asking
from stream.evaluate.storing.notes import Note
from stream.evaluate.storing.shards import shard_of
from stream.state.layout import Layout

log = logging.getLogger(__name__)

#: Units that are read in one round trip.
AT_ONCE = 50


class Roll:
    """``units`` by stream and model."""

    def __init__(self, redis: Redis, names: Names, *, asking: Asking) -> None:
        self._redis, self._names, self._asking = redis, names, asking
        self._roster: Roster | None = None
        self._tokens: dict[int, int] = {}
        self._longest: Mapping[Stream, int] = {}
        #: Models that cannot be watched, and why.
        self.unfit: dict[str, Exception] = {}
        self.units: dict[Stream, dict[str, Unit]] = {stream: {} for stream in TOPICS_IN}
        #: Grows with every change of what the units are, or how far they are.
        self.turn = 0
        self._all_loaded: dict[Stream, int] = {}
        self._paces: dict[Stream, tuple[int, Paces]] = {}
        #: How the versions of each of these models are counted.
        self.arms: dict[str, tuple[ArmsPhase, ...]] = {}

    @staticmethod
    def shard(model: str) -> int:
        """The shard of a model."""
        return shard_of(model)

    @property
    def models(self) -> Collection[str]:
        """All models in force, whoever evaluates them."""
        return self._roster.generation.models if self._roster is not None else ()

    def longest_window_ms(self, stream: Stream) -> int:
        """The longest window of any model in force."""
        return self._longest.get(stream, 0)

    def follow(self, roster: Roster) -> None:
        """Watch what another generation says; units are restored from what is stored."""
        if self._roster is not None:
            roster.take_over(self._roster)
        self._roster = roster
        self._longest = roster.longest_ms
        self._tokens = {}
        self.turn += 1
        for units in self.units.values():
            units.clear()
        self.unfit.clear()

    async def agree(self, tokens: Mapping[int, int]) -> list[str]:
        """Have units for exactly the shards held under these tokens; the models that were gained."""
        if self._roster is None or self._tokens == tokens:
            return []
        changed = {shard for shard in {*tokens, *self._tokens} if tokens.get(shard) != self._tokens.get(shard)}
        self._tokens = dict(tokens)
        self.turn += 1
        gained = []
        for model in self._roster.generation.models:
            if shard_of(model) in changed:
                self._drop(model)
                if shard_of(model) in tokens and await self._add(model):
                    gained.append(model)
                await self._asking.breath()
        self.turn += 1
        return gained

    async def load(self, stream: Stream) -> list[tuple[Unit, Exception]]:
        """Restore the units of a stream that are new; those whose stored state is damaged, and how, are left out."""
        damaged: list[tuple[Unit, Exception]] = []
        turn = self.turn
        if self._all_loaded.get(stream) == turn:
            return damaged
        new = [unit for unit in self.units[stream].values() if not unit.loaded]
        for first in range(0, len(new), AT_ONCE):
            some = new[first : first + AT_ONCE]
            for unit, values in zip(some, await self._asking(partial(self._read, some)), strict=True):
                try:
                    unit.restore(values)
                except (msgspec.DecodeError, ValueError) as error:
                    damaged.append((unit, error))
                await self._asking.breath()
        if new:
            self.turn += 1
        else:
            self._all_loaded[stream] = turn
        return damaged

    async def paces(self, stream: Stream) -> Paces:
        """When the units of a stream are due."""
        turn, known = self.turn, self._paces.get(stream)
        if known is None or known[0] != turn:
            found = await paces_of(self.units[stream].values(), breath=self._asking.breath)
            known = self._paces[stream] = turn, found
        return known[1]

    async def layouts(self, unit: Unit, notes: Sequence[Note]) -> dict[str, Layout]:
        """The layouts that these notes name, those of earlier configurations too."""
        found = {phase.watched.layout.hash: phase.watched.layout for phase in unit.phases}
        for digest in sorted({note.layout for note in notes} - set(found)):
            key, field = self._names.layouts(unit.model), f"{unit.stream}:{digest}"
            stored = await self._asking(partial(self._redis.hget, key, field))
            if stored is not None:
                found[digest] = Layout.from_json(cast(bytes, stored))
        return found

    def anew(self, stream: str) -> None:
        """Another Redis has taken over, or it was started again: what is in memory may never have come to it."""
        log.warning("%s are evaluated anew: Redis is another than a moment ago", stream)
        for unit in list(self.units[cast(Stream, stream)].values()):
            self.reset(unit)

    def reset(self, unit: Unit) -> None:
        """Forget what is in memory of a unit; it is restored before its next turn."""
        stream = cast(Stream, unit.stream)
        self.turn += 1
        if self.units[stream].get(unit.model) is unit:
            self.units[stream][unit.model] = Unit(unit.model, stream, unit.phases)

    async def _read(self, units: Sequence[Unit]) -> list[list[bytes | None]]:
        pipe = self._redis.pipeline(transaction=False)
        for unit in units:
            pipe.hmget(self._names.evaluation(unit.model, unit.stream), FIELDS)
        return cast("list[list[bytes | None]]", await pipe.execute())

    async def _add(self, model: str) -> bool:
        assert self._roster is not None
        try:
            phases = await self._asking.beside(partial(self._roster.phases, model))
            self.arms[model] = await self._asking.beside(partial(self._roster.arms, model))
        except Exception as error:  # whatever it is, the other models are evaluated
            self.unfit[model] = error
            return False
        for stream, of_stream in phases.items():
            self.units[stream][model] = Unit(model, stream, of_stream)
        return True

    def _drop(self, model: str) -> None:
        for units in self.units.values():
            units.pop(model, None)
