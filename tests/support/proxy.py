"""A network between a client and a service of this machine, as a child process: cut, held, made slow, let through again.

The client is given the proxy's address. Redis needs no more; a Kafka client goes on to the address that its broker
*advertises*, so the broker must be told to name the proxy's.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.process import Process, free_port, listening

CHUNK = 65_536
#: Chunks that one direction of a connection may have on their way; beyond them the sender is not read.
ON_THE_WAY = 256
THROUGH, CUT, HELD, TO = "through", "cut", "held", ">"


class Proxy:
    """Connections to ``port`` go on to ``target``, a port of the loopback interface; each call is in force when it returns."""

    def __init__(self, target: int, *, folder: Path) -> None:
        self.target, self.port = target, free_port()
        self._control, self._log = free_port(), folder / f"proxy-{self.port}.log"
        self._process: Process | None = None

    def start(self) -> None:
        """Start the child and return when it listens."""
        ports = [str(port) for port in (self.port, self.target, self._control)]
        self._process = Process([sys.executable, "-m", "tests.support.proxy", *ports], log=self._log)
        self._process.wait_until(lambda: listening(self._control), timeout_s=20)

    def stop(self) -> None:
        """End the child, and so all connections; a no-op when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def through(self) -> None:
        """Pass everything on at once, what was held included."""
        self._say(THROUGH)

    def cut(self) -> None:
        """Reset all connections, and each new one as soon as it is made."""
        self._say(CUT)

    def hold(self) -> None:
        """Pass nothing on and lose nothing: connections are made and stay, as when packets are dropped on the way."""
        self._say(HELD)

    def slow(self, ms: int) -> None:
        """Pass every answer on so many milliseconds after it came; what clients send goes at once."""
        self._say(str(ms))

    def to(self, target: int) -> None:
        """Let through to another service from now on: connections to the one before are reset, as at a fail-over."""
        self.target = target
        self._say(f"{TO}{target}")

    def _say(self, word: str) -> None:
        with socket.create_connection(("127.0.0.1", self._control), timeout=10) as control:
            control.sendall(f"{word}\n".encode())
            answer = control.recv(64)
        if answer != b"done\n":
            raise RuntimeError(f"the proxy said {answer!r}\n{self._log.read_text()}")


class Line:
    """What happens to bytes now, and the connections that it happens to."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.is_cut, self.delay_s, self.passable = False, 0.0, asyncio.Event()
        self.passable.set()
        self.writers: set[asyncio.StreamWriter] = set()

    def become(self, word: str) -> None:
        """THROUGH, CUT, HELD, the milliseconds that an answer takes, or TO and a port."""
        self.is_cut, self.delay_s = word == CUT, int(word) / 1_000 if word.isdigit() else 0.0
        if word == HELD:
            self.passable.clear()
        else:
            self.passable.set()
        if word.startswith(TO):
            self.target = int(word.removeprefix(TO))
        if self.is_cut or word.startswith(TO):
            for writer in self.writers:
                writer.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, from its first byte until either side ends it."""
        self.writers.add(writer)
        try:
            await self.passable.wait()
            if not self.is_cut:
                await self._between(reader, writer)
        except OSError:  # the service is not there, or one side reset the connection
            pass
        finally:
            self.writers.discard(writer)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asking = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers.add(asking)
        ways = [asyncio.create_task(self._pass(reader, asking)), asyncio.create_task(self._answer(answers, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self.writers.discard(asking)
            asking.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            await self._write(sink, chunk)

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Chunks keep their distances: a delay makes a round trip long, not the line narrow."""
        clock, queue = asyncio.get_running_loop().time, asyncio.Queue[tuple[float, bytes]](ON_THE_WAY)

        async def send() -> None:
            due, chunk = await queue.get()
            while chunk:
                await asyncio.sleep(due - clock())
                await self._write(sink, chunk)
                due, chunk = await queue.get()

        sending = asyncio.create_task(send())
        try:
            while not sending.done():
                chunk = await source.read(CHUNK)
                await queue.put((clock() + self.delay_s, chunk))
                if not chunk:
                    await sending
        finally:
            sending.cancel()

    async def _write(self, sink: asyncio.StreamWriter, chunk: bytes) -> None:
        await self.passable.wait()
        sink.write(chunk)
        await sink.drain()


async def serve(port: int, target: int, control: int) -> None:
    """Pass bytes on between ``port`` and ``target``, as the last line that came to ``control`` says."""
    line = Line(target)

    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if word := (await reader.readline()).decode().strip():
            line.become(word)
            writer.write(b"done\n")
        writer.close()

    await _listen(port, line.connect)
    await _listen(control, obey)
    await asyncio.Event().wait()


async def _listen(
    port: int, served: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> asyncio.Server:
    return await asyncio.start_server(served, "127.0.0.1", port)


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:4])))
