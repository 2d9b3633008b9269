"""Fixtures of tests that stand on services: the embedded broker, and a deployment driven by the commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.names import TOPICS_IN, Names
from stream.local.broker import create_topic, embedded_broker
from tests.support import skewed
from tests.support.evaluation import Story, opened
from tests.support.site import Site


@pytest.fixture(scope="module")
def embedded_bootstrap() -> Iterator[str]:
    """The demo's broker, shared by a file of tests."""
    with embedded_broker() as address:
        yield address


@pytest.fixture
def site(embedded_bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path) -> Site:
    """An environment with its topics on the embedded broker, and the real Redis."""
    env = {
        "DRIFTLINE_KAFKA": embedded_bootstrap,
        "DRIFTLINE_REDIS": redis_url,
        "DRIFTLINE_ENVIRONMENT": environment_name,
    }
    names = Names(environment_name)
    for topic in (*TOPICS_IN, "dead-letters"):
        create_topic(embedded_bootstrap, names.topic(topic))
    return Site(env, names, tmp_path)


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story of evaluation in an environment of its own."""

    async def run(story: Story) -> None:
        async with opened(redis_url, environment_name) as scene:
            await story(scene)

    return lambda story: asyncio.run(run(story))


@pytest.fixture
def told_of_both(redis_url: str, environment_name: str) -> Callable[[skewed.Story], None]:
    """The same of predictions and the feature store's events beside them."""

    async def run(story: skewed.Story) -> None:
        async with skewed.sides(redis_url, environment_name, **skewed.SHORT) as found:
            await story(found)

    return lambda story: asyncio.run(run(story))
