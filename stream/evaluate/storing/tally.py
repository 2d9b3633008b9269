"""What evaluation has done so far, for metrics."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class EvaluationTally:
    """Only grows, but for ``longest_hold_s`` (since the start) and ``backlog`` (panes due and not closed now, by stream).

    ``given_up`` are messages that the broker will never take; they are not among ``relayed``.
    """

    polls: int = 0
    panes: int = 0
    windows: int = 0
    revised: int = 0
    findings: int = 0
    fenced: int = 0
    failed: int = 0
    relayed: int = 0
    given_up: int = 0
    seconds: float = 0.0
    longest_hold_s: float = 0.0
    backlog: dict[str, int] = field(default_factory=dict)
    shards: int = 0
