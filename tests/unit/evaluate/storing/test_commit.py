"""What is concluded of very many things in one minute is packed beside the event loop, and comes to the script the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from schemas.findings import Progress
from schemas.names import Names
from stream.evaluate.storing.commit import MANY, Commits, Conclusion


class Asked:
    """Redis, and whoever asks it: what the script was given, and whether that was packed on a thread."""

    def __init__(self) -> None:
        self.beside_loop = 0
        self.given: list[Any] = []

    async def __call__(self, work: Callable[[], Any]) -> Any:
        return await work()

    async def beside(self, work: Callable[[], Any]) -> Any:
        self.beside_loop += 1
        return work()

    def register_script(self, _: str) -> None:
        """It is run here."""

    async def run(self, _: object, *, keys: list[str], args: list[Any]) -> list[bytes]:
        self.given = msgspec.msgpack.decode(args[5])
        return [b"stored"]


@pytest.mark.parametrize(("messages", "beside"), [(MANY, 0), (MANY + 1, 1)])
def test_many_messages_are_packed_beside_the_loop(messages: int, beside: int) -> None:
    asked = Asked()
    commits = Commits(cast(Any, asked), Names(), keep_ms=1, asking=cast(Any, asked), post=cast(Any, asked))
    made = Conclusion("gpus", "serving", "", {"last": 7})
    for at in range(messages):
        made.tell(Progress(model="gpus", stream="serving", at=at, seen=at))
    assert asyncio.run(commits.store(made, token=1)) == "stored"
    assert (asked.beside_loop, len(asked.given[3])) == (beside, 3 * messages)
