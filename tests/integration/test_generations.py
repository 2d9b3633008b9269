"""Publishing on a real Redis: whole or not at all, numbered, and a changed model switches where no event has been."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from schemas.config import Generation
from schemas.errors import ConfigError, StoreError
from schemas.monitored import Monitors
from schemas.names import Names
from schemas.reference import Reference
from stream.state import generations
from stream.state.applying import apply_monitors
from stream.state.behind import Behind
from stream.state.columns import layouts_of
from stream.state.layout import Layout
from stream.state.progress import known_partitions, read_progress
from tests.support.models import DAY, HOUR, monitor, monitors, numeric, reference

Answer = TypeVar("Answer")
Work = Callable[[Redis, Names], Awaitable[Answer]]

JANUARY = 1_356_998_400_000
OLD = reference()
NEW = reference(temp=numeric(0.0, 5.0, 20.0))


class Deployment:
    """One environment of a real Redis, driven from plain functions."""

    def __init__(self, url: str, environment: str) -> None:
        self.url, self.names = url, Names(environment)

    def run(self, work: Work[Answer]) -> Answer:
        async def connected() -> Answer:
            async with Redis.from_url(self.url) as redis:
                return await work(redis, self.names)

        return asyncio.run(connected())

    def publish(self, file: Monitors, references: Mapping[str, Reference], clock_ms: int | None = None) -> Generation:
        return self.run(
            lambda redis, names: generations.publish(
                redis, names, file, references=references, now_ms=7, clock_ms=clock_ms
            )
        )

    def count_up_to(self, clock_ms: int | str, *, stream: str = "predictions", partition: int = 0) -> None:
        self.run(lambda redis, names: redis.hset(names.offset(stream, partition), "clock", clock_ms))


@pytest.fixture
def deployed(redis_url: str, environment_name: str) -> Deployment:
    return Deployment(redis_url, environment_name)


def test_models_are_stored_a_few_at_a_time_and_a_reference_that_they_share_once(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "AT_ONCE", 2)
    models = [f"m{number}" for number in range(5)]
    sent: list[tuple[str, int]] = []
    single, several = Redis.set, Pipeline.execute

    async def alone(redis: Redis, *given: Any) -> Any:
        sent.append(("set", 1))
        return await single(redis, *given)

    async def together(pipe: Any) -> Any:
        sent.append(("together", len(pipe.command_stack)))
        return await several(pipe)

    monkeypatch.setattr(Redis, "set", alone)
    monkeypatch.setattr(Pipeline, "execute", together)
    deployed.publish(monitors(**{model: monitor() for model in models}), dict.fromkeys(models, OLD))
    assert sent[:4] == [("set", 1), ("together", 2), ("together", 2), ("together", 1)]


def test_nothing_is_in_force_before_the_first_apply(deployed: Deployment) -> None:
    assert deployed.run(generations.read) is None
    assert deployed.run(generations.read_stamp) is None
    assert deployed.run(lambda redis, names: generations.read_newer(redis, names, None)) is None


def test_a_published_generation_reads_back_with_its_references_and_layouts(deployed: Deployment) -> None:
    published = deployed.publish(monitors(m=monitor()), {"m": OLD})

    assert (published.number, published.applied_ms, published.file_sha256) == (1, 7, "f" * 64)
    assert deployed.run(generations.read) == published
    assert deployed.run(generations.read_stamp) == (1, 7)
    read = deployed.run(lambda redis, names: generations.read_references(redis, names, published))
    assert read == {OLD.hash: OLD}
    stored = deployed.run(lambda redis, names: redis.hgetall(names.layouts("m")))
    layouts = layouts_of("m", monitor(), OLD, digest=OLD.hash)
    assert stored == {f"{name}:{found.hash}".encode(): found.to_json() for name, found in layouts.items()}
    assert {
        Layout.from_json(bytes(text, "ascii") if isinstance(text, str) else text) for text in stored.values()
    } == set(layouts.values())


def test_a_model_s_first_reference_holds_for_all_panes_whatever_was_counted_of_others(deployed: Deployment) -> None:
    force = deployed.publish(monitors(m=monitor()), {"m": OLD}, clock_ms=JANUARY).models["m"]

    assert (force.from_ms, force.previous) == (None, None)


def test_a_changed_reference_switches_a_whole_pane_after_the_greatest_clock(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    force = deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=JANUARY + 10 * HOUR + 1).models["m"]

    assert force.reference == NEW.hash
    assert force.previous == (OLD.hash, monitor())
    assert force.from_ms == JANUARY + 12 * HOUR


def test_a_change_that_leaves_every_layout_alone_is_in_force_at_once(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    switched = deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=JANUARY).models["m"]
    patient = monitor(lateness_ms=HOUR)
    force = deployed.publish(monitors(m=patient), {"m": NEW}, clock_ms=JANUARY + 30 * DAY).models["m"]

    assert force.monitor.lateness_ms == HOUR
    assert (force.from_ms, force.previous) == (switched.from_ms, switched.previous) != (None, None)


def test_before_the_first_event_a_change_holds_for_everything(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    force = deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=None).models["m"]

    assert (force.reference, force.from_ms, force.previous) == (NEW.hash, None, None)


def test_a_change_before_the_last_one_took_effect_replaces_it(deployed: Deployment) -> None:
    never = reference(temp=numeric(0.0, 7.0, 20.0))
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    deployed.publish(monitors(m=monitor()), {"m": never}, clock_ms=JANUARY)
    force = deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=JANUARY + 1).models["m"]

    assert (force.reference, force.from_ms) == (NEW.hash, JANUARY + 2 * HOUR)
    assert force.previous == (OLD.hash, monitor())


def test_taking_a_change_back_before_it_took_effect_leaves_no_switch(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=JANUARY)
    force = deployed.publish(monitors(m=monitor()), {"m": OLD}, clock_ms=JANUARY + 1).models["m"]

    assert (force.reference, force.from_ms, force.previous) == (OLD.hash, None, None)


def test_another_pane_length_switches_at_a_boundary_of_both(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})
    daily = monitor(pane_ms=DAY)
    force = deployed.publish(monitors(m=daily), {"m": OLD}, clock_ms=JANUARY + HOUR).models["m"]

    assert force.from_ms == JANUARY + 2 * DAY


def test_only_the_model_that_changed_switches(deployed: Deployment) -> None:
    file = monitors(m=monitor(), n=monitor())
    deployed.publish(file, {"m": OLD, "n": reference("n")})
    models = deployed.publish(file, {"m": NEW, "n": reference("n")}, clock_ms=JANUARY).models

    assert models["m"].from_ms == JANUARY + HOUR
    assert (models["n"].from_ms, models["n"].previous) == (None, None)


def test_a_model_that_left_the_file_is_not_in_force(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor(), n=monitor()), {"m": OLD, "n": reference("n")})

    assert list(deployed.publish(monitors(n=monitor()), {"n": reference("n")}).models) == ["n"]


def test_ten_applies_at_once_make_ten_generations(deployed: Deployment) -> None:
    async def together(redis: Redis, names: Names) -> list[int]:
        file = monitors(m=monitor())
        made = [
            generations.publish(redis, names, file, references={"m": OLD}, now_ms=at, clock_ms=None) for at in range(10)
        ]
        return sorted(generation.number for generation in await asyncio.gather(*made))

    assert deployed.run(together) == list(range(1, 11))
    assert (deployed.run(generations.read_stamp) or (0, 0))[0] == 10


def test_a_file_that_cannot_be_used_leaves_the_old_generation_in_force(deployed: Deployment) -> None:
    before = deployed.publish(monitors(m=monitor()), {"m": OLD})

    with pytest.raises(ConfigError, match=r"monitors.yaml: models.n: has no reference"):
        deployed.publish(monitors(m=monitor(lateness_ms=9), n=monitor()), {"m": NEW})
    assert deployed.run(generations.read) == before


def test_the_newest_generation_is_handed_out_once(deployed: Deployment) -> None:
    published = deployed.publish(monitors(m=monitor()), {"m": OLD})

    newer = deployed.run(lambda redis, names: generations.read_newer(redis, names, None))
    assert newer == (published, {OLD.hash: OLD})
    assert deployed.run(lambda redis, names: generations.read_newer(redis, names, (1, 7))) is None


def test_a_redis_that_was_emptied_and_filled_again_is_followed(deployed: Deployment) -> None:
    deployed.publish(monitors(m=monitor()), {"m": OLD})

    newer = deployed.run(lambda redis, names: generations.read_newer(redis, names, (1, 6)))
    assert newer is not None
    assert newer[0].number == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda redis, key: redis.delete(key), "is not in Redis: run `driftline apply`"),
        (lambda redis, key: redis.set(key, b"x"), "is damaged"),
    ],
)
def test_a_lost_reference_is_an_error_to_read_and_no_obstacle_to_the_next_apply(
    deployed: Deployment, spoil: Callable[[Redis, str], Awaitable[object]], said: str
) -> None:
    published = deployed.publish(monitors(m=monitor()), {"m": OLD})
    deployed.run(lambda redis, names: spoil(redis, names.reference(OLD.hash)))

    with pytest.raises(StoreError, match=said):
        deployed.run(lambda redis, names: generations.read_references(redis, names, published))
    force = deployed.publish(monitors(m=monitor()), {"m": NEW}, clock_ms=JANUARY).models["m"]
    assert (force.reference, force.previous) == (NEW.hash, None)


def test_a_document_of_a_newer_program_is_not_overwritten(deployed: Deployment) -> None:
    newer = deployed.publish(monitors(m=monitor()), {"m": OLD}).to_json().replace(b"{", b'{"colour":1,', 1)
    deployed.run(lambda redis, names: redis.hset(names.config, "document", newer))

    with pytest.raises(StoreError, match="colour"):
        deployed.publish(monitors(m=monitor()), {"m": NEW})
    assert deployed.run(lambda redis, names: redis.hget(names.config, "document")) == newer


def test_apply_takes_the_greatest_clock_of_all_partitions_of_all_streams(deployed: Deployment) -> None:
    file = monitors(m=monitor())
    deployed.publish(file, {"m": OLD})
    deployed.count_up_to(JANUARY, partition=3)
    deployed.count_up_to(JANUARY + 5 * HOUR, stream="labels", partition=40)
    deployed.count_up_to("", partition=1)
    deployed.run(lambda redis, names: redis.hset(names.partitions("labels"), "40", "host:1"))
    force = deployed.run(
        lambda redis, names: apply_monitors(redis, names, file, references={"m": NEW}, now_ms=1)
    ).models["m"]

    assert force.from_ms == JANUARY + 6 * HOUR


def test_partitions_are_known_from_their_owners_and_by_looking(deployed: Deployment) -> None:
    for partition in (0, 2, 31, 33):
        deployed.count_up_to(1, partition=partition)
    deployed.run(lambda redis, names: redis.hset(names.partitions("predictions"), mapping={"7": "a", "500": "b"}))

    known = deployed.run(lambda redis, names: known_partitions(redis, names, "predictions"))
    assert known == (0, 2, 7, 31, 33, 500)


def test_progress_tells_what_the_offset_hash_holds(deployed: Deployment) -> None:
    fields: dict[Any, Any] = {"next": 12, "clock": JANUARY, "closed": "", "updated_ms": 5}
    fields |= {"behind": Behind(frozenset({"m"}), frozenset({"m", "n"})).to_text()}
    fields |= {"rejected:not_json": 2, "lost:7": 3, "lost:20": 4}
    deployed.run(lambda redis, names: redis.hset(names.offset("serving", 0), mapping=fields))
    deployed.run(lambda redis, names: redis.hset(names.partitions("serving"), "0", "host:9"))

    [found] = deployed.run(read_progress)
    assert dataclasses.asdict(found) == {
        "stream": "serving", "partition": 0, "next_offset": 12, "clock_ms": JANUARY, "closed_ms": None, "updated_ms": 5,
        "owner": "host:9", "rejected": {"not_json": 2}, "lost": 7, "happened": None, "warming": False,
        "to_read_again": 0, "behind": ("m",),
    }  # fmt: skip
