"""A release walked on without Redis: hours of both versions are held here, and so is all that a turn stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from schemas.config import InForce
from schemas.findings import Finding, Progress
from schemas.findings import decode as decode_finding
from schemas.names import Stream
from schemas.release import ReleaseMonitor
from schemas.releases import Decision
from schemas.releases import decode as decode_decision
from stream.evaluate.closing.arms_phases import ArmsPhase, arms_phases
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.releases.unit import Release
from stream.evaluate.releases.walk import Judging
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.storing.tally import EvaluationTally
from stream.state.layout import Layout
from stream.state.packing import Partial
from tests.support.judged import HOUR, REFERENCE, monitor, watched
from tests.support.released_live import RELEASE, arms_pane

#: What is decided of an hour is seen so much later.
SEEN_AFTER_MS = 5


def phases(*releases: ReleaseMonitor | None, until: int | None = None, **changed: Any) -> tuple[ArmsPhase, ...]:
    """How the model ``m`` is counted: by one release for ever, or by another one from the hour ``until`` on."""
    digest, newest = "f" * 64, monitor(release=releases[-1], **changed)
    if until is None:
        return arms_phases("m", InForce(reference=digest, monitor=newest), {digest: REFERENCE})
    before = (digest, monitor(release=releases[0], **changed))
    force = InForce(reference=digest, monitor=newest, arms_from_ms=until * HOUR, arms_previous=before)
    return arms_phases("m", force, {digest: REFERENCE})


@dataclass(eq=False)
class Dry:
    """Predictions of the model ``m`` from hour 0 on; whatever is asked of Redis is answered from here."""

    phases: Sequence[ArmsPhase] = field(default_factory=lambda: phases(RELEASE))
    warming: bool = False
    outcome: str = "stored"
    panes: dict[tuple[str, int], Partial] = field(default_factory=dict)
    #: The spans that were read, in hours, and what was stored and shown.
    read: list[tuple[int, int]] = field(default_factory=list)
    made: list[Conclusion] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)
    sent: list[Sequence[str]] = field(default_factory=list)
    tally: EvaluationTally = field(default_factory=EvaluationTally)
    release: Release = field(init=False)

    def __post_init__(self) -> None:
        self.release = Release(self.units(), self.phases)
        self.release.restore([None] * 5)

    def units(self) -> Any:
        """The streams that it is taken from, none of them closed yet."""
        of = SimpleNamespace(watched=watched(monitor(owner="ml")))
        streams = {stream for phase in self.phases for stream in phase.streams}
        return {
            stream: SimpleNamespace(model="m", begun=0, stored=0, phase=of, phases=[of], loaded=True)
            for stream in streams
        }

    def closed(self, hours: int, *, stream: Stream = "labels") -> None:
        """A stream is closed up to an hour."""
        if stream in self.release.units:
            self.release.units[stream].stored = hours * HOUR

    def answered(self, champion: tuple[int, int], challenger: tuple[int, int]) -> None:
        """An hour more is closed, in which the versions answered so many requests, with so many errors."""
        unit: Any = self.release.units["predictions"]
        layout = next(
            phase for phase in self.phases if phase.until_ms is None or unit.stored < phase.until_ms
        ).layouts.get("predictions")
        if layout is not None:
            self.panes[layout.hash, unit.stored] = arms_pane(layout, champion, challenger)
        unit.stored += HOUR

    def routed(self, share: float, *, errors: float = 0.01, hours: int = 1) -> None:
        """Hours of ten thousand requests, divided so; ``errors`` is the challenger's share of failures."""
        own = round(10_000 * share)
        for _ in range(hours):
            self.answered((10_000 - own, (10_000 - own) // 100), (own, round(own * errors)))

    def turn(self) -> Conclusion:
        """Judge all that is closed; what the turn stored last."""
        desk: Any = Desk(merged=self, commits=self, notes=None, tally=self.tally, sent=self.sent.append)  # type: ignore[arg-type]
        due = Due(1, 0, (), self.warming, seen=lambda at: at + SEEN_AFTER_MS)
        asyncio.run(Judging(desk, self.release, due=due).run())
        return self.made[-1]

    @property
    def told(self) -> list[Decision]:
        """All decisions."""
        return [decode_decision(ruled.document) for one in self.made for ruled in one.decisions]

    @property
    def found(self) -> list[Finding]:
        """All findings."""
        return [one for one in self._messages() if isinstance(one, Finding)]

    @property
    def marks(self) -> list[Progress]:
        """All progress marks."""
        return [one for one in self._messages() if isinstance(one, Progress)]

    def _messages(self) -> list[Finding | Progress]:
        return [decode_finding(value) for one in self.made for topic, _, value in one.messages if topic == "findings"]

    # What evaluation reads from, stores to and works beside.

    @property
    def asking(self) -> Dry:
        return self

    async def rows(self, layout: Layout, _: Tier, *, span: tuple[int, int]) -> dict[int, Partial]:
        """The panes of a layout in a span."""
        self.read.append((span[0] // HOUR, span[1] // HOUR))
        return {
            at: pane for (digest, at), pane in self.panes.items() if digest == layout.hash and span[0] <= at < span[1]
        }

    async def breath(self) -> None:
        """Nobody else is here."""

    async def beside(self, work: Callable[[], Any]) -> Any:
        return work()

    async def store(self, made: Conclusion, *, token: int) -> str:
        """Whole, or refused."""
        assert token == 1
        if self.outcome == "stored":
            self.made.append(made)
        return self.outcome

    async def show_release(self, _: str, fields: dict[str, Any]) -> None:
        self.shown |= fields


def begun(**of: Any) -> Dry:
    """The first hour is closed and the release is told to begin at its end."""
    found = Dry(**of)
    found.routed(0.0)
    found.closed(1)
    found.turn()
    return found
