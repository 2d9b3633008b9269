"""What the scraper has done, a tally a target; metrics and health read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from stream.scraping.broken import Reason


@dataclass(slots=True, eq=False)
class Tally:
    """``up`` is None until the first scrape has ended; ``several`` servers answer; of latencies only ``means`` are known."""

    target: str
    up: bool | None = None
    reason: Reason | None = None
    detail: str = ""
    several: bool = False
    means: bool = False
    last_success_s: float = 0.0
    seconds: float = 0.0
    series: int = 0
    published: int = 0
    waiting: int = 0
    errors: Counter[Reason] = field(default_factory=Counter)
