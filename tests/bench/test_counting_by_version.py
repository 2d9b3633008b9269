"""What counting by version costs an event: the same events in memory with and without a release, in turn."""

from __future__ import annotations

import gc
from statistics import median

import pytest

from schemas.release import ReleaseMonitor
from tests.bench.events import Flow
from tests.bench.in_process import Parts

RELEASE = ReleaseMonitor(champion="3", challenger="4")
ROUNDS = 9


@pytest.mark.bench
@pytest.mark.parametrize("models", [1, 20])
def test_a_release_costs_its_own_model_alone(models: int) -> None:
    print(f"\n{models} models: {in_turn(models, events=60_000, rounds=ROUNDS)}")


def test_both_ways_count_every_event() -> None:
    assert in_turn(2, events=3_000, rounds=1).startswith("without ")


def in_turn(models: int, *, events: int, rounds: int) -> str:
    """CPU microseconds an event, the least and the median of the rounds."""
    pair = [Parts(Flow(models, 1, events, release)) for release in (None, RELEASE)]
    taken: list[list[float]] = [[], []]
    for at in range(rounds):
        for which in (0, 1) if at % 2 else (1, 0):
            gc.collect()
            figures = pair[which].count_only()
            assert figures.events == events
            taken[which].append(1e6 / figures.per_cpu_s)
    without, with_release = (f"{min(each):.2f} to {median(each):.2f}" for each in taken)
    more = median(b - a for a, b in zip(*taken, strict=True))
    return f"without {without}, with {with_release}, median of the pairs +{more:.2f} us of CPU an event"
