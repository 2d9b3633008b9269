"""``driftline gpu-agent``: the GPUs of this machine, to ``/metrics`` and to the topic ``serving``."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from schemas.durations import milliseconds_of
from schemas.settings import Settings, load_settings
from stream.command.options import AsJson
from stream.command.printing import print_json, print_lines, print_table

if TYPE_CHECKING:  # NVML, the web server and Kafka's client, which no other command should wait for
    from stream.gpu.library import Nvml
    from stream.gpu.outbox import Outbox

#: NVML's own sampling period is between a sixth of a second and a second; more often it says the same.
SHORTEST_MS = 1000
GIB = 1 << 30
COLUMNS = ("gpu#", "uuid", "name", "state", "use#", "memory#", "°C#", "W#", "processes#", "not told")


def gpu_agent(
    *,
    every: Annotated[str, typer.Option(help="How often each GPU is looked at.")] = "10s",
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Whether samples go to the topic serving, too.")
    ] = True,
    once: Annotated[bool, typer.Option("--once", help="Look once, print the samples as JSON, and end.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Look once, print what NVML gives here, and end.")] = False,
    recording: Annotated[
        Path | None, typer.Option(help="Play this recording instead of asking NVML, where there is no GPU.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure this machine's GPUs through NVML, until told to stop (Ctrl-C or SIGTERM).

    Without a driver or a GPU it runs too, says so, and looks again every minute. DRIFTLINE_GPU_AGENT_HOST and
    DRIFTLINE_GPU_AGENT_PORT say where /metrics is: 127.0.0.1:8790 unless told otherwise. Samples go to the topic serving;
    while Kafka is away they wait, and the oldest of too many are left out. It needs no Redis. The exit code of --once and
    --check is 1 where there is no GPU, or one does not answer.
    """
    if as_json and not check:
        raise typer.BadParameter("goes with --check (--once prints JSON by itself)", param_hint="--json")
    every_s, settings = _period_s(every), load_settings()
    nvml = _nvml(recording)
    if once or check:
        raise typer.Exit(_look(nvml, as_samples=not check, as_json=as_json))
    _serve(nvml, settings, every_s=every_s, publish=publish)


def _period_s(every: str) -> float:
    try:
        found = milliseconds_of(every)
    except ValueError as error:
        raise typer.BadParameter(f"{every!r} {error}", param_hint="--every") from None
    if found < SHORTEST_MS:
        raise typer.BadParameter("NVML knows nothing new more often than every 1s", param_hint="--every")
    return found / 1000


def _nvml(recording: Path | None) -> Nvml:
    if recording is None:
        from stream.gpu.nvml import Library

        return Library()
    from stream.gpu.recorded import Recorded, read_recording

    found = read_recording(recording)
    typer.echo(f"gpu-agent: no GPU, a recording: {found.about}", err=True)
    return Recorded(found)


def _look(nvml: Nvml, *, as_samples: bool, as_json: bool) -> int:
    """Look once and print; the exit code."""
    from stream.gpu.agent import Agent
    from stream.gpu.found import findings_of, is_well, looked, samples_of

    agent = Agent(nvml, host=socket.gethostname(), deliver=lambda _: None)
    asyncio.run(looked(agent))
    if as_samples:
        print_json(samples_of(agent))
    elif as_json:
        print_json(findings_of(agent))
    else:
        _show(findings_of(agent))
    return 0 if is_well(agent) else 1


def _show(found: Mapping[str, Any]) -> None:
    print_lines([f"{found['state']}: {found['says']}"])
    if found["gpus"]:
        print_table(columns=COLUMNS, rows=[_row(gpu) for gpu in found["gpus"]])


def _row(gpu: Mapping[str, Any]) -> list[object]:
    metrics = gpu["metrics"]
    use = metrics.get("utilization_ratio")
    memory = [metrics.get(f"memory_{part}_bytes") for part in ("used", "total")]
    return [
        gpu["gpu"],
        gpu["uuid"],
        gpu["name"],
        gpu["state"] + (", MIG" if gpu["mig"] else ""),
        None if use is None else f"{use:.0%}",
        None if None in memory else " of ".join(f"{part / GIB:.1f}" for part in memory) + " GiB",
        metrics.get("temperature_celsius"),
        metrics.get("power_watts"),
        metrics.get("processes"),
        ", ".join(_not_told(gpu)) or None,
    ]


def _not_told(gpu: Mapping[str, Any]) -> Iterator[str]:
    for question, cause in gpu["not_told"].items():
        yield f"{question} ({cause})"
    for reason, count in gpu["not_believed"].items():
        yield f"{count} not believed ({reason})"


def _serve(nvml: Nvml, settings: Settings, *, every_s: float, publish: bool) -> None:
    from stream.gpu.agent import Agent
    from stream.gpu.service import serve

    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(message)s")
    outbox = _outbox(settings) if publish else None
    agent = Agent(nvml, host=socket.gethostname(), deliver=(lambda _: None) if outbox is None else outbox.offer)
    asyncio.run(serve(agent, outbox, settings, every_s=every_s))
    _leave()


def _leave() -> NoReturn:
    """End at once: neither a thread that is stuck in the driver nor Kafka's client, which tidies up, is waited for."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _outbox(settings: Settings) -> Outbox:
    from confluent_kafka import Producer

    from stream.command.connect import command_options
    from stream.gpu.outbox import Outbox, options

    return Outbox(Producer(command_options(settings, **options())), settings.names.topic("serving"))
