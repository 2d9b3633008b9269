"""A release of a model: two versions that answer side by side, and what the new one must hold to go on.

What travels in the configuration in force; how a file writes it is :mod:`schemas.release_file`.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

#: Shares of the requests that the challenger is sent, one step after the other.
SHARES: Final = (0.05, 0.10, 0.25, 0.50, 1.0)
HOUR_MS: Final = 3_600_000


class ReleaseMonitor(BaseModel):
    """The versions by name, and the limits of a health window; shares and rates are 0 to 1, times ms.

    ``least`` is how many requests the challenger must have answered before a window says anything of it; ``drift`` is the PSI of
    scores between the versions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str
    challenger: str
    shares: tuple[float, ...] = SHARES
    #: Length of a health window, whole panes.
    every_ms: int = HOUR_MS
    least: int = 100
    errors: float = 0.05
    latency_p95_ms: int = 2_000
    rating: float = 3.5
    drift: float = 0.25
    #: The stream that ratings are taken from, and waited for; None: serving's, where requests are taken from there.
    ratings: Literal["serving", "labels"] | None = None
