"""Health windows in a line: what champion ``3`` and challenger ``4`` of the model ``m`` answered, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from schemas.release import ReleaseMonitor
from schemas.releases import Decision
from stream.evaluate.releases.naming import named
from stream.evaluate.releases.state import State
from stream.evaluate.releases.step import step
from stream.evaluate.releases.window import Arm, Arms, HealthWindow, Sums

HOUR = 3_600_000
#: Scores of a thousand requests, ten bins alike.
ALIKE = (100,) * 10


def monitor(**changed: Any) -> ReleaseMonitor:
    return ReleaseMonitor(champion="3", challenger="4").model_copy(update=changed)


def arm(requests: int, *, errors: int = 0, slow: int = 0, **further: Any) -> Arm:
    """Every request has a latency of a second."""
    made = Arm(requests, errors, requests, slow, 1.0, Sums(requests, float(requests), float(requests)))
    return replace(made, **further)


def window(hour: int, arms: Arms, *, settled: Arms | None = None, settled_ms: int = 0) -> HealthWindow:
    """The hour that ends at ``hour``."""
    return HealthWindow((hour - 1) * HOUR, hour * HOUR, settled_ms, arms, arms if settled is None else settled)


def shared(share: float, *, of: int = 10_000, champion: Arm | None = None, **own: Any) -> Arms:
    """Requests as a router that obeys divides them."""
    return Arms(champion or arm(of - round(of * share)), arm(round(of * share), **own))


def running(**changed: Any) -> State:
    """Just begun, at hour 0."""
    return named(State(model="m"), monitor(**changed), at_ms=0)[0]


def stepped(state: State, windows: Iterable[HealthWindow], **changed: Any) -> tuple[State, list[Decision]]:
    """After these windows, and what was decided."""
    found: list[Decision] = []
    for one in windows:
        state, decision, _ = step(state, one, monitor(**changed))
        found += [decision] if decision else []
    return state, found


def told(found: Iterable[Decision]) -> list[tuple[int, str, float, tuple[str, ...]]]:
    """(hour, decision, share, codes) of each."""
    return [(one.at // HOUR, one.decision, one.share, tuple(reason.code for reason in one.reasons)) for one in found]
