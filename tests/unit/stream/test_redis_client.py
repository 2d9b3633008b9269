"""A worker's connection to Redis says what redis-py's own says, byte for byte, and fails as that does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import DataError
from redis.exceptions import TimeoutError as NotInTime

from schemas.settings import Settings
from stream.redis_client import worker_client
from stream.redis_connection import LeanConnection

COMMANDS: list[tuple[Any, ...]] = [
    ("HSET", "key", "field", 7),
    ("EVALSHA", "0" * 40, 2, "größe", b"\x00\r\n\xff", -1, 1.5, 10**18, "", b""),
    ("SCRIPT EXISTS", "a" * 40),
    ("SET", "big", b"x" * 200_000, "PX", 12),
    ("HSET", "view", bytearray(b"ab"), memoryview(b"cd")),
]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    return run


def test_commands_are_packed_as_redis_py_packs_them() -> None:
    ours, theirs = LeanConnection(), Connection()
    for command in COMMANDS:
        assert b"".join(ours.pack_command(*command)) == b"".join(map(bytes, theirs.pack_command(*command)))
    assert b"".join(ours.pack_commands(COMMANDS)) == b"".join(map(bytes, theirs.pack_commands(COMMANDS)))


def test_what_redis_cannot_hold_is_refused() -> None:
    with pytest.raises(DataError):
        LeanConnection().pack_command("SET", "key", None)


@_in_a_loop
async def test_questions_are_answered_one_by_one_and_as_a_pipeline() -> None:
    async with _serving(_always_ok) as redis:
        assert await redis.set("a", "b")
        pipe = redis.pipeline(transaction=False)
        for _ in range(3):
            pipe.execute_command("HSET", "a", "b", b"c")
        assert await pipe.execute() == [b"OK"] * 3


@_in_a_loop
async def test_a_question_makes_no_task() -> None:
    async with _serving(_always_ok) as redis:
        await redis.set("a", "b")
        made: list[Any] = []

        def make(loop: asyncio.AbstractEventLoop, coro: Any) -> asyncio.Task[Any]:
            made.append(coro)
            return asyncio.Task(coro, loop=loop)

        asyncio.get_running_loop().set_task_factory(make)
        await redis.set("a", "b")
        assert not made


@_in_a_loop
async def test_a_redis_that_reads_nothing_is_given_up_in_time() -> None:
    async with _serving(_reads_nothing, within_s=0.2) as redis:
        with pytest.raises(NotInTime, match="writing"):
            await redis.set("big", b"x" * 30_000_000)


@_in_a_loop
async def test_a_connection_that_ended_is_said_to_have() -> None:
    async with _serving(_hangs_up) as redis:
        with pytest.raises(NotConnected):
            await redis.set("big", b"x" * 30_000_000)


@_in_a_loop
async def test_a_send_that_is_cancelled_leaves_no_half_command_behind() -> None:
    async with _serving(_reads_nothing, within_s=5.0) as redis:
        sending = asyncio.ensure_future(redis.set("big", b"x" * 30_000_000))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        (connection,) = redis.connection_pool._available_connections
        assert not connection.is_connected


@asynccontextmanager
async def _serving(serve: Serve, *, within_s: float = 2.0) -> AsyncIterator[Redis]:
    met: list[asyncio.StreamWriter] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = worker_client(Settings(redis=f"redis://127.0.0.1:{port}/0?protocol=2"), answers_within_s=within_s)
    try:
        yield redis
    finally:
        await redis.aclose()
        for writer in met:
            writer.transport.abort()
        server.close()
        await asyncio.sleep(0.05)  # both ends hear of it


async def _always_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        for _ in range(int(line[1:])):
            size = int((await reader.readline())[1:])
            await reader.readexactly(size + 2)
        writer.write(b"+OK\r\n")
    writer.close()


async def _shaken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer what a client says when it connects: two CLIENT SETINFO."""
    for _ in range(2):
        for _ in range(int((await reader.readline())[1:])):
            await reader.readexactly(int((await reader.readline())[1:]) + 2)
        writer.write(b"+OK\r\n")


async def _reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _shaken(reader, writer)
    writer.transport.pause_reading()  # type: ignore[attr-defined]


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _shaken(reader, writer)
    writer.transport.abort()
