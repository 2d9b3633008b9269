"""``driftline scrape``: the long-running process that reads serving exporters, or a look at each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.settings import load_settings
from schemas.targets import load_targets
from stream.command.options import AsJson
from stream.command.printing import print_json, print_table

FAILED = 1


def scrape(
    targets: Annotated[Path, typer.Argument(help="What to read: a targets file (docs/scraping.md).")],
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Ask each target once, print what it says, publish nothing.")
    ] = False,
    state: Annotated[
        Path | None, typer.Option(help="Where to leave what was seen, for the next process to go on from.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read vLLM, Triton, TorchServe and DCGM exporters and publish to `serving`, until told to stop (Ctrl-C or SIGTERM).

    What their counters grow by between two scrapes becomes as many events; the first scrape is where counting begins, or the last
    one of a process that left its `--state`. Run one for a target: two would count its requests twice. With `--once` nothing is
    published, and the exit code is 1 where a target fails.
    """
    from stream.scraping.run import look, run  # the web client, which no other command should wait for

    found = load_targets(targets)
    settings = load_settings()
    if not once:
        run(settings, found, state=state)
        return
    seen = [_row(watch, gpus, requests) for watch, gpus, requests in look(found)]
    if as_json:
        print_json({"targets": seen})
    else:
        _print(seen)
    raise typer.Exit(FAILED if any(row["state"] == "failing" for row in seen) else 0)


def _row(watch: Any, gpus: int, requests: dict[str, int]) -> dict[str, Any]:
    tally, target = watch.tally, watch.target
    state = "up" if tally.up else "failing"
    why = f"{tally.reason}: {tally.detail}" if tally.reason else ""
    return {
        "target": target.name,
        "kind": target.kind,
        "state": state,
        "why": why,
        "series": tally.series,
        "requests": requests,
        "gpus": gpus,
        "means": tally.means,
    }


def _print(seen: list[dict[str, Any]]) -> None:
    columns = ("target", "kind", "state", "series#", "counts so far")
    print_table(columns=columns, rows=[[row[name] for name in columns[:3]] + _said(row) for row in seen])


def _said(row: dict[str, Any]) -> list[object]:
    counted = [f"{model} {count}" for model, count in sorted(row["requests"].items())]
    gpus = [f"{row['gpus']} GPUs"] if row["gpus"] else []
    means = ["latencies as means"] if row["means"] else []
    return [row["series"], row["why"] or ", ".join(counted + gpus + means) or "none of its kind's series"]
