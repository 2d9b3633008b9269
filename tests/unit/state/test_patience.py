"""Patience: asks until Redis answers, tells everybody meanwhile, and says it in two lines."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoPermissionError

from stream.state.patience import Patience


def test_it_asks_until_there_is_an_answer_and_tells_of_the_outage(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[bool] = []

    async def scene() -> tuple[int, bool, int]:
        patience = Patience()

        async def ask() -> int:
            seen.append(patience.answers.is_set())
            if len(seen) < 4:
                raise NotConnected("refused")
            return 7

        return await patience(ask), patience.answers.is_set(), patience.retries

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(scene()) == (7, True, 3)
    assert seen == [True, True, False, False]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_is_no_outage_is_raised_at_once() -> None:
    async def ask() -> int:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(Patience()(ask))


def test_one_failure_is_an_old_connection_and_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    async def ask() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise NotConnected("closed by the server")
        return 7

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(Patience()(ask)) == 7
    assert caplog.records == []


def test_rights_that_were_taken_away_are_waited_for_and_not_said_to_be_an_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries: list[int] = []

    async def ask() -> int:
        tries.append(1)
        if len(tries) < 4:
            raise NoPermissionError("no permissions to run the 'xadd' command")
        return 7

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(Patience()(ask)) == 7
    said = "Redis refuses this user; reading pauses until it does not: no permissions to run the 'xadd' command"
    assert caplog.messages[0] == said
    assert len(caplog.messages) == 2


def test_a_redis_that_answers_readers_only_keeps_reading_paused() -> None:
    """Full, it refuses to write and still reads: the reader's answer must not set events flowing again."""

    async def scene() -> tuple[bool, bool]:
        patience, room = Patience(), asyncio.Event()

        async def write() -> int:
            if not room.is_set():
                raise NotConnected("OOM command not allowed")
            return 1

        async def read() -> int:
            return 2

        writing = asyncio.create_task(patience(write))
        while patience.answers.is_set():
            await asyncio.sleep(0.01)
        await patience(read)
        paused = not patience.answers.is_set()
        room.set()
        await writing
        return paused, patience.answers.is_set()

    assert asyncio.run(scene()) == (True, True)
