"""The scripts of evaluation, as Redis knows them."""

from __future__ import annotations

from importlib import resources

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


def script(redis: Redis, name: str) -> AsyncScript:
    """A script of ``scripts/``, by its name."""
    text = resources.files("stream.evaluate").joinpath("scripts", f"{name}.lua").read_text()
    return redis.register_script(text)
