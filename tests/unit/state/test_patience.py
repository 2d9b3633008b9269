"""Patience: asks until Redis answers, tells everybody meanwhile, and says it in two lines."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.exceptions import ConnectionError as NotConnected

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
    assert seen == [True, False, False, False]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_is_no_outage_is_raised_at_once() -> None:
    async def ask() -> int:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(Patience()(ask))
