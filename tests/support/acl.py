"""The Redis user of few rights that docs/operations.md describes, made as it says there."""

from __future__ import annotations

import shlex
from pathlib import Path

from redis import Redis

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
PASSWORD = "correct/horse"


def documented(command: str) -> list[str]:
    """The words of a command as docs/operations.md has it, over as many lines as it takes there."""
    text = OPERATIONS.read_text().replace("\\\n", " ")
    return shlex.split(next(line for line in text.splitlines() if line.startswith(command)))


def made_user(redis: Redis, *more: str) -> None:
    """The user of docs/operations.md with his password, and what else is said of him."""
    rule = [word.replace("PASSWORD", PASSWORD) for word in documented("redis-cli acl setuser")[3:]]
    rule += more
    redis.execute_command("ACL", "SETUSER", *rule)  # type: ignore[no-untyped-call]
