"""How one stream is counted under one generation of the configuration: decoder, layouts and the switch between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from schemas.config import Generation, InForce
from schemas.gpus import JUDGED_EVERY_MS, LATENESS_MS
from schemas.monitored import ModelMonitor
from schemas.names import TOPICS_IN, Stream
from schemas.reference import Reference
from stream.ingest.arms import ArmsInForce, ArmsPlan, arms_plan, with_arms
from stream.ingest.decode import StreamDecoder, stream_decoder
from stream.ingest.shape import Shape, shape_of
from stream.ingest.strangers import Strangers
from stream.ingest.tables import StreamTables, stream_tables
from stream.ingest.timing import NEVER
from stream.state.arms import arms_layout
from stream.state.columns import layouts_of
from stream.state.layout import Layout
from stream.state.layout import Shape as Size

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class StreamPlan:
    """Arrays by shape number (``current``, ``previous``, ``from_ms``) or by layout number (``lateness``, ``keep``).

    A row of a pane that begins before ``from_ms`` is counted in the previous layout, where there is one.
    """

    decoder: StreamDecoder
    tables: StreamTables
    current: Ints
    previous: Ints
    from_ms: Ints
    lateness: Ints
    keep: Ints
    #: The different (length of a pane, lateness) of the layouts; ``serving`` has that of GPUs too.
    rhythms: frozenset[tuple[int, int]]
    #: (cells, sums) of the panes.
    sizes: frozenset[Size]
    #: None where no model has a release.
    arms: ArmsPlan | None = None

    def closes(self, before: int, now: int) -> bool:
        """Whether a partition's clock has let some pane close on its way."""
        return any((before - late) // pane != (now - late) // pane for pane, late in self.rhythms)

    def layout_numbers(self, shapes: Ints, timestamps: Ints) -> Ints:
        """The layout each row is counted in."""
        before = (timestamps < self.from_ms[shapes]) & (self.previous[shapes] >= 0)
        chosen: Ints = np.where(before, self.previous[shapes], self.current[shapes])
        return chosen


@dataclass(frozen=True, slots=True)
class _Version:
    """One layout in force of a model, and the monitor whose lateness holds for it."""

    layout: Layout
    monitor: ModelMonitor


def plans(generation: Generation, references: Mapping[str, Reference]) -> dict[str, StreamPlan]:
    """The plan of every incoming stream; costs 0.2 ms a model, so build it off the event loop.

    :param references: by hash, all that the generation names.
    """
    versions = {model: _versions(model, force, references) for model, force in generation.models.items()}
    arms = {
        model: _arms(model, force, references, versions=versions[model]) for model, force in generation.models.items()
    }
    found: dict[str, StreamPlan] = {stream: _plan(stream, generation, versions, arms=arms) for stream in TOPICS_IN}
    _hashed(found.values())
    return found


def no_plan() -> dict[str, StreamPlan]:
    """Plans under which every model is unknown: what a worker has before anything was applied."""
    return plans(Generation.model_construct(number=0, applied_ms=0, file_sha256="", models={}), {})


def taught(plans: Mapping[str, StreamPlan]) -> dict[str, tuple[Shape, ...]]:
    """By stream, the shapes with every undeclared name that events have shown since; streams without any are left out."""
    found = {stream: plan.decoder.strangers.taught(plan.decoder.shapes) for stream, plan in plans.items()}
    return {stream: shapes for stream, shapes in found.items() if shapes is not None}


def retaught(plan: StreamPlan, shapes: tuple[Shape, ...]) -> StreamPlan:
    """The plan with a decoder for these shapes, which have the same columns; build it off the event loop."""
    before = plan.decoder
    decoder = stream_decoder(before.stream, shapes)
    strangers = Strangers(before.strangers.beyond)
    decoder = replace(decoder, strangers=strangers, versions=before.versions, unregistered=before.unregistered)
    return replace(plan, decoder=decoder)


def _versions(model: str, force: InForce, references: Mapping[str, Reference]) -> dict[str, list[_Version]]:
    """By stream: the current layout first, then the one before the switch."""
    pairs = [(force.reference, force.monitor)] + ([force.previous] if force.previous else [])
    found = [(layouts_of(model, monitor, references[digest], digest=digest), monitor) for digest, monitor in pairs]
    return {stream: [_Version(layouts[stream], monitor) for layouts, monitor in found] for stream in TOPICS_IN}


def _arms(
    model: str, force: InForce, references: Mapping[str, Reference], *, versions: Mapping[str, list[_Version]]
) -> dict[str, ArmsInForce]:
    """By stream: what is counted by version now, and was before it changed over."""
    now = {stream: arms_layout(found[0].layout, force.monitor.release) for stream, found in versions.items()}
    digest, monitor = force.arms_previous or (force.reference, None)
    release = monitor.release if monitor else None
    before = layouts_of(model, monitor, references[digest], digest=digest) if monitor and release else {}
    return {
        stream: ArmsInForce(
            layout,
            arms_layout(before[stream], release) if stream in before else None,
            NEVER if force.arms_from_ms is None else force.arms_from_ms,
        )
        for stream, layout in now.items()
    }


def _plan(
    stream: Stream,
    generation: Generation,
    versions: Mapping[str, dict[str, list[_Version]]],
    *,
    arms: Mapping[str, Mapping[str, ArmsInForce]],
) -> StreamPlan:
    shapes: list[Shape] = []
    numbered: list[tuple[_Version, Shape]] = []
    current: list[int] = []
    previous: list[int] = []
    switch: list[int] = []
    for model, force in generation.models.items():
        found = versions[model][stream]
        shape = with_arms(shape_of([version.layout for version in found]), arms[model][stream])
        shapes.append(shape)
        current.append(len(numbered))
        previous.append(len(numbered) + 1 if len(found) > 1 else -1)
        switch.append(NEVER if force.from_ms is None else force.from_ms)
        numbered += [(version, shape) for version in found]
    by_version = arms_plan([(shape, arms[shape.model][stream]) for shape in shapes])
    return StreamPlan(
        stream_decoder(stream, shapes),
        stream_tables([(version.layout, shape) for version, shape in numbered]),
        _ints(current), _ints(previous), _ints(switch),
        _ints([version.monitor.lateness_ms for version, _ in numbered]),
        _ints([version.monitor.revise_within_ms for version, _ in numbered]),
        _rhythms(stream, [version for version, _ in numbered]),
        frozenset(layout.shape for layout in (*(version.layout for version, _ in numbered), *_layouts(by_version))),
        by_version,
    )  # fmt: skip


def _rhythms(stream: Stream, versions: Iterable[_Version]) -> frozenset[tuple[int, int]]:
    """A GPU's minute closes by every partition of ``serving``, those too that hold no sample."""
    gpus = [(JUDGED_EVERY_MS, LATENESS_MS)] if stream == "serving" else []
    return frozenset([*((one.layout.pane_ms, one.monitor.lateness_ms) for one in versions), *gpus])


def _hashed(plans: Iterable[StreamPlan]) -> None:
    """Work out the hash of every layout here: 0.8 ms each, which the first events of a thousand models would wait for."""
    for plan in plans:
        for layout in (*plan.tables.layouts, *_layouts(plan.arms)):
            _ = layout.hash


def _layouts(arms: ArmsPlan | None) -> Sequence[Layout]:
    return arms.found.layouts if arms else ()


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)
