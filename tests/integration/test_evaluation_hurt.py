"""What goes wrong with one model hurts that one: refused questions, notes that nobody can read, models taken out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stream.evaluate.evaluator import ABANDONED_AFTER_MS, AGAIN_AFTER_POLLS
from stream.evaluate.panes.tiers import tiers_of
from stream.state.store import note_of
from tests.support.evaluation import HOUR, START, Scene, Story, assert_same
from tests.support.models import reference

PANE, _ = tiers_of(HOUR)


def at(hours: float) -> int:
    return START + int(hours * HOUR)


@pytest.mark.parametrize("damaged", ["totals", "closed", "panes"])
def test_a_script_that_fails_for_one_model_is_said_once_and_hurts_no_other(
    told: Callable[[Story], None], caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    async def story(scene: Scene) -> None:
        await scene.apply({name: reference(name) for name in ("m", "other")})
        for model in ("m", "other"):
            await scene.count(0, at(0), events=5, clock=at(1), model=model)
        await scene.idle(1)
        digest = scene.layouts["m"].hash
        keys = {
            "totals": scene.names.totals("m"),
            "closed": scene.names.closed("m", "predictions", layout=digest, tier=PANE.name, block=PANE.block_of(at(0))),
            "panes": scene.names.panes("predictions", 0, model="m", layout=digest, block=at(0)),
        }
        key = keys[damaged]
        held = await scene.redis.dump(key)
        await scene.redis.delete(key)
        await scene.redis.set(key, "somebody wrote here")
        evaluator = await scene.evaluate()
        for _ in range(3):
            await evaluator.run_once()
        assert_same(await scene.closed(PANE, model="other"), scene.merged(model="other"))
        assert evaluator.tally.failed == 1
        said = [record.message for record in caplog.records if "model 'm' cannot be evaluated" in record.message]
        assert len(said) == 1
        assert "WRONGTYPE" in said[0]
        assert await scene.notes() == {0: 1, 1: 0}

        await scene.redis.delete(key)
        if held is not None:
            await scene.redis.restore(key, 0, held)
        for _ in range(AGAIN_AFTER_POLLS + 1):
            await evaluator.run_once()
        assert_same(await scene.closed(PANE), scene.merged())
        assert await scene.notes() == {0: 0, 1: 0}

    told(story)


def test_what_all_models_share_is_said_once_and_tried_at_every_poll(
    told: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(1))
        await scene.idle(1)
        key = scene.names.revised("predictions", 1)
        await scene.redis.set(key, "somebody wrote here")
        evaluator = await scene.evaluate()
        await evaluator.run_once()
        assert sum("nothing is evaluated" in record.message for record in caplog.records) == 1
        await scene.redis.delete(key)
        await evaluator.run_once()
        assert_same(await scene.closed(PANE), scene.merged())

    told(story)


def test_old_notes_of_models_that_were_taken_out_are_dropped(told: Callable[[Story], None]) -> None:
    days = ABANDONED_AFTER_MS // HOUR

    async def story(scene: Scene) -> None:
        await scene.apply({name: reference(name) for name in ("m", "gone")})
        for hour in (0, days):
            await scene.count(0, at(hour), events=5, clock=at(hour), model="gone")
        await scene.apply()
        await scene.count(1, at(days), events=5, clock=at(days + 1))
        await scene.move(0, at(days + 1))
        assert await scene.notes() == {0: 2, 1: 1}
        await scene.evaluate()
        [left] = await scene.redis.hkeys(scene.names.revised("predictions", 0))
        assert left == note_of("gone", scene.layouts["gone"].hash, str(at(days))).encode()

    told(story)


def test_a_worker_that_is_behind_drops_nothing_of_a_model_that_is_new(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        evaluator = await scene.evaluate()
        days = ABANDONED_AFTER_MS // HOUR
        await scene.move(0, at(days + 2))
        await scene.count(1, at(0), events=5, clock=at(days + 2))
        original = evaluator._desk.notes.read

        async def meanwhile(*args: object) -> object:
            await scene.apply({name: reference(name) for name in ("m", "new")})
            await scene.count(0, at(0), events=5, clock=at(days + 2), model="new")
            return await original(*args)  # type: ignore[arg-type]

        evaluator._desk.notes.read = meanwhile  # type: ignore[method-assign, assignment]
        await evaluator.run_once()
        evaluator._desk.notes.read = original  # type: ignore[method-assign]
        assert (await scene.notes())[0] == 1
        await evaluator.run_once()
        assert_same(await scene.closed(PANE, model="new"), scene.merged(model="new"))

    told(story)


def test_notes_of_a_layout_that_nobody_knows_are_dropped(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(5), events=5, clock=at(6))
        await scene.idle(1)
        evaluator = await scene.evaluate()
        await scene.redis.hset(scene.names.revised("predictions", 0), note_of("m", "0" * 16, str(at(2))), "1")
        await scene.count(0, at(6), events=5, clock=at(7))
        await evaluator.run_once()
        assert await scene.notes() == {0: 0, 1: 0}
        assert_same(await scene.closed(PANE), scene.merged())

    told(story)
