"""The demo at the terminal: steps and progress while it runs, counts, monthly PSI and incidents at its end."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from rich.console import Console

from stream.local.demo import Children, Summary, replayed_year
from stream.local.ending import ends_in_order
from stream.local.monthly import psi_table
from stream.local.told import incident_table
from stream.local.two_views import views_table


def run_demo(*, stay: bool, as_json: bool) -> None:
    """Replay the year and print what was found; with ``stay``, keep everything running until Ctrl-C.

    ``as_json`` prints one object on standard output; steps and progress then go to standard error.

    :raises DriftlineError: as `stream.local.demo.replayed_year`.
    """
    ends_in_order()
    console = Console(stderr=as_json)
    with replayed_year(console) as (summary, children):
        (print_json if as_json else print_tables)(summary)
        if stay:
            console.print(f"worker: {summary.worker}\nconsole: {summary.console}\nCtrl-C ends it")
            _stay(children)


def print_json(summary: Summary) -> None:
    """One JSON object; columns without a PSI are null."""
    print(json.dumps(asdict(summary), indent=1))


def print_tables(summary: Summary) -> None:
    """What ``driftline counts`` says of the year in a line, then the table of months."""
    console = Console()
    console.print(
        f"driftline counts: {summary.predictions} predictions, {summary.labels} labels, {summary.requests} requests, "
        f"{summary.late} late; "
        f"{summary.seconds:g} s, {summary.events_per_s:g} events/s"
    )
    console.print(psi_table(summary.psi))
    console.print()
    console.print(views_table(summary.views))
    console.print()
    console.print(incident_table(summary.incidents, summary.told))
    console.print(
        f"PagerDuty was rung {sum(summary.told.pages.values())} times, {summary.told.pages_open} still open; "
        f"Slack has {sum(summary.told.roots.values())} messages, edited {summary.told.edits} times in place"
    )


def _stay(children: Children) -> None:
    """Until Ctrl-C. :raises ChildDied: the worker or the console ended before that."""
    while True:
        children.check()
        time.sleep(1)
