"""Whoever compares serving and store says the same: one worker throughout, or another one at each look.

Generated days: the store comes in lumps, events come late on both sides, some later than their windows are told anew.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from schemas.reports import State
from tests.support.evaluation import HOUR
from tests.support.skewed import ALIKE, OTHER, SHORT, Sides, at, sides

HOURS = 20
Told = tuple[list[str], list[tuple[int, State, int, int]]]


@pytest.mark.parametrize("seed", [0, 2])
def test_a_worker_for_each_look_says_what_one_worker_says(redis_url: str, environment_name: str, seed: int) -> None:
    async def told(environment: str, *, anew: bool) -> Told:
        async with sides(redis_url, environment, revise_within_ms=2 * HOUR, **SHORT) as found:
            await _days(found, random.Random(seed), anew=anew)
            reports = [(one.end, one.state, one.events, one.late) for one in await found.reports()]
            return [one.id for one in await found.findings()], reports

    one = asyncio.run(told(f"{environment_name}a", anew=False))
    each = asyncio.run(told(f"{environment_name}b", anew=True))
    assert each == one
    assert len(one[0]) > 0
    assert any(late for *_, late in one[1])


async def _days(found: Sides, generator: random.Random, *, anew: bool) -> None:
    """``anew``: each look is another worker's."""
    evaluator, waiting = found.evaluator("0"), list[int]()
    for hour in range(HOURS):
        await found.hour(hour, served=OTHER if 8 <= hour < 16 else ALIKE)
        waiting.append(hour)
        if generator.random() < 0.4 or hour == HOURS - 1:
            for earlier in waiting:
                await found.hour(earlier, store=ALIKE)
            waiting.clear()
        if hour > 6 and not waiting and generator.random() < 0.7:
            scene = generator.choice([found.served, found.store])
            back = hour - generator.randint(1, 6)
            await found.count(scene, back, [19.0] * 50, clock=at(hour + 1), late=50)
        await found.evaluate(evaluator)
        assert evaluator.tally.failed == 0
        if anew:
            await evaluator.leave()
            evaluator = found.evaluator(str(hour + 1))
