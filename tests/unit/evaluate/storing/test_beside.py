"""Work beside the event loop: one piece at a time, whatever asks for it."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from stream.evaluate.storing.breath import Asking, Breath
from stream.state.patience import Patience


def test_of_works_asked_for_together_one_runs_at_a_time() -> None:
    running, most = 0, 0

    def work() -> int:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        time.sleep(0.01)
        running -= 1
        return threading.get_ident()

    async def together() -> list[int]:
        asking = Asking(Patience(), Breath())
        return await asyncio.gather(*(asking.beside(work) for _ in range(5)))

    threads = asyncio.run(together())
    assert (most, threading.get_ident() in threads) == (1, False)


def test_work_that_raises_or_is_given_up_lets_the_next_begin() -> None:
    async def one_after_another() -> str:
        asking = Asking(Patience(), Breath())
        with pytest.raises(ZeroDivisionError):
            await asking.beside(lambda: 1 // 0)
        given_up = asyncio.create_task(asking.beside(lambda: time.sleep(0.05)))
        await asyncio.sleep(0.01)
        given_up.cancel()
        return await asyncio.wait_for(asking.beside(lambda: "done"), timeout=5.0)

    assert asyncio.run(one_after_another()) == "done"
