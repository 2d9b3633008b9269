"""The Lua scripts of every room, as Redis knows them."""

from __future__ import annotations

from importlib import resources

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


def script(redis: Redis, room: str, name: str) -> AsyncScript:
    """The script ``scripts/NAME.lua`` of a room of ``stream``."""
    text = resources.files(f"stream.{room}").joinpath("scripts", f"{name}.lua").read_text()
    return redis.register_script(text)
