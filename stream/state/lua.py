"""The Lua scripts of every room, as Redis knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

#: Keys and arguments of a call.
Call = tuple[Sequence[str], Sequence[Any]]


def script(redis: Redis, room: str, name: str) -> AsyncScript:
    """The script ``scripts/NAME.lua`` of a room of ``stream``."""
    text = resources.files(f"stream.{room}").joinpath("scripts", f"{name}.lua").read_text()
    return redis.register_script(text)


async def called(redis: Redis, one: AsyncScript, calls: Iterable[Call]) -> list[Any]:
    """What a script returns to each of these calls, made in one round trip; they must be safe to repeat.

    A pipeline of redis-py's scripts asks each time whether Redis knows them: a round trip more, before each checkpoint.  Here a
    Redis that does not know the script is told it, and called again.
    """
    asked = list(calls)
    try:
        return await _pipelined(redis, one, asked)
    except NoScriptError:
        await redis.script_load(str(one.script))
        return await _pipelined(redis, one, asked)


async def _pipelined(redis: Redis, one: AsyncScript, calls: Iterable[Call]) -> list[Any]:
    pipe = redis.pipeline(transaction=False)
    for keys, args in calls:
        pipe.execute_command("EVALSHA", one.sha, len(keys), *keys, *args)
    return list(await pipe.execute())
