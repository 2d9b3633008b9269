"""Makes the picture of the console for the README: ``python -m tests.browser.picture FILE.png`` (scripts/console-picture)."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from redis.asyncio import Redis

from schemas.names import Names
from tests.support.browser import open_browser
from tests.support.console_incidents import fill_incidents
from tests.support.console_site import ConsoleSite, start_console
from tests.support.console_year import fill
from tests.support.redis import LocalRedis

WIDTH, HEIGHT = 1280, 1000


async def _year(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": False, "gate-assignment": True, "turnaround-time": True}, days=90)
    await fill_incidents(redis, names)
    now_ms = time.time_ns() // 1_000_000 + 3_600_000  # a worker that spoke a moment ago, whenever the picture is taken
    await redis.zadd(names.workers, {"worker-1:4711": now_ms})


def take(picture: Path) -> None:
    """A Redis and a console of our own, looked at once."""
    with tempfile.TemporaryDirectory() as folder:
        redis = LocalRedis(Path(folder))
        redis.start()
        site = ConsoleSite(redis.url, "")
        site.fill(_year)
        process, address = start_console(site, log=Path(folder) / "console.log")
        with open_browser() as browser:
            browser.open(address, width=WIDTH, height=HEIGHT)
            browser.picture(picture)
        process.stop()
        redis.stop()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
