"""GPUs that nobody judged for longer than their history reaches back."""

from __future__ import annotations

import asyncio

from schemas.findings import Progress
from stream.state.gpus import MINUTE, MINUTES
from tests.support.evaluation import opened
from tests.support.gpus_judged import NOON, Gpus, minutely


def test_what_is_older_than_a_history_is_passed_over_in_one_step(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=1, stream="serving") as scene:
            gpus = Gpus(scene)
            await gpus.write(*minutely(-MINUTES - 100, -MINUTES - 99), *minutely(-2, 0))
            await gpus.judge(-MINUTES - 99)
            await gpus.judge(0)
            marks = [(one.at - NOON) // MINUTE for one in await gpus.told() if isinstance(one, Progress)]
            assert marks == [-MINUTES - 99, *range(30 - MINUTES, 1, 30)]

    asyncio.run(story())
