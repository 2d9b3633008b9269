"""What a check of data quality says: a share, a length or a distance beside what is allowed, and of how many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.reports import State

Check = Literal[
    "missing", "nonfinite", "type", "range", "outside", "unseen", "constant", "stuck", "duplicates", "vanished",
    "appeared", "skew",
]  # fmt: skip

#: Fewer rows decide nothing.
LEAST_ROWS = 100
#: Chance that a window like the reference passes a limit that was learned from it.
LEVEL = 0.001
#: No value in all rows, one and the same in all of them, or so many ids again are still chance where no less likely than this.
BY_CHANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state`` (as in reports) is ``drift`` where ``value`` is above ``threshold``; ``p``: how likely so much is by chance."""

    check: Check
    state: State
    value: float | None
    threshold: float | None
    n: int
    p: float | None = None
    words: str = ""

    @property
    def fails(self) -> bool:
        return self.state == "drift"


def judged(check: Check, value: float, threshold: float, *, n: int, p: float | None = None, words: str = "") -> Verdict:
    """A verdict on enough rows.

    >>> judged("type", 0.25, 0.0, n=4).state, judged("type", 0.0, 0.0, n=4).state
    ('drift', 'ok')
    """
    return Verdict(check, "drift" if value > threshold else "ok", value, threshold, n, p, words)


def undecided(check: Check, n: int, *, state: State = "not_enough_data", threshold: float | None = None) -> Verdict:
    """A verdict that says why there is none."""
    return Verdict(check, state, None, threshold, n)
