"""Exports the series of the models that this worker evaluates, from what evaluation has stored of them in Redis.

``run_once`` reads some models' sums and reports into memory, oldest first; ``collect`` shows what is there, of the models whose
lease is held at that moment.  A model that moves is shown on by its new owner from the same sums: nothing doubles, nothing
begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic

import msgspec
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from schemas import reports
from schemas.config import Generation
from schemas.names import Names
from schemas.reference import Reference
from schemas.reports import Report
from stream.expose.baseline import baseline
from stream.expose.model_families import families
from stream.expose.model_series import Exported, series
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: How old what is shown of a model gets before it is read again; of many models, longer: each has its turn.
REREAD_S = 2.0
#: How often ``run_once`` is to be called, and how many models it then reads: a model takes 1.4 ms of the loop.
READ_EVERY_S = 0.25
MOST_AT_ONCE = 4

Held = Callable[[], Iterable[str]]


class ModelExporter(Collector):
    """``held`` names the models to show; it must stop naming one the moment its lease is lost."""

    def __init__(self, redis: Redis, names: Names, held: Held, *, patience: Patience) -> None:
        self._redis, self._names, self._held, self._patiently = redis, names, held, patience
        self._exported: dict[str, Exported] = {}
        self._shown: dict[str, Sequence[Metric]] = {}
        self._read_at: dict[str, float] = {}
        self._dropped: dict[str, int] = {}

    async def follow(self, generation: Generation, references: Mapping[str, Reference]) -> None:
        """Show models as this generation declares them (``references`` by hash)."""
        exported = await asyncio.to_thread(exported_models, generation, references)
        self._exported = exported
        self.expire()

    def expire(self) -> None:
        """Have everything read again, however fresh it is."""
        self._read_at = {}

    async def run_once(self) -> None:
        """Read the models whose turn it is."""
        held = [model for model in self._held() if model in self._exported]
        for model in self._shown.keys() - set(held):
            del self._shown[model]
            self._read_at.pop(model, None)
        now = monotonic()
        due = [model for model in held if now - self._read_at.get(model, -math.inf) >= REREAD_S]
        due.sort(key=lambda model: self._read_at.get(model, -math.inf))
        if chosen := due[:MOST_AT_ONCE]:
            await self._read(chosen, now=now)

    def describe(self) -> Iterable[Metric]:
        """The families, without reading anything."""
        return [*families().values(), _dropped(0)]

    def collect(self) -> Iterable[Metric]:
        """What is in memory of the models that are held."""
        merged = families()
        for model in self._held():
            for family in self._shown.get(model, ()):
                merged[family.name].samples += family.samples
        return [*(family for family in merged.values() if family.samples), _dropped(sum(self._dropped.values()))]

    async def _read(self, models: Sequence[str], *, now: float) -> None:
        chosen = [self._exported[model] for model in models]
        answers = await self._patiently(lambda: self._ask(chosen))
        for exported, (totals, report) in zip(chosen, answers, strict=True):
            model = exported.model
            if self._exported.get(model) is not exported:
                continue  # another generation came into force meanwhile
            self._shown[model] = series(exported, totals, report)
            self._read_at[model] = now
            self._dropped[model] = max(self._dropped.get(model, 0), exported.dropped)

    async def _ask(self, models: Sequence[Exported]) -> list[tuple[dict[str, int], Report | None]]:
        pipe = self._redis.pipeline(transaction=False)
        for exported in models:
            pipe.hgetall(self._names.totals(exported.model))
            pipe.hget(self._names.report(exported.model, exported.window), "document")
        answers = await pipe.execute()
        return [(_totals(found), report_of(text)) for found, text in zip(answers[::2], answers[1::2], strict=True)]


def exported_models(generation: Generation, references: Mapping[str, Reference]) -> dict[str, Exported]:
    """What is known of every model of a generation; some milliseconds each."""
    found = {}
    for model, force in generation.models.items():
        shortest = min(force.monitor.windows.values())
        found[model] = Exported(model, force.monitor, baseline(references[force.reference], shortest))
    return found


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


def _totals(found: Mapping[bytes, bytes]) -> dict[str, int]:
    return {field.decode(): int(value) for field, value in found.items()}


def _dropped(features: int) -> Metric:
    return CounterMetricFamily(
        "driftline_series_dropped", "Features that are not exported, for a model has too many.", value=features
    )
