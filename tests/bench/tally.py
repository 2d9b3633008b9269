"""The count of a worker process that only counts, left in a file for whoever watches it."""

from __future__ import annotations

import asyncio
import os

import faust

COUNT_FILE = "BENCH_COUNT"
COUNT_BYTES = 8
TOLD_EVERY_S = 0.02


class Tally:
    """How many events this process was handed."""

    def __init__(self) -> None:
        self.events = 0

    def told_by(self, app: faust.App) -> None:
        """Write the count to the file now and then: not once an event, which would cost what is measured."""
        file = os.open(os.environ[COUNT_FILE], os.O_RDWR)

        async def tell() -> None:
            while not app.should_stop:
                os.pwrite(file, self.events.to_bytes(COUNT_BYTES, "little"), 0)
                await asyncio.sleep(TOLD_EVERY_S)

        app.task(tell)
