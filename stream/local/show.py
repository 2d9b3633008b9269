"""The demo at the terminal: steps and progress while it runs, the counts and the monthly PSI at its end."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import asdict

from rich.console import Console

from stream.local.child import Child
from stream.local.demo import Summary, replayed_year
from stream.local.monthly import psi_table


def run_demo(*, stay: bool, as_json: bool) -> None:
    """Replay the year and print what was found; with ``stay``, keep everything running until Ctrl-C.

    ``as_json`` prints one object on standard output; steps and progress then go to standard error.

    :raises DriftlineError: as `stream.local.demo.replayed_year`.
    """
    signal.signal(signal.SIGTERM, _end)  # so that children and files are cleaned up as on Ctrl-C
    console = Console(stderr=as_json)
    with replayed_year(console) as (summary, worker):
        (print_json if as_json else print_tables)(summary)
        if stay:
            console.print(f"worker: {summary.worker}\nCtrl-C ends it")
            _stay(worker)


def print_json(summary: Summary) -> None:
    """One JSON object; columns without a PSI are null."""
    print(json.dumps(asdict(summary), indent=1))


def print_tables(summary: Summary) -> None:
    """What ``driftline counts`` says of the year in a line, then the table of months."""
    console = Console()
    console.print(
        f"driftline counts: {summary.predictions} predictions, {summary.labels} labels, {summary.late} late; "
        f"{summary.seconds:g} s, {summary.events_per_s:g} events/s"
    )
    console.print(psi_table(summary.psi))


def _stay(worker: Child) -> None:
    """Until Ctrl-C. :raises ChildDied: the worker ended before that."""
    while True:
        worker.check()
        time.sleep(1)


def _end(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)
