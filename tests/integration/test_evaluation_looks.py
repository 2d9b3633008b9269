"""A look costs what it finds: one that finds nothing new goes over no model, and late events are looked for where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from stream.evaluate.closing.closing import Desk, Due, close
from stream.evaluate.closing.unit import Phase, Unit
from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.storing.notes import Note
from tests.support.evaluation import HOUR, START, Scene, assert_same, opened
from tests.support.models import reference

MODELS = ("m", "n", "o")
PANE, *_ = tiers_of(HOUR)


def told(url: str, environment: str, story: Callable[[Scene], Awaitable[None]]) -> None:
    """In an environment of its own, with two panes of each of three models complete and evaluated."""

    async def run() -> None:
        async with opened(url, environment) as scene:
            await scene.apply({name: reference(name) for name in MODELS}, revise_within_ms=30 * 24 * HOUR)
            for hour in (0, 1):
                for model in MODELS:
                    await scene.count(0, START + hour * HOUR, events=5, clock=START + (hour + 1) * HOUR, model=model)
            await scene.idle(1)
            await story(scene)

    asyncio.run(run())


def test_a_look_that_finds_nothing_new_goes_over_no_model(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    phase = Unit.phase.fget  # type: ignore[attr-defined]

    def looking(unit: Unit) -> Phase:
        looked.append(unit.model)
        found: Phase = phase(unit)
        return found

    async def story(scene: Scene) -> None:
        evaluator = await scene.evaluate()
        await evaluator.run_once()  # what is to be known of models that were closed a moment ago
        monkeypatch.setattr(Unit, "phase", property(looking))
        for _ in range(3):
            await evaluator.run_once()
        assert looked == []
        await scene.count(0, START + 2 * HOUR, events=5, clock=START + 3 * HOUR)
        await evaluator.run_once()
        assert set(looked) == set(MODELS)  # all are three hours on

    told(redis_url, environment_name, story)


def test_a_late_event_is_looked_for_at_its_model_alone(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[str] = []

    async def closing(desk: Desk, unit: Unit, notes: Sequence[Note], *, due: Due) -> list[Note]:
        worked.append(unit.model)
        return await close(desk, unit, notes, due=due)

    async def story(scene: Scene) -> None:
        monkeypatch.setattr("stream.evaluate.evaluator.close", closing)
        evaluator = await scene.evaluate()
        assert sorted(worked) == list(MODELS)
        worked.clear()
        await scene.count(0, START, events=1, late=1, clock=START + 2 * HOUR, model="n")
        await evaluator.run_once()
        assert worked == ["n"]
        assert_same(await scene.closed(PANE, model="n"), scene.merged(model="n"))

    told(redis_url, environment_name, story)
