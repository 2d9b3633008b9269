"""A worker's connection to a Redis that hangs, hangs up or is not waited for: no answer is to another question."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as NotInTime

from schemas.settings import Settings
from stream.redis_client import worker_client
from stream.redis_connection import LeanConnection

Answer = Callable[[list[bytes], asyncio.StreamWriter], Awaitable[None]]
HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"


def _in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    return run


class Served:
    """A server that tells who it is and leaves the rest to ``answer``; ``came`` are the commands that arrived whole."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.came: list[list[bytes]] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while line := await reader.readline():
                await self._one([await _part(reader) for _ in range(int(line[1:]))], writer)
        except (OSError, asyncio.IncompleteReadError):
            pass

    async def _one(self, command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if command[0] in (b"HELLO", b"CLIENT"):
            writer.write(HELLO if command[0] == b"HELLO" else b"+OK\r\n")
            return
        self.came.append(command)
        await self._answer(command, writer)


async def _part(reader: asyncio.StreamReader) -> bytes:
    size = int((await reader.readline())[1:])
    return (await reader.readexactly(size + 2))[:-2]


@asynccontextmanager
async def serving(answer: Answer, *, within_s: float = 2.0) -> AsyncIterator[tuple[Redis, Served]]:
    served = Served(answer)
    server = await asyncio.start_server(served.meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = worker_client(Settings(redis=f"redis://127.0.0.1:{port}/0"), answers_within_s=within_s)
    try:
        yield redis, served
    finally:
        await redis.aclose()
        for writer in served.writers:
            writer.transport.abort()
        server.close()
        await asyncio.sleep(0.05)  # both ends hear of it


def hasty(rnd: random.Random) -> Answer:
    """Every key's value is its name, told at once, late, in two parts, or never: the connection ends."""

    async def answer(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        whole = b"$%d\r\n%s\r\n" % (len(command[1]), command[1])
        first = rnd.choice([0, len(whole), rnd.randrange(len(whole))])
        writer.write(whole[:first])
        await asyncio.sleep(rnd.choice([0.0, 0.002]))
        if rnd.random() < 0.05:
            writer.transport.abort()
            return
        writer.write(whole[first:])

    return answer


@_in_a_loop
async def test_who_is_not_waited_for_shifts_nobody_elses_answer() -> None:
    """Questions one by one and in pipelines, long and short, half of them cancelled at any moment."""
    rnd = random.Random(5)
    async with serving(hasty(rnd)) as (redis, _):
        side_by_side = asyncio.Semaphore(20)

        async def asked(number: int) -> bool:
            async with side_by_side:
                return await _asked(redis, number, rnd)

        answered = await asyncio.gather(*map(asked, range(300)))
        assert sum(answered) > 50
        assert not redis.connection_pool._in_use_connections


async def _asked(redis: Redis, number: int, rnd: random.Random) -> bool:
    """Whether there was an answer; it is the right one."""
    names = [f"{number}-{one}" + "x" * rnd.choice([0, 100_000]) for one in range(rnd.choice([1, 3]))]
    asking = asyncio.ensure_future(_values(redis, names))
    if rnd.random() < 0.5:
        await asyncio.sleep(rnd.choice([0.0, 0.001, 0.003]))
        asking.cancel()
    try:
        assert await asking == [name.encode() for name in names]
    except (asyncio.CancelledError, RedisError):
        return False
    return True


async def _values(redis: Redis, names: list[str]) -> list[Any]:
    if len(names) == 1:
        return [await redis.get(names[0])]
    pipe = redis.pipeline(transaction=False)
    for name in names:
        pipe.get(name)
    return list(await pipe.execute())


@_in_a_loop
async def test_what_redis_did_not_take_in_time_is_never_sent_after_all() -> None:
    """Else a Redis that hangs for ten minutes would cost a socket and a checkpoint's memory for each attempt."""

    async def hangs(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if command[0] == b"GET":
            writer.write(b"_\r\n")
            writer.transport.pause_reading()  # type: ignore[attr-defined]

    async with serving(hangs, within_s=0.2) as (redis, served):
        await redis.get("a")
        (connection,) = redis.connection_pool._available_connections
        transport = _transport(connection)
        with pytest.raises(NotInTime, match="writing"):
            await redis.set("big", b"x" * 30_000_000)
        assert transport.get_write_buffer_size() == 0
        served.writers[0].transport.resume_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
        assert [command[0] for command in served.came] == [b"GET"]


def _transport(connection: Any) -> Any:
    return connection._writer.transport


@_in_a_loop
async def test_an_answer_that_does_not_come_ends_the_connection_and_the_next_question_makes_another() -> None:
    slow = [True]

    async def half(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        writer.write(b"$3\r\na" if slow.pop() else b"$3\r\nown\r\n")

    async with serving(half, within_s=0.2) as (redis, served):
        with pytest.raises(NotInTime, match="reading"):
            await redis.get("a")
        slow.append(False)
        assert await redis.get("b") == b"own"
        assert len(served.writers) == 2


@_in_a_loop
async def test_a_redis_that_was_made_a_replica_is_asked_by_another_connection_next() -> None:
    """Behind its address is the one that was promoted by now: who stayed would be refused for ever."""
    first = list[asyncio.StreamWriter]()

    async def demoted(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        first[:] = first or [writer]
        refused = b"-READONLY You can't write against a read only replica.\r\n"
        writer.write(refused if writer is first[0] else b"+OK\r\n")

    async with serving(demoted) as (redis, served):
        with pytest.raises(ReadOnlyError):
            await redis.set("a", "b")
        assert await redis.set("a", "b")
        assert len(served.writers) == 2
        first.clear()
        with pytest.raises(NotConnected):  # and so are all of a pipeline
            await _two(redis)
        assert await _two(redis) == [b"OK", b"OK"]
        assert len(served.writers) == 3


async def _two(redis: Redis) -> list[Any]:
    pipe = redis.pipeline(transaction=False)
    pipe.execute_command("HSET", "a", "b", "c")
    pipe.execute_command("HSET", "a", "d", "e")
    return list(await pipe.execute())


@_in_a_loop
async def test_a_redis_that_accepts_and_says_nothing_is_given_up_in_time() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    redis = worker_client(
        Settings(redis=f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"), answers_within_s=0.2
    )
    with pytest.raises((NotInTime, NotConnected)):
        await redis.get("a")
    await redis.aclose()
    server.close()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("redis://h:1/0", LeanConnection),
        ("rediss://h:1/0", SSLConnection),
        ("unix:///a.sock", UnixDomainSocketConnection),
    ],
)
def test_over_tls_and_a_socket_file_it_is_redis_pys_own(url: str, connection: type) -> None:
    assert worker_client(Settings(redis=url), answers_within_s=1.0).connection_pool.connection_class is connection
