"""Exports the series of the models that this worker evaluates, from what evaluation has stored of them in Redis.

``run_once`` reads some models' sums and reports into memory, oldest first; ``collect`` shows what is there, of the models whose
lease is held at that moment.  A model that moves is shown on by its new owner from the same sums: nothing doubles, nothing
begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from heapq import nsmallest
from time import monotonic
from typing import Any, Protocol

import msgspec
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from schemas import reports
from schemas.monitored import ModelMonitor
from schemas.names import Names
from schemas.reference import Reference
from schemas.reports import Report
from schemas.service_levels import Service
from stream.expose.baseline import baseline
from stream.expose.model_families import families
from stream.expose.model_series import MOST_VERSIONS, Exported, outdated, series
from stream.expose.services import ask_services, services_of, streams_of
from stream.state.patience import Patience
from stream.state.updated import updated_of

log = logging.getLogger(__name__)

#: How old what is shown of a model gets before it is read again; of many models, longer: each has its turn.
REREAD_S = 5.0
#: How often ``run_once`` is to be called, and how many models it then reads: a model takes 1.4 ms of the loop.
READ_EVERY_S = 0.25
MOST_AT_ONCE = 4


class Declared(Protocol):
    """A model as its configuration has it; what evaluation watches is one."""

    @property
    def model(self) -> str: ...
    @property
    def monitor(self) -> ModelMonitor: ...
    @property
    def reference(self) -> Reference: ...


#: What is known of a model: its sums, when its features were updated, its newest report, service levels by stream, and where
#: its release stands.
Told = tuple[dict[str, int], dict[str, int], Report | None, Mapping[str, Service], tuple[str, float] | None]
Held = Callable[[], Iterable[Declared]]


class ModelExporter(Collector):
    """``held`` lists the models to show; it must leave one out the moment its lease is lost."""

    def __init__(self, redis: Redis, names: Names, held: Held, *, patience: Patience) -> None:
        self._redis, self._names, self._held, self._patiently = redis, names, held, patience
        self._looked_at = -math.inf
        self._exported: dict[str, Exported] = {}
        self._references: dict[str, Reference] = {}
        self._shown: dict[str, Sequence[Metric]] = {}
        self._read_at: dict[str, float] = {}
        self._dropped: dict[str, int] = {}

    def expire(self) -> None:
        """Have everything looked at and read again, however fresh it is."""
        self._looked_at, self._read_at = -math.inf, {}

    async def run_once(self) -> None:
        """Read the models whose turn it is: new ones, then those that were read longest ago."""
        now = monotonic()
        if now - self._looked_at >= REREAD_S:
            self._looked_at = now
            await self._look()
        due = [model for model in self._exported if now - self._read_at.get(model, -math.inf) >= REREAD_S]
        chosen = nsmallest(MOST_AT_ONCE, due, key=lambda model: self._read_at.get(model, -math.inf))
        if chosen:
            await self._read([self._exported[model] for model in chosen], now=now)

    async def _look(self) -> None:
        """Agree with what is held; what is known of any other model is forgotten."""
        held = {declared.model: declared for declared in self._held()}
        changed = [one for one in held.values() if self._is_new(one)]
        made = [await asyncio.to_thread(_exported, declared) for declared in changed]
        for known in (self._exported, self._references, self._shown, self._read_at):
            for model in known.keys() - held.keys():
                del known[model]
        for declared, exported in zip(changed, made, strict=True):
            self._exported[declared.model], self._references[declared.model] = exported, declared.reference

    def _is_new(self, declared: Declared) -> bool:
        exported = self._exported.get(declared.model)
        if exported is None or exported.monitor is not declared.monitor:
            return True
        return self._references[declared.model] is not declared.reference

    def describe(self) -> Iterable[Metric]:
        """The families, without reading anything."""
        return [*families().values(), _dropped(0)]

    def collect(self) -> Iterable[Metric]:
        """What is in memory of the models that are held."""
        merged = families()
        for declared in self._held():
            for family in self._shown.get(declared.model, ()):
                merged[family.name].samples += family.samples
        return [*(family for family in merged.values() if family.samples), _dropped(sum(self._dropped.values()))]

    async def _read(self, models: Sequence[Exported], *, now: float) -> None:
        answers = await self._patiently(lambda: self._ask(models))
        for exported, (totals, updated, report, found, release) in zip(models, answers, strict=True):
            model = exported.model
            self._shown[model] = series(exported, totals, report, updated=updated, services=found, release=release)
            self._read_at[model] = now
            self._dropped[model] = max(self._dropped.get(model, 0), exported.dropped)
            if len(gone := outdated(totals)) > MOST_VERSIONS:  # else they would fill the sums for ever
                await self._patiently(partial(self._forget, model, gone))
            await asyncio.sleep(0)  # a wide model takes milliseconds: others have their turn after each

    async def _forget(self, model: str, fields: Sequence[str]) -> None:
        await self._redis.hdel(self._names.totals(model), *fields)

    async def _ask(self, models: Sequence[Exported]) -> list[Told]:
        pipe = self._redis.pipeline(transaction=False)
        for exported in models:
            pipe.hgetall(self._names.totals(exported.model))
            pipe.zrange(self._names.updated(exported.model), 0, -1, withscores=True)
            pipe.hget(self._names.report(exported.model, exported.window), "document")
            ask_services(pipe, self._names, exported.model, monitor=exported.monitor)
            if exported.monitor.release is not None:
                pipe.hmget(self._names.release(exported.model), "challenger", "share")
        answers = iter(await pipe.execute())
        return [_told(exported, answers) for exported in models]


def _exported(declared: Declared) -> Exported:
    shortest = min(declared.monitor.windows.values())
    return Exported(declared.model, declared.monitor, baseline(declared.reference, shortest))


def report_of(stored: bytes | None) -> Report | None:
    """The stored report of predictions; None where there is none that this release can read."""
    if stored is None:
        return None
    try:
        report = reports.decode(stored)
    except msgspec.DecodeError as error:
        log.warning("a stored report cannot be read, its gauges are left out: %s", error)
        return None
    return report if report.stream == "predictions" else None


def _told(exported: Exported, answers: Iterator[Any]) -> Told:
    """A model's share of the answers."""
    totals, updated, report = _totals(next(answers)), updated_of(next(answers)), report_of(next(answers))
    services = services_of(exported.monitor, [next(answers) for _ in streams_of(exported.monitor)])
    released = _release(*next(answers)) if exported.monitor.release is not None else None
    return totals, updated, report, services, released


def _release(challenger: bytes | None, share: bytes | None) -> tuple[str, float] | None:
    """None before its first decision, and where no share is stored that could be one."""
    with suppress(TypeError, ValueError):
        if challenger is not None and 0 <= (found := float(share or b"")) <= 1:
            return challenger.decode(errors="replace"), found
    return None


def _totals(found: Mapping[bytes, bytes]) -> dict[str, int]:
    return {field.decode(): int(value) for field, value in found.items()}


def _dropped(features: int) -> Metric:
    return CounterMetricFamily(
        "driftline_series_dropped", "Features that are not exported, for a model has too many.", value=features
    )
