"""``driftline status``: what is in force, which budgets are spent too fast, and how far every partition is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from schemas.config import Generation
from schemas.names import TOPICS_IN, Names
from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.command.lag import over_quota
from stream.command.options import AsJson
from stream.command.printing import empty_partitions, entries, moment, print_json, print_lines, print_table
from stream.evaluate.verdicts.burn import promises_of
from stream.expose.services import read_services
from stream.incidents.awaited import spoken, unheard
from stream.state.clock import read_clock
from stream.state.generations import read
from stream.state.progress import PartitionProgress, read_progress


def status(*, as_json: AsJson = False) -> None:
    """Show the generation in force, its models, budgets that are spent too fast, and for each partition what is stored and
    what was refused.

    Reads Redis only, so it works while Kafka or all workers are down. `driftline lag` compares with the ends of the logs.
    """
    found = ask_redis(load_settings(), _read)
    if as_json:
        print_json(found)
    else:
        show(found)


async def _read(redis: Redis, names: Names) -> dict[str, Any]:
    generation, marks = await read(redis, names), await redis.hkeys(names.incidents("marks"))
    clock = await read_clock(redis, names)
    awaited = [*map(list, unheard(generation, marks))] if clock == "event" else []
    burning = await _burning(redis, names, generation)
    return summary(generation, await read_progress(redis, names)) | {
        "clock": clock, "awaited": awaited, "burning": burning,
    }  # fmt: skip


async def _burning(redis: Redis, names: Names, generation: Generation | None) -> list[dict[str, Any]]:
    """Every promise of which a pair of windows fires, those with the least left of their budget first."""
    models = generation.models if generation is not None else {}
    promising = {name: force.monitor for name, force in models.items() if promises_of(force.monitor.serving)}
    services = await read_services(redis, names, promising)
    found = [
        {
            "model": model,
            "slo": slo,
            "left": level.left,
            "burn": {window: level.burn[window] for window in level.firing},
        }
        for model, monitor in promising.items()
        if (service := services[model].get(monitor.serving.stream)) is not None
        for slo, level in service.levels.items()
        if level.firing and slo in promises_of(monitor.serving)
    ]
    return sorted(found, key=lambda one: (one["left"], one["model"], one["slo"]))


def summary(generation: Generation | None, progress: Iterable[PartitionProgress]) -> dict[str, Any]:
    """Everything as JSON values; ``generation`` is null before the first apply."""
    streams: dict[str, Any] = {stream: {"partitions": [], "rejected": Counter()} for stream in TOPICS_IN}
    for one in progress:
        streams[one.stream]["partitions"].append(_partition(one))
        streams[one.stream]["rejected"].update(one.rejected)
    return {"generation": _generation(generation), "streams": streams}


def _generation(generation: Generation | None) -> dict[str, Any] | None:
    if generation is None:
        return None
    models = {
        name: {"reference": force.reference, "from_ms": force.from_ms, "features": len(force.monitor.features)}
        for name, force in generation.models.items()
    }
    return {
        "number": generation.number,
        "applied_ms": generation.applied_ms,
        "file_sha256": generation.file_sha256,
        "models": models,
    }


def _partition(one: PartitionProgress) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "stored": one.next_offset,
        "clock_ms": one.clock_ms,
        "closed_ms": one.closed_ms,
        "updated_ms": one.updated_ms,
        "owner": one.owner,
        "rejected": dict(one.rejected),
        "lost": one.lost,
        "happened": one.happened,
        "warming": one.warming,
        "to_read_again": one.to_read_again,
        "behind": list(one.behind),
    }


def show(found: Mapping[str, Any]) -> None:
    """The status for people."""
    print_lines([_in_force(found["generation"])])
    if found["clock"] == "event":
        print_lines([_replay(found["awaited"])])
    print_lines(map(_spends, found["burning"]))
    partitions = [(stream, at) for stream, part in found["streams"].items() for at in part["partitions"]]
    if not partitions:
        print_lines(["no partition was ever read: is a `driftline worker` running?"])
        return
    rows = [
        (stream, at["partition"], at["stored"], moment(at["clock_ms"]), at["owner"], _remarks(at))
        for stream, at in partitions
        if at["stored"]
    ]
    if rows:
        print_table(columns=("stream", "partition#", "stored#", "event time", "owner", "remarks"), rows=rows)
    print_lines(empty_partitions(stream for stream, at in partitions if not at["stored"]))
    for stream, part in found["streams"].items():
        if part["rejected"]:
            print_lines([f"{stream}: refused {entries(part['rejected'])}"])


def _in_force(generation: Mapping[str, Any] | None) -> str:
    if generation is None:
        return "nothing is in force: run `driftline apply FILE`"
    models = ", ".join(generation["models"]) or "none"
    return f"generation {generation['number']}, applied {moment(generation['applied_ms'])}; models: {models}"


def _spends(one: Mapping[str, Any]) -> str:
    rates = ", ".join(f"{rate:.1f} times as fast over {window}" for window, rate in one["burn"].items())
    return f"{one['model']} spends its budget of {one['slo']} too fast: {rates}; {one['left']:.0%} is left"


def _replay(awaited: Iterable[Sequence[str]]) -> str:
    waits = spoken([(model, stream) for model, stream in awaited])
    return "a replay: decided by event time" + (f", which waits for {waits}" if waits else "")


def _remarks(at: Mapping[str, Any]) -> str:
    again = f": {at['to_read_again']} records to read again" if at["to_read_again"] else ""
    warming = f"warming{again}" if at["warming"] else ""
    parts = [
        over_quota(at["behind"]),
        at["happened"] or "",
        warming,
        f"{at['lost']} records lost" if at["lost"] else "",
    ]
    closed = f"closed up to {moment(at['closed_ms'])}" if at["closed_ms"] is not None else ""
    return ", ".join(part for part in (*parts, closed) if part)
