"""Answers that come many at once: each is what redis-py's own connection makes of it, and costs no time-out of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection

from stream.redis_connection import LeanConnection
from tests.unit.stream.test_redis_client_hurt import serving

#: Of every kind that RESP3 has, and what somebody pushes in between.
KINDS = [
    b"$1\r\na\r\n", b"+OK\r\n", b"-ERR no\r\n", b"*2\r\n:1\r\n-ERR inner\r\n", b">2\r\n$4\r\nsaid\r\n$2\r\nhi\r\n:7\r\n",
    b"_\r\n", b"*0\r\n", b"%1\r\n+a\r\n:1\r\n", b"~1\r\n:1\r\n", b",1.5\r\n", b"#t\r\n", b"$-1\r\n", b"=5\r\ntxt:a\r\n",
]  # fmt: skip


async def made_of(kind: type[Connection], answers: Sequence[bytes], *, cut: int | None = None) -> tuple[Any, bool]:
    """What comes of a pipeline that is answered so, in two pieces where it is cut; whether its connection lives on."""
    came: list[list[bytes]] = []

    async def answer(command: list[bytes], writer: asyncio.StreamWriter) -> None:
        came.append(command)
        if len(came) == len(answers):
            whole = b"".join(answers)
            writer.write(whole[:cut])
            if cut is not None:
                await asyncio.sleep(0.02)
                writer.write(whole[cut:])

    async with serving(answer) as (like, _):
        told = like.connection_pool.connection_kwargs
        port, retry = told["port"], told["retry"]
        redis = Redis.from_url(f"redis://127.0.0.1:{port}/0", connection_class=kind, socket_timeout=2.0, retry=retry)
        pipe = redis.pipeline(transaction=False)
        for number in range(len(answers)):
            pipe.execute_command("ECHO", number)
        try:
            found: Any = await pipe.execute(raise_on_error=False)
        except Exception as error:
            found = error
        (connection,) = redis.connection_pool._available_connections
        lives = connection.is_connected
        await redis.aclose()
        return found, lives


def said(found: Any) -> Any:
    """Errors by type and words: two are never equal."""
    if isinstance(found, Exception):
        return type(found), str(found)
    return [said(one) for one in found] if isinstance(found, list) else found


@pytest.mark.parametrize(
    "answers",
    [
        KINDS,
        [KINDS[0], b"-LOADING it reads its data\r\n", KINDS[0]],
        [KINDS[0], b"*1\r\n-LOADING it reads its data\r\n", KINDS[0]],
        [KINDS[0], b"?no answer at all\r\n", KINDS[0]],
    ],
)
@pytest.mark.parametrize("cut", [None, 5, 30])
def test_each_answer_is_what_redis_py_makes_of_it(answers: list[bytes], cut: int | None) -> None:
    theirs = asyncio.run(made_of(Connection, answers, cut=cut))
    ours = asyncio.run(made_of(LeanConnection, answers, cut=cut))
    assert (said(ours[0]), ours[1]) == (said(theirs[0]), theirs[1])


def test_an_answer_that_is_here_costs_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    read = Connection.read_response

    async def reading(self: Connection, *how: Any, **named: Any) -> Any:
        made.append(self)
        return await read(self, *how, **named)

    monkeypatch.setattr(Connection, "read_response", reading)
    found, _ = asyncio.run(made_of(LeanConnection, [b":1\r\n"] * 50))
    assert found == [1] * 50
    assert len(made) < 10, "the first one that is waited for, and what is said when a client connects"
