"""Panes closed together leave in Redis, to the byte, what they leave one by one: whatever is late, configured or restarted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from schemas import findings
from stream.evaluate.closing.walk import Walk
from stream.state.packing import Partial
from tests.support import judged
from tests.support.evaluation import DAY, HOUR, START, Scene, opened

PARTITIONS = 2
CLOSE = Walk.close
#: Of the evaluation hash, what says which write it was.
WRITES = (b"token", b"commit")


async def one_by_one(self: Walk, panes: Sequence[tuple[int, Partial]], packed: Sequence[bytes]) -> None:
    for pane, stored in zip(panes, packed, strict=True):
        await CLOSE(self, [pane], [stored])


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_it_is_the_same_to_the_byte(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    together = asyncio.run(left_by(redis_url, f"{environment_name}-t", seed))
    monkeypatch.setattr(Walk, "close", one_by_one)
    alone = asyncio.run(left_by(redis_url, f"{environment_name}-a", seed))
    assert together == alone
    (told,) = (messages for key, messages in together.items() if key.endswith(b":outbox"))
    said = [findings.decode(one[b"value"]) for one in told if one[b"topic"] == b"findings"]
    fired = {one.rule for one in said if isinstance(one, findings.Finding) and one.state == "firing"}
    assert {"freshness", "cusum", "psi"} <= fired


async def left_by(url: str, environment: str, seed: int) -> dict[bytes, Any]:
    """Everything in Redis after a history, by key without the environment."""
    async with opened(url, environment, partitions=PARTITIONS) as scene:
        await history(scene, random.Random(seed))
        return await content(scene)


async def history(scene: Scene, rnd: random.Random) -> None:
    """Some days of hours with and without events, in stretches of one hour to two days between two evaluations."""
    evaluator, hour = scene.evaluator(), 0
    await change(scene, rnd)
    for _ in range(6):
        for _ in range(rnd.choice([1, 3, 13, 30])):
            await an_hour(scene, rnd, hour)
            hour += rnd.choice([1, 1, 1, 1, 2, 30 if rnd.random() < 0.1 else 1])
        await scene.evaluate(evaluator)
        if rnd.random() < 0.3:
            await change(scene, rnd)
        if rnd.random() < 0.3:
            await evaluator.leave()
            evaluator = scene.evaluator(f"worker {hour}")
    await scene.idle(*range(PARTITIONS))
    await scene.evaluate(evaluator)


async def an_hour(scene: Scene, rnd: random.Random, hour: int) -> None:
    """Rows that drift for a while, lose a column, stand still or come late; now and then none at all."""
    for partition in range(PARTITIONS):
        late = rnd.random() < 0.1
        start = START + (hour - (rnd.randrange(1, 20) if late else 0)) * HOUR
        layout = scene.layouts["m"]
        made = judged.counted(layout, rows(rnd, hour), late=int(late))
        place = partition, layout.hash, start
        scene.held[place] = scene.held[place] + made if place in scene.held else made
        await scene.checkpoint(partition, {"clock": START + (hour + 1) * HOUR, "idle": 0}, [(layout, start)])


def rows(rnd: random.Random, hour: int) -> dict[str, list[Any]]:
    many = rnd.choice([0, 2, 20, 20])
    values = [3.25] * many if hour // 10 % 4 == 2 else rnd.sample(judged.NOW.tolist(), many)
    found: dict[str, list[Any]] = {
        "temp": [one + 2.0 * (hour // 20 % 3 == 1) for one in values],
        "dest": rnd.sample(judged.DEST_NOW, many),
    }
    return {name: column for name, column in found.items() if rnd.random() > 0.15 or hour // 15 % 3}


async def change(scene: Scene, rnd: random.Random) -> None:
    """Another configuration, heard by the next evaluation."""
    windows = {"day": DAY, "six": 6 * HOUR} if rnd.random() < 0.5 else {"day": DAY}
    features = {
        name: one.model_copy(update={"freshness_sla_ms": rnd.choice([HOUR, 3 * HOUR])})
        for name, one in judged.monitor().features.items()
    }
    await scene.apply(
        {"m": judged.REFERENCE}, step_ms=rnd.choice([2, 3, 6]) * HOUR, windows=windows, revise_within_ms=2 * DAY,
        features=features, prediction=judged.monitor().prediction,
    )  # fmt: skip


async def content(scene: Scene) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    await scene.redis.delete(scene.names.lease_tokens)  # they follow Redis' clock
    async for key in scene.redis.scan_iter(match=scene.names.key("*"), count=10_000):
        name = key.removeprefix(scene.names.key("").encode())
        match await scene.redis.type(key):
            case b"hash":
                fields = await scene.redis.hgetall(key)
                found[name] = {field: value for field, value in fields.items() if field not in WRITES}
            case b"stream":
                found[name] = [entry[1] for entry in await scene.redis.xrange(key) or () if entry]
            case kind:
                found[name] = kind
    return found
