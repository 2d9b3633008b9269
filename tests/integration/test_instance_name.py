"""A worker's name in Redis: had by one at a time, given back at a stop, waited for after a kill, and lost by one that slept."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from schemas.errors import ConfigError
from schemas.settings import Settings
from stream.state import instance
from stream.state.instance import Instance
from stream.state.patience import Patience


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "GONE_AFTER_S", 0.4)
    monkeypatch.setattr(instance, "SAY_EVERY_S", 0.1)


@pytest.fixture
def settings(redis_url: str, environment_name: str) -> Settings:
    return Settings(redis=redis_url, environment=environment_name, instance_id="a")


def test_a_second_worker_of_a_name_is_refused_while_the_first_says_that_it_lives(settings: Settings) -> None:
    first, second = Instance(settings), Instance(settings)
    with Redis.from_url(settings.redis) as redis:
        first.claim(redis)
        redis.persist(settings.names.instance("a"))  # as if it said so again and again
        with pytest.raises(ConfigError) as refused:
            second.claim(redis)
    where = f"{os.uname().nodename}:{os.getpid()}"
    assert str(refused.value) == (
        f"environment: DRIFTLINE_INSTANCE_ID: is 'a', and the worker {where} runs under it: each worker needs one of its own"
    )


def test_the_name_of_a_killed_worker_is_waited_for_and_one_that_left_gave_it_back(settings: Settings) -> None:
    killed, after, last = Instance(settings), Instance(settings), Instance(settings)
    with Redis.from_url(settings.redis) as redis:
        killed.claim(redis)
        begun = time.monotonic()
        after.claim(redis)
        assert 0.2 < time.monotonic() - begun < 5.0
        asyncio.run(_left(killed, settings))  # it is not its own any more
        assert redis.exists(settings.names.instance("a")) == 1
        asyncio.run(_left(after, settings))
        assert redis.exists(settings.names.instance("a")) == 0
        last.claim(redis)


def test_a_worker_that_slept_and_lost_its_name_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    slept, now = Instance(settings), Instance(settings)
    with Redis.from_url(settings.redis) as redis:
        slept.claim(redis)
        asyncio.run(_said(slept, settings))
        assert ended == []
        redis.delete(settings.names.instance("a"))
        now.claim(redis)
        asyncio.run(_said(slept, settings))
    assert ended == [2]


def test_without_a_name_nothing_is_said(settings: Settings) -> None:
    nameless = Instance(settings.model_copy(update={"instance_id": ""}))
    with Redis.from_url(settings.redis) as redis:
        nameless.claim(redis)
        assert nameless.tasks(AsyncRedis(), Patience()) == []
        assert list(redis.scan_iter(match=f"{settings.names.key()}*")) == []


async def _left(one: Instance, settings: Settings) -> None:
    async with AsyncRedis.from_url(settings.redis) as redis:
        await one.leave(redis)


async def _said(one: Instance, settings: Settings) -> None:
    async with AsyncRedis.from_url(settings.redis) as redis:
        await one.say(redis, Patience())
