"""One hypothesis, fitted: its family, its parameters and what it leaves unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["shift", "scale", "unit", "sign_flip", "clip", "fill", "stuck", "rows_lost", "affine"]


@dataclass(frozen=True, slots=True)
class Fit:
    """score: divergence and the price of what was fitted; the smaller, the better.

    ``chance``: what of the score chance would leave, were this the cause.  ``scale`` and ``shift`` are the map where the family
    is linear: ``linear`` says so.
    """

    family: Family
    score: float
    chance: float
    fitted: int
    words: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    scale: float | None = None
    shift: float = 0.0

    @property
    def linear(self) -> bool:
        return self.scale is not None
