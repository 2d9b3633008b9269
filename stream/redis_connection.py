"""A worker's connection to Redis: redis-py's own, with commands packed in C and sent without a task of their own.

redis-py's asyncio client packs each argument in Python, where its other client has hiredis do it, and makes a task of every send
to bound it in time.  This way a checkpoint of hundreds of panes costs half, and any question two rounds of the event loop less.
Answers to a pipeline come many at once: one that is here already is taken without a time-out of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import hiredis
from redis._parsers.hiredis import NOT_ENOUGH_DATA, _AsyncHiredisParser
from redis.asyncio.connection import Connection
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as NotInTime

#: Answers that need no second look.
_PLAIN = frozenset((bytes, int, type(None), dict, str, float, bool))


class LeanConnection(Connection):
    """Says the same to Redis, byte for byte, and raises the same; a connection that is of no use any more it leaves at once."""

    _packer = HiredisRespSerializer()

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command as Redis reads it.

        >>> LeanConnection().pack_command("HSET", "key", "field", 7)
        [b'*4\\r\\n$4\\r\\nHSET\\r\\n$3\\r\\nkey\\r\\n$5\\r\\nfield\\r\\n$1\\r\\n7\\r\\n']
        """
        try:
            if isinstance(args[0], str) and " " not in args[0]:  # redis-py looks at each argument, in Python
                return [hiredis.pack_command(args)]
        except TypeError:
            pass  # redis-py says what is wrong, and packs some that hiredis does not
        packed: list[bytes] = self._packer.pack(*args)
        return packed

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """A pipeline's commands, one after the other."""
        return [part for command in commands for part in self.pack_command(*command)]

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """Send what was packed.

        :raises redis.exceptions.TimeoutError: Redis did not take it in time.
        :raises redis.exceptions.ConnectionError: the connection has ended.
        """
        if self._writer is None or not self.is_connected:
            return await super().send_packed_command(command, check_health)
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        try:
            await self._send(command)
        except BaseException as error:  # half a command may be on its way: nothing can be said behind it
            await self.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise NotInTime("Timeout writing to socket") from None
            if isinstance(error, OSError):
                raise NotConnected(f"Error while writing to socket: {error}") from error
            raise

    async def read_response(self, *how: Any, **named: Any) -> Any:
        """One answer.

        :raises redis.exceptions.ReadOnlyError: this Redis was made a replica; the next question goes by a new connection, to
            the one that is at its address by then.
        """
        try:
            found = NOT_ENOUGH_DATA if how or named else await self._at_hand()
            return await super().read_response(*how, **named) if found is NOT_ENOUGH_DATA else found
        except ReadOnlyError:
            await self.disconnect(nowait=True)
            raise

    async def _at_hand(self) -> Any:
        """An answer that has come already, as ``read_response`` gives it; what is none may take its time, and is left to it."""
        parser: Any = self._parser if isinstance(self._parser, _AsyncHiredisParser) else None
        if parser is None or self.health_check_interval or not parser._connected:
            return NOT_ENOUGH_DATA
        try:
            found = parser._reader.gets()
        except Exception:  # what came is no answer
            await self.disconnect(nowait=True)
            raise
        if type(found) in _PLAIN or found is NOT_ENOUGH_DATA:
            return found
        if isinstance(found, hiredis.PushNotification):
            await parser.handle_push_response(found)
            return await self._at_hand()
        broken = found[0] if isinstance(found, list) and found else found
        if isinstance(broken, NotConnected):
            await self.disconnect(nowait=True)
            raise broken
        if isinstance(found, Exception):
            raise found
        return found

    async def disconnect(self, nowait: bool = False, *why: Any, **named: Any) -> None:
        """End the connection; at once where ``nowait``, and then what Redis has not taken yet is dropped.

        redis-py's own goes on sending it: a Redis that hangs would cost memory and a socket an attempt, and a command that was
        given up would be done after all, behind those that were sent since.
        """
        if nowait and self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(nowait, *why, **named)

    async def _send(self, command: bytes | str | Iterable[bytes]) -> None:
        text = command.encode() if isinstance(command, str) else command
        assert self._writer is not None
        async with asyncio.timeout(self.socket_timeout):
            self._writer.writelines([text] if isinstance(text, bytes) else text)
            await self._writer.drain()
