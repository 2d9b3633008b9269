"""A password that is not percent-encoded is refused, and no part of it is shown: neither by us nor by a library's words."""

from __future__ import annotations

import traceback

import pytest

from schemas.errors import ConfigError
from schemas.settings import Settings
from stream.command.connect import ask_redis
from stream.expose.console.serve import run
from stream.start import wait_for_services

URLS = [
    "redis://:hunter/two@cache:6379/0", "redis://:hunter?two@cache:6379/0", "redis://:hunter#two@cache:6379/0",
    "redis://:77/hunter@cache:6379/0", "redis://:[hunter@cache/0", "redis://cache:6379/0?socket_timeout=hunter",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("started", ["command", "console", "worker"])
def test_no_part_of_the_password_is_shown(url: str, started: str) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    settings = Settings(redis=url, start_timeout_s=0.1)
    starts = {"command": lambda: ask_redis(settings, never), "console": lambda: run(settings)}
    with pytest.raises(ConfigError) as raised:
        starts.get(started, lambda: wait_for_services(settings, check=lambda _: None))()
    shown = "".join(traceback.format_exception(raised.value))
    assert "DRIFTLINE_REDIS: is no address of a Redis" in shown
    assert not [part for part in ("hunter", "two@", "'77'") if part in shown]
