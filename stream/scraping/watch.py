"""One target from scrape to scrape, in tasks of its own: whatever it does, no other target waits for it.

Scrapes keep to a grid of their own, begun at a moment that its name decides, so that a thousand targets are not asked at once.
Publishing is a second task: while the broker is away scrapes go on and their growth adds up.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

import msgspec

from schemas.targets import Target
from stream.scraping.batches import Record, records
from stream.scraping.broken import Broken
from stream.scraping.counters import Counters, Scraped, scraped
from stream.scraping.fetch import Page
from stream.scraping.meters import Owner
from stream.scraping.rows import rows_of
from stream.scraping.tally import Tally
from stream.scraping.waiting import Part

log = logging.getLogger(__name__)

#: Rows that are made and sent at a time; what more there is follows at once.
MOST_ROWS = 20_000

Made = TypeVar("Made")
Fetch = Callable[[Target], Awaitable[Page]]
Publish = Callable[[list[Record]], Awaitable[None]]


def now_ms() -> int:
    """The scraper's clock."""
    return int(time.time() * 1000)


def offset_s(name: str, every_s: float) -> float:
    """When in its interval a target is asked: the same at every start.

    >>> 0 <= offset_s("http://a:8000/metrics", 15.0) < 15
    True
    """
    return every_s * zlib.crc32(name.encode()) / 2**32


def next_due(due_s: float, now_s: float, *, every_s: float) -> float:
    """The turn after the one that was due: later ones keep to its grid, and those that were missed are left out.

    >>> [next_due(10.0, now, every_s=15.0) for now in (9.0, 10.0, 24.5, 25.0, 25.5, 40.0, 56.0)]
    [25.0, 25.0, 25.0, 25.0, 40.0, 40.0, 70.0]
    """
    turns = math.ceil((now_s - due_s) / every_s)
    return due_s + every_s * max(1, turns)


class Watch:
    """A target, what was seen of it, and its tally."""

    def __init__(
        self,
        target: Target,
        *,
        fetch: Fetch,
        publish: Publish,
        parsing: Executor | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.target, self.tally, self.counters = target, Tally(target.name), counters or Counters()
        self._fetch, self._publish, self._parsing = fetch, publish, parsing
        self._samples: tuple[dict[str, object], ...] = ()
        self.under_way = 0
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Scrape until cancelled."""
        every = self.target.every_ms / 1000
        loop = asyncio.get_running_loop()
        due = loop.time() + offset_s(self.target.name, every)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self.scrape()
            due = next_due(due, loop.time(), every_s=every)

    async def scrape(self) -> Scraped | None:
        """Ask the target once; what it said, or None, and then the tally says why."""
        began, at_ms = time.monotonic(), now_ms()
        try:
            page = await self._fetch(self.target)
            found = await self._aside(partial(scraped, page, self.target, at_ms=at_ms))
            await self._take_in(found, at_ms=at_ms)
        except Broken as broken:
            self._fail(broken)
            return None
        except Exception as error:
            log.exception("target %s: a bug", self.target.name)
            self._fail(Broken("internal", type(error).__name__))
            return None
        finally:
            self.tally.seconds = time.monotonic() - began
        self._succeed(found, at_ms=at_ms)
        return found

    async def publish(self) -> None:
        """Publish what scrapes bring until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.publish_waiting()

    async def publish_waiting(self) -> None:
        """Publish all that waits now."""
        samples, self._samples = self._samples, ()
        await self._sent([_sample(event) for event in samples])
        while taken := await self._aside(partial(self.counters.next_parts, MOST_ROWS)):
            self.under_way = sum(part.rows for _, part in taken)
            try:
                await self._sent(await self._aside(partial(_made, taken)))
            except Exception:
                log.exception("target %s: a bug; %d requests are lost", self.target.name, self.under_way)
                self.tally.errors["internal"] += 1
            self.under_way = 0
        self._count_waiting()

    async def _sent(self, made: list[Record]) -> None:
        await self._publish(made)
        self.tally.published += sum(record.events for record in made)

    def _count_waiting(self) -> None:
        self.tally.waiting = self.counters.waiting + self.under_way

    async def _take_in(self, found: Scraped, *, at_ms: int) -> None:
        self._samples = found.samples  # of a gauge only the newest counts
        if found.reading is not None:
            await self._aside(partial(self.counters.see, found.reading, at_ms=at_ms))
            self._warn_of_several()
        self._count_waiting()
        if found.samples or self.tally.waiting:
            self._news.set()

    def _warn_of_several(self) -> None:
        if self.counters.several and not self.tally.several:
            log.warning(
                "target %s answers as several servers, or restarts all the time: name each by itself", self.target.name
            )
        self.tally.several = self.counters.several

    def _succeed(self, found: Scraped, *, at_ms: int) -> None:
        if self.tally.up is False:
            log.info("target %s answers again", self.target.name)
        if not found.series and (self.tally.up is None or self.tally.series):
            log.warning("target %s answers, and has none of the series of kind %s", self.target.name, self.target.kind)
        if found.means and not self.tally.means:
            log.warning(
                "target %s has sums of latencies: every request gets the mean, percentiles mean nothing",
                self.target.name,
            )
        self.tally.means = found.means
        self.tally.up, self.tally.reason, self.tally.detail = True, None, ""
        self.tally.last_success_s, self.tally.series = at_ms / 1000, found.series

    def _fail(self, broken: Broken) -> None:
        if self.tally.reason != broken.reason:
            log.warning("target %s is failing: %s (%s)", self.target.name, broken.reason, broken.detail)
        self.tally.up, self.tally.reason, self.tally.detail = False, broken.reason, broken.detail
        self.tally.errors[broken.reason] += 1

    async def _aside(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._parsing, work)


def _made(taken: Iterable[tuple[Owner, Part]]) -> list[Record]:
    return [record for owner, part in taken for record in records(owner, rows_of(part))]


def _sample(event: dict[str, object]) -> Record:
    return Record(str(event.get("uuid") or event["gpu"]), msgspec.json.encode(event), 1)
