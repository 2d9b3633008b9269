"""Faust's tutorial doing driftline's work: an agent, one event at a time, JSON to histograms, stored in Redis each half second.

It is neither exact nor safe: nothing ties what is stored to the offsets that are committed.  Its counts are checked like all.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import faust
from redis.asyncio import Redis

from schemas.settings import Settings
from tests.bench.peers.histograms import add, new, pane_of
from tests.bench.stock_faust import stock_app
from tests.bench.tally import Tally

EDGES_FILE = "BENCH_EDGES"
STORED_EVERY_S = 0.5
#: The Redis hash of an environment: ``model|start of the pane`` to a state of ``peers/histograms.py``.
KEY = "bench:states"


def main(settings: Settings) -> None:
    """Count and store until told to stop."""
    edges = json.loads(Path(os.environ[EDGES_FILE]).read_text())
    tally, states, changed = Tally(), dict[str, dict[str, Any]](), set[str]()
    app = stock_app(settings, tally)
    redis, counted = Redis.from_url(settings.redis), [0]

    @app.agent(app.topic(settings.names.topic("predictions"), value_serializer="json"))
    async def count(stream: Any) -> None:
        async for event in stream:
            at = f"{event['model']}|{pane_of(event)}"
            state = states.get(at)
            if state is None:
                state = states[at] = new(edges)
            add(state, event, edges)
            changed.add(at)
            counted[0] += 1

    @app.timer(STORED_EVERY_S)  # type: ignore[untyped-decorator]
    async def store() -> None:
        if changed:
            done, pipe = counted[0], redis.pipeline(transaction=False)
            pipe.hset(settings.names.key(KEY), mapping={at: json.dumps(states[at]) for at in changed})
            changed.clear()
            await pipe.execute()
            tally.events = done

    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(Settings())
