"""Runs the scraper: all targets at once, one address of its own, until told to stop; or every target just once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

import aiohttp
from aiohttp import web

from schemas.settings import Settings
from schemas.targets import Target
from stream.expose.http import address, listening_socket, pages
from stream.scraping.batches import Record
from stream.scraping.counters import Counters
from stream.scraping.fetch import fetch, session
from stream.scraping.left import leave, meaning, take
from stream.scraping.metrics import Sampler, ScrapeMetrics
from stream.scraping.publish import Publisher, scrape_producer
from stream.scraping.watch import Publish, Watch

#: Looking up names blocks a thread each: a name server that hangs must not keep other targets' names waiting.
LOOKUPS = 64
#: Pages are parsed in so many threads; more would only share the interpreter.
PARSERS = 2
#: When it is told to stop, it waits for the broker as long.
LEAVE_WITHIN_S = 5.0

NOTHING: Mapping[str, Counters] = MappingProxyType({})


def run(settings: Settings, targets: Sequence[Target], *, state: Path | None = None) -> None:
    """Scrape until SIGINT or SIGTERM; with ``state``, a file, go on from where the process before ended in good order.

    :raises ConfigError: the address of the scraper's own pages is taken, or nothing can be written where the state should be.
    """
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    left = take(state) if state is not None else {}
    watches = asyncio.run(_run(settings, targets, left))
    if state is not None:
        leave(state, {meaning(watch.target): watch.counters for watch in watches})


def look(targets: Sequence[Target]) -> list[tuple[Watch, int, dict[str, int]]]:
    """Ask every target once, and publish nothing: each with its GPUs and the requests that it has counted, by model."""
    return asyncio.run(_look(targets))


@asynccontextmanager
async def watching(
    targets: Sequence[Target], publish: Publish, *, left: Mapping[str, Counters] = NOTHING
) -> AsyncIterator[list[Watch]]:
    """A watch of each target, with what they share and what is left of them; nothing is asked yet."""
    async with AsyncExitStack() as stack:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOKUPS))
        parsing = stack.enter_context(ThreadPoolExecutor(PARSERS))
        client: aiohttp.ClientSession = await stack.enter_async_context(session())
        shared = partial(Watch, fetch=partial(fetch, client), publish=publish, parsing=parsing)
        yield [shared(target, counters=left.get(meaning(target))) for target in targets]


async def _run(settings: Settings, targets: Sequence[Target], left: Mapping[str, Counters]) -> Sequence[Watch]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    publisher = Publisher(settings.names.topic("serving"), partial(scrape_producer, settings))
    async with watching(targets, publisher.publish, left=left) as watches:
        runner = await _served(settings, watches)
        scraping = [asyncio.create_task(watch.run()) for watch in watches]
        publishing = [asyncio.create_task(watch.publish()) for watch in watches]
        hearing = asyncio.create_task(publisher.run())
        await _first_of(stop, [*scraping, *publishing, hearing])
        await _ended(scraping)
        await _left(watches, publisher)
        await _ended([*publishing, hearing])
        publisher.close()
        await runner.cleanup()
    return watches


async def _first_of(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until told to stop; a task that ends before is a bug, and ends the process."""
    told = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if told not in done:
        told.cancel()
        done.pop().result()


async def _left(watches: Sequence[Watch], publisher: Publisher) -> None:
    """What is counted and not published has a few seconds more."""
    until = asyncio.get_running_loop().time() + LEAVE_WITHIN_S
    while any(watch.tally.waiting for watch in watches) or publisher.under_way:
        if asyncio.get_running_loop().time() > until:
            said = "Kafka did not take all in %g s; of %d events under way it is not known whether it has them"
            logging.getLogger(__name__).warning(said, LEAVE_WITHIN_S, sum(watch.under_way for watch in watches))
            return
        await asyncio.sleep(0.05)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _served(settings: Settings, watches: Sequence[Watch]) -> web.AppRunner:
    metrics = ScrapeMetrics()
    sampler = Sampler(metrics, [watch.tally for watch in watches])
    bound = listening_socket(settings.http_host, settings.http_port)
    runner = web.AppRunner(pages(metrics.registry, sampler=sampler), access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    print(f"scrape: {address(bound)}", flush=True)
    return runner


async def _look(targets: Sequence[Target]) -> list[tuple[Watch, int, dict[str, int]]]:
    async with watching(targets, _nowhere) as watches:
        return list(await asyncio.gather(*map(_seen, watches)))


async def _seen(watch: Watch) -> tuple[Watch, int, dict[str, int]]:
    found = await watch.scrape()
    requests: dict[str, int] = {}
    for series, meter in found.reading.meters.items() if found and found.reading else ():
        if series.quantity in ("requests", "successes", "failures"):
            requests[series.owner.model] = requests.get(series.owner.model, 0) + int(meter.total or 0)
    return watch, len(found.samples) if found else 0, requests


async def _nowhere(made: list[Record]) -> None:
    """Nothing is published."""
