"""Fixtures of tests that look at the console in a real Chromium."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from tests.support.browser import Browser, open_browser
from tests.support.console_hostile import fill_hostile
from tests.support.console_incidents import fill_incidents, unseen
from tests.support.console_site import ConsoleSite, start_console
from tests.support.console_year import fill


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with open_browser() as made:
        yield made


@pytest.fixture(scope="package")
def year_console(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console over ninety days of two models, with incidents."""

    async def filled(redis: Redis, names: Names) -> None:
        await fill(redis, names, {"flight-delay": False, "turnaround-time": True}, days=90)
        await fill_incidents(redis, names, unseen())

    site = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    site.fill(filled)
    process, address = start_console(site, log=tmp_path_factory.mktemp("console") / "year.log")
    yield address
    process.stop()


@pytest.fixture(scope="package")
def hostile_console(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console whose names are an attack."""
    site = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    site.fill(fill_hostile)
    process, address = start_console(site, log=tmp_path_factory.mktemp("console") / "hostile.log")
    yield address
    process.stop()
