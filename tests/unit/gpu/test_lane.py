"""One thread for calls that may never return."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from stream.gpu.lane import Lane
from stream.gpu.library import NvmlTrouble


def run(story: Callable[[Lane], Awaitable[None]]) -> None:
    async def told() -> None:
        await story(Lane("test"))

    asyncio.run(told())


async def until_free(lane: Lane) -> None:
    async with asyncio.timeout(5):
        while lane.busy:
            await asyncio.sleep(0.001)


def test_every_call_is_made_in_one_thread_that_holds_nobody_up() -> None:
    async def story(lane: Lane) -> None:
        threads = {await lane.ask(threading.current_thread, within_s=5) for _ in range(3)}
        [thread] = threads
        assert (thread.name, thread.daemon) == ("test", True)

    run(story)


def test_what_the_call_raises_is_raised() -> None:
    def lost() -> None:
        raise NvmlTrouble("lost", "gone")

    async def story(lane: Lane) -> None:
        with pytest.raises(NvmlTrouble, match="gone") as caught:
            await lane.ask(lost, within_s=5)
        assert caught.value.cause == "lost"
        assert await lane.ask(lambda: 7, within_s=5) == 7

    run(story)


def test_while_a_call_is_out_no_other_is_begun_or_waits_and_its_late_answer_is_nobodys() -> None:
    async def story(lane: Lane) -> None:
        held, begun = threading.Event(), list[int]()
        with pytest.raises(NvmlTrouble, match=r"not returned within 0\.01 s"):
            await lane.ask(lambda: held.wait(30) and "late", within_s=0.01)
        for number in range(3):
            with pytest.raises(NvmlTrouble, match="an earlier call has not returned"):
                await lane.ask(lambda number=number: begun.append(number), within_s=30)  # type: ignore[misc]
        held.set()
        await until_free(lane)
        assert await lane.ask(lambda: "new", within_s=5) == "new"
        assert begun == []

    run(story)


def test_who_is_told_to_stop_in_the_moment_of_the_answer_stops() -> None:
    async def story(lane: Lane) -> None:
        held = threading.Event()

        async def forever() -> None:
            while True:
                await lane.ask(held.wait, within_s=30)

        asking = asyncio.create_task(forever())
        await asyncio.sleep(0.01)
        held.set()
        await until_free_without_a_turn_of_the_loop(lane)
        asyncio.get_running_loop().call_soon(asking.cancel)
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await asking

    run(story)


async def until_free_without_a_turn_of_the_loop(lane: Lane) -> None:
    """So that the answer lies ready when the cancellation comes."""
    pause = threading.Event()
    for _ in range(5000):
        if not lane.busy:
            pause.wait(0.01)
            return
        pause.wait(0.001)


def test_an_answer_after_the_loop_has_closed_is_dropped() -> None:
    held, lane = threading.Event(), Lane("test")

    async def story() -> None:
        with pytest.raises(NvmlTrouble):
            await lane.ask(lambda: held.wait(30), within_s=0.01)

    asyncio.run(story())
    held.set()

    async def later() -> None:
        await until_free(lane)
        assert await lane.ask(lambda: 8, within_s=5) == 8

    asyncio.run(later())
