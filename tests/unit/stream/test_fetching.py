"""What a fetch returns first: our own topics, whatever waits of the events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.fetching import FetchThread

FINDINGS, EVENTS = TP("findings", 0), TP("predictions", 3)


class Asked:
    """Stands for the driver: remembers what it was asked for, and answers with what each partition holds."""

    def __init__(self, held: dict[TP, list[int]]) -> None:
        self.held = held
        self.calls: list[tuple[frozenset[TP], float | None]] = []

    async def __call__(self, thread: Any, consumer: Any, tps: set[TP], timeout: Any = None, limit: Any = None) -> Any:
        self.calls.append((frozenset(tps), timeout))
        return {tp: self.held[tp] for tp in tps if self.held.get(tp)}


def fetch(monkeypatch: pytest.MonkeyPatch, asked: Asked, active: set[TP]) -> Any:
    async def fetched(
        thread: Any, consumer: Any, active_partitions: Any, timeout: Any = None, max_records: Any = None
    ) -> Any:
        return await asked(thread, consumer, active_partitions, timeout, max_records)

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetched)
    monkeypatch.setattr(FetchThread, "urgent", frozenset({"findings"}))
    thread = FetchThread.__new__(FetchThread)
    return asyncio.run(thread._fetch_records(None, active, timeout=1.0, max_records=10))


def test_urgent_records_come_first_and_nobody_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked({EVENTS: [1, 2], FINDINGS: [9]})

    assert list(fetch(monkeypatch, asked, {EVENTS, FINDINGS}).items()) == [(FINDINGS, [9]), (EVENTS, [1, 2])]
    assert asked.calls == [(frozenset({FINDINGS}), 0), (frozenset({EVENTS}), 0)]


def test_without_urgent_records_the_fetch_waits_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked({EVENTS: [1, 2]})

    assert fetch(monkeypatch, asked, {EVENTS, FINDINGS}) == {EVENTS: [1, 2]}
    assert asked.calls[-1] == (frozenset({EVENTS, FINDINGS}), 1.0)


def test_a_fetch_of_nothing_else_never_asks_for_no_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked({FINDINGS: [9]})

    assert fetch(monkeypatch, asked, {FINDINGS}) == {FINDINGS: [9]}
    assert asked.calls == [(frozenset({FINDINGS}), 0)]
