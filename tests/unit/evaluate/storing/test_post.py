"""Questions of one moment leave as one pipeline; what becomes of one is said to whoever asked it, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, ResponseError

from stream.evaluate.storing.post import ENOUGH, QUESTION, Post

Command = tuple[Any, ...]


class Server:
    """Answers each command by ``answer``, and remembers the pipelines that came."""

    def __init__(self, answer: Callable[[Command], Any]) -> None:
        self.answer = answer
        self.came: list[list[Command]] = []

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self)


class Pipeline:
    def __init__(self, server: Server) -> None:
        self.server, self.commands = server, list[Command]()

    def execute_command(self, *command: Any) -> None:
        self.commands.append(command)

    async def execute(self, *, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        self.server.came.append(self.commands)
        await asyncio.sleep(0)
        return [self.server.answer(command) for command in self.commands]


def post(server: Server) -> Post:
    return Post(cast("Redis", server))


def echoed(command: Command) -> Any:
    return command[-1]


async def outcomes(*asked: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


def test_what_is_asked_in_one_round_of_the_loop_leaves_together_and_what_comes_later_does_not() -> None:
    async def story() -> None:
        server = Server(echoed)
        asking = post(server)

        async def twice(name: str) -> tuple[Any, Any]:
            return await asking.ask("GET", f"{name}1"), await asking.ask("GET", f"{name}2")

        assert await outcomes(*map(twice, "abc")) == [("a1", "a2"), ("b1", "b2"), ("c1", "c2")]
        assert server.came == [[("GET", f"{name}{number}") for name in "abc"] for number in (1, 2)]

    asyncio.run(story())


def test_a_refusal_is_raised_to_its_asker_alone() -> None:
    refused = ResponseError("WRONGTYPE")

    async def story() -> None:
        asking = post(Server(lambda command: refused if command[1] == "b" else command[1]))
        assert await outcomes(*(asking.ask("GET", name) for name in "abc")) == ["a", refused, "c"]

    asyncio.run(story())


def test_the_end_of_the_connection_is_raised_to_all_that_were_under_way_and_to_nobody_else() -> None:
    lost = ConnectionError("reset")
    broken = [True]

    def answer(command: Command) -> Any:
        if broken[0]:
            raise lost
        return command[1]

    async def story() -> None:
        asking = post(Server(answer))
        assert await outcomes(asking.ask("GET", "a"), asking.ask("GET", "b")) == [lost, lost]
        broken[0] = False
        assert await asking.ask("GET", "a") == "a"

    asyncio.run(story())


def test_an_asker_that_has_gone_keeps_no_other_from_its_answer() -> None:
    async def story() -> None:
        asking = post(Server(echoed))
        gone, there = asking.ask("GET", "a"), asking.ask("GET", "b")
        gone.cancel()
        assert await there == "b"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("size", "pipelines"),
    [(ENOUGH // 4 - QUESTION, [4, 2]), (ENOUGH // 4 - QUESTION - 1, [5, 1]), (ENOUGH - QUESTION, [1] * 6), (0, [6])],
)
def test_a_pipeline_ends_behind_the_question_that_brings_it_to_enough_bytes(size: int, pipelines: list[int]) -> None:
    async def story() -> None:
        server = Server(lambda command: command[1])
        asking = post(server)
        assert await outcomes(*(asking.ask("SET", name, bytes(size)) for name in "abcdef")) == list("abcdef")
        assert [len(commands) for commands in server.came] == pipelines

    asyncio.run(story())


def test_many_short_questions_leave_as_pipelines_one_a_round_of_the_loop_in_order() -> None:
    """Sixteen models of 64 partitions ask 1 024 at once: written and read in one go they hold the loop for 14 ms of CPU."""

    async def story() -> None:
        rounds, came = [0], list[int]()

        async def count() -> None:
            while True:
                rounds[0] += 1
                await asyncio.sleep(0)

        class Noting(Server):
            def pipeline(self, *, transaction: bool) -> Pipeline:
                came.append(rounds[0])
                return super().pipeline(transaction=transaction)

        server = Noting(lambda command: command[1])
        asking, counting = post(server), asyncio.create_task(count())
        names = [str(number) for number in range(1024)]
        assert await outcomes(*(asking.ask("HMGET", name, "0") for name in names)) == names
        counting.cancel()
        assert [len(commands) for commands in server.came] == [256] * 4
        assert [command[1] for commands in server.came for command in commands] == names
        assert [later - before for before, later in pairwise(came)] == [1, 1, 1]

    asyncio.run(story())


def test_a_script_that_redis_does_not_know_is_run_as_one_that_it_is_told() -> None:
    class Script:
        sha = "0f"

        async def __call__(self, *, keys: list[str], args: list[Any]) -> Any:
            return ["told", keys, args]

    async def story() -> None:
        script = cast("AsyncScript", Script())
        for answer, found in ((b"stored", b"stored"), (NoScriptError("NOSCRIPT"), ["told", ["k"], [1, b"x"]])):
            server = Server(lambda command, answer=answer: answer)  # type: ignore[misc]
            assert await post(server).run(script, keys=["k"], args=[1, b"x"]) == found
            assert server.came == [[("EVALSHA", "0f", 1, "k", 1, b"x")]]

    asyncio.run(story())
