"""Quix Streams with windowed histograms: a tumbling window of an hour by model, reduced event by event, in its RocksDB.

Run by the Python of Quix' own environment.  Its state directory, changelog topic and checkpoints are those of its defaults.
"""

from __future__ import annotations

import json
import os
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from histograms import PANE_MS, add, new  # type: ignore[import-not-found]  # beside this file, which is run

TOLD_EVERY_S = 0.02


def main() -> None:
    """Count until told to stop; then what was counted goes to a file."""
    edges = json.loads(Path(os.environ["BENCH_EDGES"]).read_text())
    latest: dict[str, Any] = {}
    events = [0]

    def keep(value: Any, key: Any, *_: Any) -> None:
        latest[f"{key.decode()}|{value['start']}"] = value["value"]
        events[0] += 1

    app = _application()
    topic = app.topic(os.environ["BENCH_TOPIC"], timestamp_extractor=lambda value, *_: value["timestamp"])
    window = app.dataframe(topic).tumbling_window(PANE_MS)
    reduced = window.reduce(
        reducer=lambda state, event: add(state, event, edges), initializer=lambda event: add(new(edges), event, edges)
    )
    reduced.current().update(keep, metadata=True)
    threading.Thread(target=_tell, args=(events,), daemon=True).start()
    app.run()
    Path(os.environ["BENCH_RESULT"]).write_text(json.dumps(latest))


def _application() -> Any:
    quix = import_module("quixstreams")
    return quix.Application(
        broker_address=os.environ["DRIFTLINE_KAFKA"],
        consumer_group=os.environ["BENCH_TOPIC"],
        auto_offset_reset="earliest",
        state_dir=os.environ["BENCH_STATE"],
        loglevel="WARNING",
    )


def _tell(events: list[int]) -> None:
    file = os.open(os.environ["BENCH_COUNT"], os.O_RDWR)
    while True:
        os.pwrite(file, events[0].to_bytes(8, "little"), 0)
        time.sleep(TOLD_EVERY_S)


if __name__ == "__main__":
    main()
