"""Parts of the whole path alone, in this process: no Kafka, no Redis, the same events as ``driftline_20`` or in columnar records.

They say where the time of the whole path goes, not how fast a worker is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator

from schemas.config import Generation, InForce
from stream.ingest.buffer import Buffer
from stream.ingest.plan import StreamPlan, plans
from tests.bench.columnar import Columnar
from tests.bench.events import SPAN_MS, START_MS, Flow
from tests.bench.sampling import Figures, Sample, figures
from tests.support import ingest

#: Events of a run; one of columnar records holds one at least.
RUN = 2_000


class Parts:
    """The events of a flow in memory, as runs of one partition, and the plans that count them."""

    def __init__(self, flow: Flow | Columnar) -> None:
        self.records_a_run = max(1, RUN // flow.rows_a_record)
        self.plans = plans_of(flow)
        values = (value for _, _, value in flow.records())
        self.records = [ingest.Stored(value, offset, START_MS + SPAN_MS) for offset, value in enumerate(values)]

    def decode_only(self) -> Figures:
        """Bytes to rows of a buffer."""
        decoder, owner, rows = self.plans["predictions"].decoder, ingest.tenure(), 0
        started = _now(0)
        for run in self._runs():
            buffer = Buffer()
            decoder.decode_run(ingest.run(run, owner).records, owner, into=buffer)
            rows += len(buffer)
        return figures(started, _now(rows), events=rows)

    def count_only(self) -> Figures:
        """Bytes to counts in memory: all but transport, checkpoints and Redis."""
        counter, owner = ingest.counter(self.plans), ingest.tenure()

        async def count() -> None:
            for run in self._runs():
                await counter.add(ingest.run(run, owner), owner)
            await counter.drain()

        started = _now(0)
        asyncio.run(count())
        return figures(started, _now(counter.events), events=counter.events)

    def _runs(self) -> Iterator[list[ingest.Stored]]:
        run = self.records_a_run
        return (self.records[first : first + run] for first in range(0, len(self.records), run))


def _now(events: int) -> Sample:
    return Sample(time.monotonic(), time.process_time(), events)


def plans_of(flow: Flow | Columnar) -> dict[str, StreamPlan]:
    monitors, built = flow.monitors(), flow.references()
    digests = {model: hashlib.sha256(model.encode()).hexdigest() for model in built}
    models = {model: InForce(reference=digests[model], monitor=monitors.models[model]) for model in built}
    generation = Generation(number=1, applied_ms=0, file_sha256="0" * 64, models=models)
    return plans(generation, {digests[model]: reference for model, reference in built.items()})
