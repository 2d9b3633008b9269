"""Exporters to scrape: pages from files, targets with the built-in maps, and a server that answers as badly as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from schemas.targets import Target, built_in
from schemas.targets_file import NameMap
from stream.scraping.batches import Record, records
from stream.scraping.counters import Counters, Scraped, scraped
from stream.scraping.fetch import Page
from stream.scraping.rows import rows_of
from stream.scraping.waiting import Part

FOLDER = Path(__file__).parents[1] / "unit" / "scraping" / "expositions"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page(name: str) -> bytes:
    """A page of ``tests/unit/scraping/expositions``."""
    return (FOLDER / f"{name}.txt").read_bytes()


def target(kind: str, **changes: Any) -> Target:
    """A target of a built-in kind."""
    made = Target(kind, "http://127.0.0.1:1/metrics", kind, NameMap.model_validate(built_in()[kind]))
    return replace(made, **changes)


def said(text: bytes | str, of: Target, *, at_ms: int = 0, content_type: str = TEXT) -> Scraped:
    """What the scraper understands of a page."""
    body = text if isinstance(text, bytes) else text.encode()
    return scraped(Page(body, content_type), of, at_ms=at_ms)


def seen(of: Target, *pages: bytes | str, from_ms: int = 0) -> Counters:
    """The counters after these pages, one every 15 s."""
    counters = Counters()
    for number, text in enumerate(pages):
        found = said(text, of).reading
        assert found is not None
        counters.see(found, at_ms=from_ms + number * 15_000)
    return counters


def parts(counters: Counters, *, most: int = 1_000_000) -> dict[tuple[str, str | None], list[Part]]:
    """Everything that waits, by model and version."""
    found: dict[tuple[str, str | None], list[Part]] = {}
    while taken := counters.next_parts(most):
        for owner, part in taken:
            found.setdefault((owner.model, owner.version), []).append(part)
    return found


def batches(counters: Counters, *, most: int = 1_000_000) -> list[dict[str, Any]]:
    """The records of everything that waits."""
    found: list[dict[str, Any]] = []
    while taken := counters.next_parts(most):
        for owner, part in taken:
            found += [msgspec.json.decode(record.value) for record in records(owner, rows_of(part))]
    return found


def cells(batch: dict[str, Any], name: str) -> list[Any]:
    """A column of a batch, spread where it is a scalar."""
    found = batch.get(name)
    return found if isinstance(found, list) else [found] * len(batch["timestamp"])


@asynccontextmanager
async def exporter(answer: Answer) -> AsyncIterator[str]:
    """A server whose every page is this answer; yields the address of its metrics."""
    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


def telling(body: bytes, **changes: Any) -> Answer:
    """An answer that is always the same."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, **{"headers": {"Content-Type": TEXT}, **changes})

    return answer


async def hanging(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(3600)
    raise AssertionError


async def dripping(request: web.Request) -> web.StreamResponse:
    """Sends a line of a page now and then, without end."""
    answer = web.StreamResponse(headers={"Content-Type": TEXT})
    await answer.prepare(request)
    while True:
        await answer.write(b"a 1\n")
        await asyncio.sleep(0.02)


async def endless(request: web.Request) -> web.StreamResponse:
    """Sends lines as fast as it can, without end."""
    answer = web.StreamResponse(headers={"Content-Type": TEXT})
    await answer.prepare(request)
    while True:
        await answer.write(b"a 1\n" * 65536)


async def breaking_off(request: web.Request) -> web.StreamResponse:
    """Promises more than it sends."""
    whole = page("vllm")
    answer = web.StreamResponse(headers={"Content-Type": TEXT, "Content-Length": str(len(whole))})
    await answer.prepare(request)
    await answer.write(whole[: whole.index(b"# TYPE vllm:e2e")])
    assert request.transport is not None
    request.transport.abort()
    return answer


async def nowhere(made: list[Record]) -> None:
    """A broker that takes everything."""
