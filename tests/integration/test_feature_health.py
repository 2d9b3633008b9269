"""How features are, from what is in Redis: ``driftline features``, and the console's model page."""

from __future__ import annotations

import json
import uuid

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from stream.ingest.sightings import Sightings
from stream.ingest.unregistered import MOST, read_unregistered, store_unregistered
from tests.support.command import driftline
from tests.support.console_site import ConsoleSite
from tests.support.console_year import fill


async def year(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": False}, days=5)
    seen = Sightings(MOST)
    seen.note("flight-delay", ["<b>gate</b>", "temp"], at_ms=1_357_035_300_000)
    await store_unregistered(redis, names, [seen])


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(year)
    return made


def test_features_are_listed_the_worst_first_and_what_nobody_declared_is_not_registered(site: ConsoleSite) -> None:
    env = {"DRIFTLINE_REDIS": site.redis, "DRIFTLINE_ENVIRONMENT": site.environment}
    asked = driftline("features", "--model", "flight-delay", "--unhealthy", "--json", env=env)
    found = json.loads(asked.out)["features"]
    assert (asked.code, asked.err) == (1, "")
    assert (found[0]["feature"], found[0]["state"], found[0]["why"]) == ("temp", "drift", {"psi": ["day", "week"]})
    assert (found[0]["source"], found[0]["type"]) == ("weather-feed", "numeric")
    assert [(one["state"], one["last_seen"]) for one in found if one["feature"] == "<b>gate</b>"] == [
        ("not_registered", 1_357_035_300_000)
    ]  # fmt: skip
    shown = driftline("features", env=env)
    assert shown.code == 1
    assert "last seen 2013-01-01T10:15:00Z" in shown.out
    assert {"temp", "carrier", "<b>gate</b>"} <= set(shown.out.split())


def test_a_model_that_is_not_in_force_is_wrong_use(site: ConsoleSite) -> None:
    env = {"DRIFTLINE_REDIS": site.redis, "DRIFTLINE_ENVIRONMENT": site.environment}
    ended = driftline("features", "--model", "nobody", env=env)
    assert (ended.code, ended.err) == (2, "model: 'nobody' is not in force; in force: flight-delay\n")


def test_the_models_page_shows_those_that_need_somebody(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay")
    shown = page.text.partition("Features that need somebody")[2].partition("Drift over time")[0]
    assert "temp drift psi (day, week)" in shown
    assert "<b>gate</b> not registered last seen 2013-01-01 10:15" in shown
    assert "<b>gate" not in page.html
    assert "carrier" not in shown


def test_made_up_names_fill_no_redis(site: ConsoleSite) -> None:
    async def many(redis: Redis, names: Names) -> None:
        beyond = []
        for run in range(3):
            seen = Sightings(MOST)
            seen.note("m", ["first", *(f"{run}-{number}" for number in range(60))], at_ms=run)
            await store_unregistered(redis, names, [seen])
            beyond.append(seen.beyond)
        assert beyond == [0, 60 - (MOST - 61), 60]
        found = await read_unregistered(redis, names, "m")
        assert (len(found), found["first"], found["0-0"], "2-59" in found) == (MOST, 2, 0, False)

    site.fill(many)
