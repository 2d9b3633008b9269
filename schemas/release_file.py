"""The key ``release`` of a model in a monitors file: which versions stand side by side, and what the new one must hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from schemas.durations import duration_text
from schemas.errors import Problem
from schemas.monitors_values import Length, Positive, Shape, Version
from schemas.release import HOUR_MS, SHARES, ReleaseMonitor
from schemas.yaml_lines import Spot

#: A version as events call it; a longer one is none that an event may bear.
Named = Annotated[Version, Field(min_length=1, max_length=200)]
Part = Annotated[float, Field(gt=0, le=1)]


class Health(Shape):
    """What the challenger must hold in every health window."""

    errors: Part = 0.05
    latency_p95: Length = 2_000
    rating: Positive = 3.5
    drift: Positive = 0.25


class Release(Shape):
    """Two versions of a model, the shares that the new one is sent, and how its health is judged."""

    champion: Named
    challenger: Named
    shares: Annotated[list[Part], Field(min_length=1)] = Field(default_factory=lambda: list(SHARES))
    every: Length | None = None
    least: Annotated[int, Field(ge=1)] = 100
    health: Health = Health()
    ratings: Literal["serving", "labels"] | None = None

    def watched(self, pane_ms: int) -> ReleaseMonitor:
        """As the rest of the program sees it; where nothing is said, a health window is an hour, or the panes that hold one."""
        return ReleaseMonitor(
            champion=self.champion,
            challenger=self.challenger,
            shares=tuple(self.shares),
            every_ms=-(-HOUR_MS // pane_ms) * pane_ms if self.every is None else self.every,
            least=self.least,
            errors=self.health.errors,
            latency_p95_ms=self.health.latency_p95,
            rating=self.health.rating,
            drift=self.health.drift,
            ratings=self.ratings,
        )


def check_release(release: Release, spot: Spot) -> Iterator[Problem]:
    """What a release must hold together; the length of a health window is checked with the other lengths."""
    if release.champion == release.challenger:
        yield spot.inside("challenger").problem(f"{release.challenger!r} is the champion: it must be another version")
    for at, (before, share) in enumerate(pairwise(release.shares), start=1):
        if share <= before:
            yield spot.inside("shares", at).problem(f"{share:g} must be more than the share before it, {before:g}")
    if release.shares[-1] != 1:
        said = f"the last must be 1, not {release.shares[-1]:g}: a release ends when the challenger answers all"
        yield spot.inside("shares").problem(said)


def check_every(release: Release, pane_ms: int, spot: Spot) -> Iterator[Problem]:
    """A health window that is said must be a whole number of panes."""
    if release.every is not None and release.every % pane_ms:
        said = f"{duration_text(release.every)} is not a whole number of panes of {duration_text(pane_ms)}"
        yield spot.inside("every").problem(said)
