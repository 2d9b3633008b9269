"""Versions whose names are an attack on whoever looks at their release: told as they are, obeyed by no page and no terminal."""

from __future__ import annotations

import asyncio
import re
import uuid

import pytest

from schemas.release import ReleaseMonitor
from tests.support.command import driftline
from tests.support.console_site import ConsoleSite
from tests.support.released_live import site

CHAMPION = "3\n\x1b[31m\u202eeslaf\u2028 [red]"
CHALLENGER = "<script>alert(4)</script>\"'><img src=x> <!channel> [/red][bold]" + "x" * 130
#: What moves a cursor, turns the direction of writing or breaks a line.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]")


@pytest.fixture(scope="module")
def shown(redis_url: str) -> ConsoleSite:
    """The challenger was sent a tenth, and rolled back."""
    environment = f"t{uuid.uuid4().hex[:10]}"

    async def story() -> None:
        async with site(
            redis_url, environment, release=ReleaseMonitor(champion=CHAMPION, challenger=CHALLENGER)
        ) as found:
            evaluator = found.scene.evaluator()
            await found.routed(2, errors=0.01, evaluator=evaluator)
            await found.routed(1, errors=0.20, evaluator=evaluator)

    asyncio.run(story())
    return ConsoleSite(redis_url, environment)


def test_the_page_shows_them_as_text_on_one_line_in_order_and_cut(shown: ConsoleSite) -> None:
    page = shown.get("/releases")
    assert (page.status, "This page failed" in page.text) == (200, False)
    assert not re.search("<script>alert|<img|\\x1b|\u202e|\u2028", page.html)
    assert r"3\n\x1b[31m\u202eeslaf\u2028 [red]" in page.text
    assert f"Version {CHALLENGER[:39]}… beside" in page.text
    assert CHALLENGER not in page.text


def test_a_terminal_shows_them_and_does_nothing_else(shown: ConsoleSite) -> None:
    variables = {"DRIFTLINE_REDIS": shown.redis, "DRIFTLINE_ENVIRONMENT": shown.environment}
    for arguments in (("ls",), ("show", "m")):
        said = driftline("release", *arguments, env=variables)
        assert (said.code, OBEYED.findall(said.out)) == (0, [])
        assert CHALLENGER in said.out
        assert r"3\n\x1b[31m\u202eeslaf\u2028 [red]" in said.out
    found = driftline("release", "show", "m", "--json", env=variables).json
    assert (found["release"]["champion"], found["release"]["challenger"]) == (CHAMPION, CHALLENGER)
    assert [one["champion"] for one in found["decisions"]] == [CHAMPION] * 3
