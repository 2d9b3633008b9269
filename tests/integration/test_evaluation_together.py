"""Models whose questions share a pipeline share nothing else: a refusal is one's own, and answers that are lost cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as Lost

from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.storing.commit import Commits, Conclusion, Outcome
from stream.evaluate.storing.shards import shard_of
from tests.support.evaluation import HOUR, START, Scene, assert_same, opened
from tests.support.models import reference

Story = Callable[[Scene], Awaitable[None]]
PANE, _ = tiers_of(HOUR)
MODELS = ("m", "n", "o")


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own, with three models and two panes of each complete."""

    async def run(story: Story) -> None:
        async with opened(redis_url, environment_name) as scene:
            await scene.apply({name: reference(name) for name in MODELS})
            for hour in (0, 1):
                for model in MODELS:
                    await scene.count(0, at(hour), events=5, clock=at(hour + 1), model=model)
            await scene.idle(1)
            await story(scene)

    return lambda story: asyncio.run(run(story))


def at(hours: float) -> int:
    return START + int(hours * HOUR)


async def assert_counted_once(scene: Scene, *models: str) -> None:
    for model in models:
        assert_same(await scene.closed(PANE, model=model), scene.merged(model=model))
        assert (await scene.redis.hgetall(scene.names.totals(model)))[b"predictions:events"] == b"10"


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first scripts of the models wait for each other, and leave in one round of the loop."""
    monkeypatch.setattr("stream.evaluate.storing.breath.HOLD_S", 1e9)
    store, ready, all_ready = Commits.store, set[str](), asyncio.Event()

    async def waiting(self: Commits, conclusion: Conclusion, *, token: int) -> Outcome:
        ready.add(conclusion.model)
        if len(ready) == len(MODELS):
            all_ready.set()
        await all_ready.wait()
        return await store(self, conclusion, token=token)

    monkeypatch.setattr(Commits, "store", waiting)


@pytest.fixture
def pipelines(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of every pipeline with a script in it."""
    came: list[list[str]] = []
    execute = Pipeline.execute

    async def noted(self: Any, **kwargs: Any) -> Any:
        names = [command[0][0] for command in self.command_stack]
        if "EVALSHA" in names:
            came.append(names)
        return await execute(self, **kwargs)

    monkeypatch.setattr(Pipeline, "execute", noted)
    return came


def test_a_lease_lost_to_another_refuses_one_script_of_the_pipeline_and_no_other(
    told: Callable[[Story], None], together: None, pipelines: list[list[str]]
) -> None:
    async def story(scene: Scene) -> None:
        evaluator = scene.evaluator()
        await evaluator.tend()
        # Whoever takes over has a greater token, and writes it with what it concludes.
        await scene.redis.hset(scene.names.evaluation("n", "predictions"), "token", str(10**15))
        await evaluator.run_once()
        assert ["EVALSHA"] * 3 in pipelines
        await assert_counted_once(scene, "m", "o")
        assert await scene.closed(PANE, model="n") == {}
        assert await scene.redis.exists(scene.names.outbox("n")) == 0
        assert (evaluator.tally.fenced, evaluator.tally.failed) == (1, 0)
        assert evaluator.leases.token(shard_of("n")) is None
        assert evaluator.leases.token(shard_of("m")) is not None

    told(story)


def test_a_pipeline_whose_answers_are_lost_is_asked_again_and_written_once(
    told: Callable[[Story], None], together: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, lost = Pipeline.execute, [0]

    async def cut(self: Any, **kwargs: Any) -> Any:
        scripts = sum(command[0][0] == "EVALSHA" for command in self.command_stack)
        found = await execute(self, **kwargs)
        if scripts == len(MODELS) and not lost[0]:
            lost[0] = scripts
            raise Lost("reset by peer")
        return found

    monkeypatch.setattr(Pipeline, "execute", cut)

    async def story(scene: Scene) -> None:
        evaluator = await scene.evaluate()
        assert lost == [3]
        await assert_counted_once(scene, *MODELS)
        outboxes = [await scene.outbox(model=model) for model in MODELS]
        assert [len(outbox) for outbox in outboxes] == [len(outboxes[0])] * 3
        assert (evaluator.tally.fenced, evaluator.tally.failed) == (0, 0)
        await evaluator.run_once()
        await assert_counted_once(scene, *MODELS)

    told(story)


def test_a_stop_while_the_pipeline_is_under_way_leaves_it_to_be_done_once(
    told: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scripts run though nobody waits for their answers any more: whoever comes next finds what they stored."""
    execute, begun = Pipeline.execute, asyncio.Event()

    async def slow(self: Any, **kwargs: Any) -> Any:
        if any(command[0][0] == "EVALSHA" for command in self.command_stack) and not begun.is_set():
            begun.set()
            await asyncio.sleep(0.05)
        return await execute(self, **kwargs)

    monkeypatch.setattr(Pipeline, "execute", slow)

    async def story(scene: Scene) -> None:
        first = scene.evaluator("first")
        await first.tend()
        looking = asyncio.create_task(first.run_once())
        await begun.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await first.leave()
        await scene.evaluate(scene.evaluator("second"))
        await asyncio.sleep(0.1)
        await scene.evaluate(scene.evaluator("second"))
        await assert_counted_once(scene, *MODELS)

    told(story)


def test_rows_of_a_revision_are_packed_a_breath_apart_not_all_with_the_script(
    told: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wide model's row takes a millisecond to pack, and a revision may have 72 of them."""

    async def story(scene: Scene) -> None:
        evaluator = await scene.evaluate()
        whole: list[bool] = []
        store = evaluator._desk.commits.store

        async def noted(conclusion: Any, *, token: int) -> Any:
            whole.extend(isinstance(row, bytes) for rows in conclusion.rows.values() for row in rows.values())
            return await store(conclusion, token=token)

        monkeypatch.setattr(evaluator._desk.commits, "store", noted)
        for hour in (0, 1):
            await scene.count(0, at(hour), events=1, clock=at(2), late=1)
        await evaluator.run_once()
        assert whole == [True] * 3  # two hours, one day
        assert_same(await scene.closed(PANE), scene.merged())

    told(story)
