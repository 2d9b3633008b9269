"""How a model's release is counted, before and after its last change: by which monitor, and in which layouts.

What is counted by version changes over by itself (:mod:`stream.state.arms`), so these phases are not those of the streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.config import InForce
from schemas.monitored import ModelMonitor
from schemas.names import Stream
from schemas.reference import Reference
from schemas.release import ReleaseMonitor
from stream.state.arms import arms_layout
from stream.state.columns import layouts_of
from stream.state.layout import Layout


@dataclass(frozen=True, eq=False, slots=True)
class ArmsPhase:
    """It holds for panes that begin before ``until_ms`` (None: for all further ones); ``layouts`` are of the streams counted."""

    monitor: ModelMonitor
    layouts: Mapping[Stream, Layout]
    until_ms: int | None = None

    @property
    def release(self) -> ReleaseMonitor | None:
        """What the file names."""
        return self.monitor.release

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that its rules are taken from, that of the requests first."""
        found: list[Stream] = [self.monitor.serving.stream]
        if self.monitor.prediction.kind != "none":
            found.append("predictions")
        if self.ratings is not None:
            found.append(self.ratings)
        return tuple(dict.fromkeys(found))

    @property
    def ratings(self) -> Stream | None:
        """The stream that ratings are taken from: the one that the release names, else serving where requests are its own."""
        named = self.release.ratings if self.release is not None else None
        return named or ("serving" if self.monitor.serving.stream == "serving" else None)


def arms_phases(model: str, force: InForce, references: Mapping[str, Reference]) -> tuple[ArmsPhase, ...]:
    """The phases of a model in force, the newest last; one whose reference is lost is left out."""
    pairs: list[tuple[str, ModelMonitor, int | None]] = [(force.reference, force.monitor, None)]
    if force.arms_previous is not None:
        pairs.insert(0, (*force.arms_previous, force.arms_from_ms))
    return tuple(
        ArmsPhase(monitor, _layouts(model, monitor, references[digest], digest=digest), until_ms)
        for digest, monitor, until_ms in pairs
        if digest in references
    )


def phase_at(phases: Sequence[ArmsPhase], start_ms: int) -> ArmsPhase:
    """The phase of panes that begin here."""
    return next((phase for phase in phases if phase.until_ms is None or start_ms < phase.until_ms), phases[-1])


def _layouts(model: str, monitor: ModelMonitor, reference: Reference, *, digest: str) -> dict[Stream, Layout]:
    if monitor.release is None:
        return {}
    found = {
        stream: arms_layout(layout, monitor.release)
        for stream, layout in layouts_of(model, monitor, reference, digest=digest).items()
    }
    return {stream: layout for stream, layout in found.items() if layout is not None}  # type: ignore[misc]
