"""Where people find releases: the console's page and `driftline release`, over a real Redis."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from tests.support.command import driftline
from tests.support.console_site import ConsoleSite
from tests.support.released_live import site


@pytest.fixture(scope="module")
def shown(redis_url: str) -> ConsoleSite:
    """Version 4 was sent a tenth, and rolled back."""
    environment = f"t{uuid.uuid4().hex[:10]}"

    async def story() -> None:
        async with site(redis_url, environment) as found:
            evaluator = found.scene.evaluator()
            await found.routed(2, errors=0.01, evaluator=evaluator)
            await found.routed(1, errors=0.20, evaluator=evaluator)

    asyncio.run(story())
    return ConsoleSite(redis_url, environment)


def command(shown: ConsoleSite) -> dict[str, str]:
    return {"DRIFTLINE_REDIS": shown.redis, "DRIFTLINE_ENVIRONMENT": shown.environment, "COLUMNS": "200"}


def test_the_page_shows_both_versions_and_what_was_decided(shown: ConsoleSite) -> None:
    text = shown.get("/releases").text.replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "m rolled back Version 4 beside 3: 0 % of the requests since 2013-01-03 03:00 , judged up to 2013-01-03 03:00"
        in text
    )
    assert "errors: 0.2 of 1000 beside a limit of 0.05; success: -0.19 beside the champion." in text
    assert "requests 1 000 9 000 errors 0.2 0.01 0.05 1 000 bad" in text
    assert "Challenger less champion, since the share holds" in text
    assert text.index("roll back") < text.index("every rule is kept") < text.index("begins with 5% of the requests")


def test_the_command_lists_and_shows_them(shown: ConsoleSite) -> None:
    listed = driftline("release", "ls", env=command(shown)).out
    assert [line.split()[:5] for line in listed.splitlines()[1:]] == [["m", "3", "4", "rolled_back", "0%"]]
    said = driftline("release", "show", "m", env=command(shown)).out
    assert "1000 requests of the challenger, 9000 of the champion" in said
    assert "healthy: every rule is kept" in said
    found = driftline("release", "show", "m", "--json", env=command(shown)).json
    assert found["release"]["window"]["checks"][0]["grade"] == "bad"
    assert [one["decision"] for one in found["decisions"]] == ["begin", "promote", "roll_back"]


def test_a_model_without_a_release_is_a_failed_check(shown: ConsoleSite) -> None:
    found = driftline("release", "show", "nobody", env=command(shown))
    assert (found.code, found.err.strip()) == (
        1, "model 'nobody' has no release: `driftline release ls` lists those that have one",
    )  # fmt: skip


def test_before_the_first_pane_it_waits_and_damage_costs_itself_alone(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with site(redis_url, environment_name):
            pass

    async def damage(redis: Redis, names: Names) -> None:
        await redis.hset(names.release("m"), mapping={"state": "running", "share": "much"})

    asyncio.run(story())
    made = ConsoleSite(redis_url, environment_name)
    assert "m waiting Version 4 beside 3. It begins once" in made.get("/releases").text
    made.fill(damage)
    assert "m unreadable" in made.get("/releases").text


@pytest.mark.parametrize(
    "damage",
    [{"document": b"{"}, {"document": b"{}"}, {"other": b"x"}, {"document": b"\xff"}],
    ids=["no JSON", "another shape", "another field", "no text"],
)
def test_a_decision_that_is_damaged_costs_only_what_was_decided(
    redis_url: str, environment_name: str, damage: dict[str, bytes]
) -> None:
    async def spoil(redis: Redis, names: Names) -> None:
        await redis.xadd(names.decisions("m"), damage)  # type: ignore[arg-type]

    async def story() -> None:
        async with site(redis_url, environment_name) as found:
            await found.routed(2, errors=0.01, evaluator=found.scene.evaluator())

    asyncio.run(story())
    made = ConsoleSite(redis_url, environment_name)
    made.fill(spoil)
    page = made.get("/releases")
    assert (page.status, "m running Version 4 beside 3" in page.text) == (200, True)
    assert "a decision on a release of 'm' cannot be read" in page.text
    shown = driftline("release", "show", "m", env=command(made))
    assert (shown.code, "500 requests of the challenger, 9500 of the champion" in shown.out) == (1, True)
    assert "a decision on a release of 'm' cannot be read" in shown.err
    assert driftline("release", "ls", env=command(made)).code == 0


def test_a_page_of_nothing_says_how_to_begin(redis_url: str, environment_name: str) -> None:
    page = ConsoleSite(redis_url, environment_name).get("/releases")
    assert (page.status, "No model in force has a release." in page.text) == (200, True)
