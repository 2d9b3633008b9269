"""Parts of the whole path alone, in this process: no Kafka, no Redis, the same events as ``driftline_20`` or in columnar records.

They say where the time of the whole path goes, not how fast a worker is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time

from schemas.config import Generation, InForce
from stream.ingest.buffer import Buffer
from stream.ingest.plan import StreamPlan, plans
from stream.records import Records, Run
from tests.bench.columnar import Columnar
from tests.bench.events import SPAN_MS, START_MS, Flow
from tests.bench.sampling import Figures, Sample, figures
from tests.support import ingest

#: Events of a run; one of columnar records holds one at least.
RUN = 2_000


class Parts:
    """The events of a flow in memory, as runs of one partition, and the plans that count them."""

    def __init__(self, flow: Flow | Columnar) -> None:
        self.plans = plans_of(flow)
        values = (value for _, _, value in flow.records())
        records = [ingest.Stored(value, offset, START_MS + SPAN_MS) for offset, value in enumerate(values)]
        run = max(1, RUN // flow.rows_a_record)
        self.runs = [Records.of(records[first : first + run]) for first in range(0, len(records), run)]

    def decode_only(self) -> Figures:
        """Bytes to rows of a buffer."""
        decoder, owner, rows = self.plans["predictions"].decoder, ingest.tenure(), 0
        started = _now(0)
        for run in self.runs:
            buffer = Buffer()
            decoder.decode_run(run, owner, into=buffer)
            rows += len(buffer)
        return figures(started, _now(rows), events=rows)

    def count_only(self) -> Figures:
        """Bytes to counts in memory: all but transport, checkpoints and Redis."""
        counter, owner = ingest.counter(self.plans), ingest.tenure()

        async def count() -> None:
            for run in self.runs:
                await counter.add(Run(owner.tp, owner.placement, run), owner)
            await counter.drain()

        started = _now(0)
        asyncio.run(count())
        return figures(started, _now(counter.events), events=counter.events)


def _now(events: int) -> Sample:
    return Sample(time.monotonic(), time.process_time(), events)


def plans_of(flow: Flow | Columnar) -> dict[str, StreamPlan]:
    monitors, built = flow.monitors(), flow.references()
    digests = {model: hashlib.sha256(model.encode()).hexdigest() for model in built}
    models = {model: InForce(reference=digests[model], monitor=monitors.models[model]) for model in built}
    generation = Generation(number=1, applied_ms=0, file_sha256="0" * 64, models=models)
    return plans(generation, {digests[model]: reference for model, reference in built.items()})
