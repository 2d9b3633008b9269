"""Which models are configured, as Prometheus reads it: those of the generation that is followed, from one process alone."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from schemas.settings import Settings
from stream.expose.configured import ConfiguredModels
from stream.parts import parts
from tests.support.exposition import numbers


def test_each_model_that_is_followed_has_a_series_and_one_that_was_taken_out_has_none() -> None:
    followed: list[tuple[str, ...]] = [("fraud", "churn")]
    registry = CollectorRegistry()
    registry.register(ConfiguredModels(lambda: followed[-1]))
    both = {f'driftline_model_configured{{model_name="{model}"}}': 1.0 for model in ("fraud", "churn")}
    assert (numbers(registry), numbers(registry)) == (both, both)  # it can be read twice
    followed.append(("churn",))
    assert numbers(registry) == {'driftline_model_configured{model_name="churn"}': 1.0}
    followed.append(())
    assert numbers(registry) == {}


def test_a_worker_shows_them_while_it_owns_the_incidents() -> None:
    asyncio.run(_shown_by_the_owner())


async def _shown_by_the_owner() -> None:
    built = parts(Settings(redis="redis://127.0.0.1:1/0"))
    built.follower.models = ("fraud",)
    named = 'driftline_model_configured{model_name="fraud"}'
    assert named not in numbers(built.metrics.registry)
    built.incidents.tally.owning = True
    assert numbers(built.metrics.registry)[named] == 1.0
    await built.redis.aclose()
