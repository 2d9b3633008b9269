"""The evaluator that a worker runs beside itself: one command and one address for what are two processes.

Its output goes where the worker's goes; its series are shown among the worker's.  It ends with the worker, on Linux even when
that is killed, and where it ends first the worker ends too: a supervisor starts both anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
from typing import Any

import aiohttp
from mode import Service

from stream.tasks import EXIT_BUG
from stream.tied import tied

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-c", "from stream.command.main import main; main(['evaluate'])")
#: The pages of such a process are for its worker: any free port of loopback will do.
OURS = {"DRIFTLINE_EVALUATE": "here", "DRIFTLINE_HTTP_HOST": "127.0.0.1", "DRIFTLINE_HTTP_PORT": "0"}
ANSWERS_WITHIN_S, ENDS_WITHIN_S = 5.0, 2.0
_ADDRESS = re.compile(rb"^evaluator: (http://\S+)")


class EvaluatorChild(Service):
    """Starts it, hands on what it says, and asks it for its series."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._process: asyncio.subprocess.Process | None = None
        self._address = ""

    async def on_start(self) -> None:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *tied(COMMAND), env=os.environ | OURS, stdout=asyncio.subprocess.PIPE
        )

    async def on_started(self) -> None:
        """Listen to it."""
        self.add_future(self._listen())

    async def on_stop(self) -> None:
        """Ask it to end; it gives its leases back."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
        except TimeoutError:
            process.kill()

    async def series(self) -> bytes:
        """Its metrics as text; none while it does not answer."""
        if not self._address:
            return b""
        within = aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=within) as session,
                session.get(f"{self._address}/metrics") as answer,
            ):
                return await answer.read()
        return b""

    async def _listen(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        async for line in process.stdout:
            if found := _ADDRESS.match(line):
                self._address = found[1].decode()
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        status = await process.wait()
        if not self.should_stop:
            log.critical("the evaluator beside this worker ended with status %d; this worker ends", status)
            logging.shutdown()
            os._exit(EXIT_BUG)
