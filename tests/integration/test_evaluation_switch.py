"""Another layout comes into force where a window ends: that window is of the panes before, and is judged as they were."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.evaluation import HOUR, START, monitor, opened


@pytest.mark.parametrize("fewer_first", [True, False], ids=["one more", "one less"])
def test_a_window_that_ends_at_a_switch_is_judged_by_the_configuration_of_its_panes(
    redis_url: str, environment_name: str, *, fewer_first: bool
) -> None:
    more = dict(monitor().features)
    fewer = {name: feature for name, feature in more.items() if name != "gust"}
    before, after = (fewer, more) if fewer_first else (more, fewer)

    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await scene.apply(features=before, windows={"day": 4 * HOUR})
            old = dict(scene.layouts)
            # From the pane after the one that the clock is in: at eight.
            await scene.apply(features=after, windows={"day": 4 * HOUR}, clock_ms=START + 6 * HOUR + HOUR // 2)
            new = dict(scene.layouts)
            for hour in range(12):
                scene.layouts = old if hour < 8 else new
                await scene.count(0, START + hour * HOUR, events=100, clock=START + (hour + 1) * HOUR)
            evaluator = await scene.evaluate()
            assert evaluator.tally.failed == 0
            found = {
                (report.end - START) // HOUR: (set(report.features), report.state == "warming")
                for report in await scene.reports()
            }
            assert found == {
                2: (set(before), True), 4: (set(before), False), 6: (set(before), False), 8: (set(before), False),
                10: (set(after), True), 12: (set(after), False),
            }  # fmt: skip

    asyncio.run(story())
