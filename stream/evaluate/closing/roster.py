"""The models in force as evaluation watches them, by model; one whose reference is lost hurts no other.

Each model's layouts are worked out when it is first asked for, for a worker evaluates a share of the models only, and kept
under later generations that watch it alike.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from redis.asyncio import Redis

from schemas.config import Generation, InForce
from schemas.errors import StoreError
from schemas.monitored import ModelMonitor
from schemas.names import TOPICS_IN, Names, Stream
from schemas.reference import Reference
from stream.evaluate.closing.arms_phases import ArmsPhase, arms_phases
from stream.evaluate.closing.unit import Phase, phase_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.windows import windows_of
from stream.evaluate.storing.breath import Asking
from stream.state.columns import layouts_of
from stream.state.generations import Stamp, read, read_reference, read_stamp

log = logging.getLogger(__name__)


Phases = Mapping[Stream, Sequence[Phase]]


@dataclass(frozen=True, eq=False, slots=True)
class Roster:
    """One generation and the references it names, those that are lost left out."""

    generation: Generation
    references: Mapping[str, Reference]
    #: The longest window of any model, by stream.
    longest_ms: dict[Stream, int] = field(default_factory=dict)
    _phases: dict[str, Phases] = field(default_factory=dict)
    _known: dict[str, Phases] = field(default_factory=dict)

    def phases(self, model: str) -> Phases:
        """How each stream of a model is watched: before the switch, where there was something, and after.

        To be asked off the event loop: what is new takes some milliseconds.

        :raises StoreError: its reference is lost.
        """
        if model not in self._phases:
            self._phases[model] = self._built(model, self.generation.models[model])
        return self._phases[model]

    def arms(self, model: str) -> tuple[ArmsPhase, ...]:
        """How its versions are counted, before the last change of that and after; likewise off the event loop."""
        return arms_phases(model, self.generation.models[model], self.references)

    def prepare(self) -> Roster:
        """Itself, with what all models together are asked for worked out: a dozen milliseconds, off the event loop."""
        monitors = [force.monitor for force in self.generation.models.values()]
        for stream in TOPICS_IN:
            lengths = (spec.length_ms for monitor in monitors for spec in windows_of(monitor, stream))
            self.longest_ms[stream] = max(lengths, default=0)
        return self

    def take_over(self, before: Roster) -> None:
        """Keep what was worked out under the generation before, for models that are watched alike."""
        self._known.update(before._phases)

    def _built(self, model: str, force: InForce) -> dict[Stream, Sequence[Phase]]:
        versions: list[tuple[str, ModelMonitor, int | None]] = [(force.reference, force.monitor, None)]
        if force.previous is not None and force.from_ms is not None and force.previous[0] in self.references:
            versions.insert(0, (*force.previous, force.from_ms))
        found: dict[Stream, list[Phase]] = {stream: [] for stream in TOPICS_IN}
        known = self._known.pop(model, {})
        for digest, monitor, until_ms in versions:
            for watched in self._watched(model, monitor, digest, known=known):
                found[watched.stream].append(phase_of(watched, until_ms=until_ms))  # type: ignore[index]
        return dict(found)

    def _watched(self, model: str, monitor: ModelMonitor, digest: str, *, known: Phases) -> Iterator[Watched]:
        same = {
            stream: phase.watched for stream, phases in known.items() for phase in phases
            if phase.watched.layout.reference == digest and phase.watched.monitor == monitor
        }  # fmt: skip
        if set(same) == set(TOPICS_IN):
            yield from (watched.again(self.generation.sources, self.generation.number) for watched in same.values())
            return
        if digest not in self.references:
            raise StoreError(
                f"reference {digest[:16]} is not in Redis: run `driftline apply` on the monitors file again"
            )
        reference, generation = self.references[digest], self.generation
        for stream, layout in layouts_of(model, monitor, reference, digest=digest).items():
            _ = layout.hash  # two milliseconds, kept with it
            yield Watched(model, stream, layout, monitor, reference, generation.sources, generation.number)


async def newer_roster(
    redis: Redis, names: Names, held: Stamp | None, *, asking: Asking
) -> tuple[Stamp, Roster] | None:
    """The roster in force, if it is another than the one held.

    :raises StoreError: the stored configuration cannot be followed.
    """
    stamp = await asking(lambda: read_stamp(redis, names))
    if stamp is None or stamp == held:
        return None
    generation = await asking(lambda: read(redis, names))
    if generation is None:
        return None
    references: dict[str, Reference] = {}
    for digest in sorted(_digests(generation)):
        try:
            references[digest] = await asking(partial(read_reference, redis, names, digest))
        except StoreError as error:
            log.error("models held against it are not evaluated: %s", error)
        await asking.breath()
    return stamp, await asking.beside(Roster(generation, references).prepare)


def _digests(generation: Generation) -> set[str]:
    now = {force.reference for force in generation.models.values()}
    before = [pair for force in generation.models.values() for pair in (force.previous, force.arms_previous)]
    return now | {pair[0] for pair in before if pair is not None}
