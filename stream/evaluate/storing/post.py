"""Questions that are asked of Redis in the same moment travel together, each with an answer or an error of its own.

Models are evaluated side by side, and each asks for itself.  A call of the socket costs more than the question it carries: so
what is asked within one round of the event loop leaves as one pipeline in the next.  A question waits for nothing but that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

#: What is written at once holds the loop: a pipeline ends behind the question that brings it to so many bytes, each counted as
#: ``QUESTION`` more, for a short one costs as much time to write and to read as that.
ENOUGH = 256 * 1024
QUESTION = 1024

_Question = tuple[tuple[Any, ...], "asyncio.Future[Any]"]


class Post:
    """``ask`` a command, or ``run`` a script; both may be repeated as often as what they carry may be."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[_Question] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def ask(self, *command: Any) -> asyncio.Future[Any]:
        """The answer to a command; a refusal, or the connection's end, is raised to whoever awaits it."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._leave)
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, answer))
        return answer

    async def run(self, script: AsyncScript, *, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """What a script returns; a Redis that does not know it yet is told it."""
        try:
            return await self.ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await script(keys=keys, args=args)

    def _leave(self) -> None:
        """One pipeline a round of the loop: others have their turn before the next one is written."""
        many = _portion(self._waiting)
        questions, self._waiting = self._waiting[:many], self._waiting[many:]
        task = asyncio.create_task(self._deliver(questions))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._leave)

    async def _deliver(self, questions: Sequence[_Question]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for command, _ in questions:
            pipe.execute_command(*command)
        try:
            answers = await pipe.execute(raise_on_error=False)
        except Exception as error:  # nobody knows what became of any of them
            answers = [error] * len(questions)
        except asyncio.CancelledError:
            for _, answer in questions:
                answer.cancel()
            raise
        for (_, answer), found in zip(questions, answers, strict=True):
            if answer.done():  # whoever asked has gone
                continue
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)


def _portion(questions: Sequence[_Question]) -> int:
    """How many of these, from the first on, are enough for one pipeline."""
    held = 0
    for many, (command, _) in enumerate(questions, start=1):
        held += QUESTION + sum(len(part) for part in command if isinstance(part, bytes))
        if held >= ENOUGH:
            return many
    return len(questions)
