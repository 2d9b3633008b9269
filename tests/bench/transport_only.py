"""Our transport under an agent that only counts: one Faust event a run of records, Faust set up as in the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import faust
from faust.types import TP

from schemas.settings import Settings
from stream import transport
from stream.compiled import batches
from tests.bench.tally import Tally


def main(settings: Settings) -> None:
    """Count until told to stop."""
    batches.example()  # compiled, or loaded, before anything is measured
    transport.install(
        _from_the_start, _ignore, short_run_pause_s=settings.short_run_pause_s, max_run_records=settings.max_run_records
    )
    tally = Tally()
    app = faust.App(
        f"{settings.names.group}-transport",
        broker=transport.broker_url(settings.kafka),
        broker_max_poll_records=settings.max_run_records,
        stream_buffer_maxsize=64,
        stream_wait_empty=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
    )
    tally.told_by(app)

    @app.agent(app.topic(settings.names.topic("predictions"), schema=transport.RunSchema()))
    async def count(runs: Any) -> None:
        async for run in runs:
            tally.events += len(run.records)

    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


async def _from_the_start(consumer: transport.RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
    return dict.fromkeys(tps, 0)


def _ignore(error: BaseException) -> None:
    """A group error shows as a count that stops."""


if __name__ == "__main__":
    main(Settings())
