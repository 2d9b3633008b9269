"""Which dead letters were sent again: noted before the record goes, so that nobody sends it twice without meaning to.

A hash of ``topic:partition:offset`` (with the event's place behind it, in a record of several) to ``<record> <when> <how>``:
Kafka's timestamp of the record, which tells it from one of a topic that was made anew, when it was sent again (epoch ms),
and ``sent``, or ``sending`` where nobody knows whether it arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from schemas.names import Names
from stream.state.lua import called, script

SENDING, SENT = "sending", "sent"


async def retried_of(redis: Redis, names: Names, records: Mapping[str, int]) -> dict[str, str]:
    """Which of these were sent again, and how: ``records`` is the letter's identity to its record's timestamp."""
    fields = list(records)
    stored: list[Any] = await redis.hmget(names.retried, fields) if fields else []
    found = {
        field: value.decode(errors="replace").split() for field, value in zip(fields, stored, strict=True) if value
    }
    return {field: said[-1] for field, said in found.items() if said[0] == str(records[field])}


async def claim(redis: Redis, names: Names, records: Mapping[str, int], *, now_ms: int) -> set[str]:
    """Note these as being sent; which of them nobody else has noted first, whoever else does the same at once."""
    calls = [
        ((names.retried,), (letter, str(at_ms), f"{at_ms} {now_ms} {SENDING}")) for letter, at_ms in records.items()
    ]
    answers = await called(redis, script(redis, "state", "claim"), calls) if calls else []
    return {letter for letter, first in zip(records, answers, strict=True) if first}


async def note(redis: Redis, names: Names, records: Mapping[str, int], *, now_ms: int) -> None:
    """These were sent, and Kafka has them."""
    if records:
        values: dict[Any, Any] = {field: f"{at} {now_ms} {SENT}" for field, at in records.items()}
        await redis.hset(names.retried, mapping=values)


async def release(redis: Redis, names: Names, fields: Sequence[str]) -> None:
    """These were not sent after all."""
    if fields:
        await redis.hdel(names.retried, *fields)


async def forget_below(redis: Redis, names: Names, starts: Mapping[tuple[str, int], int]) -> None:
    """Forget what stood before these starts of logs: it cannot be read any more, and so not be sent again."""
    stored: Any = await redis.hkeys(names.retried)
    fields = [field.decode(errors="replace") for field in stored]
    await release(redis, names, [field for field in fields if _is_below(field, starts)])


def _is_below(field: str, starts: Mapping[tuple[str, int], int]) -> bool:
    topic, *numbers = field.split(":")
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return False
    return int(numbers[1]) < starts.get((topic, int(numbers[0])), 0)
