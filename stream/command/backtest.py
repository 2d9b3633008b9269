"""``driftline backtest``: what a monitors file would have told of a stretch of history, beside what the present one would."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.asyncio import Redis

from schemas.errors import ConfigError, DriftlineError, Problem
from schemas.incidents import IncidentView
from schemas.monitored import Monitors
from schemas.names import TOPICS_IN, Names, Stream
from schemas.reference import Reference
from schemas.settings import load_settings
from stream.command.apply import checked_file
from stream.command.connect import ask_redis
from stream.command.options import AsJson, moment_ms, stream_named
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.command.working import Told, building

DAY_MS = 86_400_000
FAILED = 1


@dataclass(frozen=True, slots=True)
class Side:
    """A configuration, and the incidents that there would have been under it."""

    name: str
    monitors: Monitors
    references: Mapping[str, Reference]


def backtest(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC=]FILE...", help="Files of events (predictions unless said); else what Kafka holds."
        ),
    ] = None,
    *,
    monitors: Annotated[Path, typer.Option(metavar="FILE", help="The monitors file to try.")],
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to hold it against; of topics, what is in force unless told."),
    ] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Of Kafka: only this topic; may be repeated.")] = None,
    first: Annotated[
        int | None, typer.Option("--from", parser=moment_ms, metavar="TIME", help="From here on.", show_default=False)
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", parser=moment_ms, metavar="TIME", help="Up to here.", show_default=False)
    ] = None,
    at_most: Annotated[
        float | None, typer.Option(metavar="PAGES", min=0, help="Exit with 1 if it would page more often a day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a monitors file would have told of a stretch of history: incidents, and how many pages a day.

    History is judged anew from its events, by a worker of its own beside an embedded Kafka and Redis: nothing is changed and
    nobody is told. A TIME is Kafka's of the records, of files the events' own. Takes about as long as counting the events does,
    twice.
    """
    try:
        from stream.command.history import History, of_files, of_topics  # the embedded stack, which only this needs
        from stream.command.shadow import Bound
        from stream.local.ending import ends_in_order
    except ModuleNotFoundError as missing:
        raise DriftlineError(
            f"a back-test needs the package {missing.name}: install driftline with its extra `demo`"
        ) from None
    if first is not None and last is not None and last <= first:
        raise typer.BadParameter(f"--to {moment(last)} is not after --from {moment(first)}")
    if files and topic:
        raise typer.BadParameter("--topic is of Kafka: of a file say TOPIC=FILE")
    sides = [_of_file(monitors), *([_of_file(against)] if against is not None else [])]
    settings = load_settings()
    ends_in_order()
    if not files and against is None:
        sides += ask_redis(settings, _in_force)
    with building() as told:
        history: History
        if files:
            history = of_files(map(_file, files), first_ms=first, last_ms=last, told=told)
        else:
            streams = tuple(dict.fromkeys(stream_named(name, settings.names) for name in topic or TOPICS_IN))
            history = of_topics(settings, streams, first=Bound(at_ms=first), last=Bound(at_ms=last), told=told)
        with closing(history):
            found = _found(sides, history, told)
    if as_json:
        print_json(found)
    else:
        _show(found)
    rate = found["new"]["pages_per_day"]
    if at_most is not None and rate > at_most:
        typer.echo(f"it would page {rate:g} times a day, allowed: {at_most:g}", err=True)
        raise typer.Exit(FAILED)


def _file(text: str) -> tuple[Stream, Path]:
    stream, sign, path = text.partition("=")
    for known in TOPICS_IN:
        if sign and stream == known:
            return known, Path(path)
    return "predictions", Path(text)


def _of_file(file: Path) -> Side:
    checked = checked_file(file)
    return Side(str(file), checked.monitors, checked.references)


async def _in_force(redis: Redis, names: Names) -> list[Side]:
    from stream.state.generations import read, read_references

    generation = await read(redis, names)
    if generation is None:
        return []
    references = await read_references(redis, names, generation)
    monitors = Monitors(
        file=Path("in force"), sha256=generation.file_sha256,
        models={name: force.monitor for name, force in generation.models.items()},
        sources=generation.sources, route=generation.route, receivers=generation.receivers, gpus=generation.gpus,
    )  # fmt: skip
    by_model = {name: references[force.reference] for name, force in generation.models.items()}
    return [Side(f"generation {generation.number}", monitors, by_model)]


def _found(sides: Sequence[Side], history: Any, told: Told) -> dict[str, Any]:
    from stream.local.rerun import judged_by, only

    if history.first_ms is None or history.last_ms is None:
        raise ConfigError([Problem("history", 0, "", "no event with a time is in it; see --from and --to")])
    there = history.models.get("predictions", set())
    judged: list[dict[str, Any]] = []
    left_out: set[str] = set()
    for side in sides:
        kept = side.monitors.models.keys() & there
        if not kept and judged:  # the present one need not know what the candidate is about
            judged.append(_side(side.name, [], span_ms=1))
            continue
        if not kept:
            known = ", ".join(sorted(there)[:10]) or "none"
            raise ConfigError(
                [Problem(side.name, 0, "models", f"no prediction of them is in it; it has models {known}")]
            )
        left_out |= side.monitors.models.keys() - there
        chosen = only(side.monitors, kept, serving=history.models.get("serving", set()))
        until_ms = _until(chosen, history.last_ms)
        heard = _heard(told, side.name, history.records)
        references = {name: side.references[name] for name in kept}
        incidents = judged_by(chosen, references, history.came(), until_ms=until_ms, told=heard)
        judged.append(_side(side.name, incidents, span_ms=until_ms - history.first_ms))
    return {
        "from_ms": history.first_ms, "to_ms": history.last_ms, "records": history.records,
        "without_events": sorted(left_out), "new": judged[0], "now": judged[1] if len(judged) > 1 else None,
    }  # fmt: skip


def _heard(told: Told, side: str, records: int) -> Callable[[str, int], None]:
    """Hears what is done for one side, and how far it is."""
    return lambda what, number: told(f"{side}: {what}", number, records if what == "records" else None)


def _until(monitors: Monitors, last_ms: int) -> int:
    """The end of the longest pane that holds the last event; not ahead of the clock, which would be refused."""
    pane_ms = max(model.pane_ms for model in monitors.models.values())
    return min((last_ms // pane_ms + 1) * pane_ms, int(time.time() * 1000))


def _side(name: str, incidents: Sequence[IncidentView], *, span_ms: int) -> dict[str, Any]:
    rings: Counter[tuple[str, str]] = Counter()
    for one in incidents:
        for delivery in one.deliveries:
            rings[delivery.receiver, delivery.kind] += _openings(delivery.dedup_key)
    days = max(span_ms, 1) / DAY_MS
    pages = sum(count for (_, kind), count in rings.items() if kind == "pagerduty")
    return {
        "monitors": name,
        "incidents": len(incidents),
        "by_severity": dict(sorted(Counter(one.worst for one in incidents).items())),
        "untold": sum(one.state == "pending" for one in incidents),
        "findings": sum(len(one.members) + one.more_members for one in incidents),
        "pages": pages,
        "pages_per_day": round(pages / days, 4),
        "told": [{"receiver": who, "kind": kind, "times": rings[who, kind]} for who, kind in sorted(rings)],
        "list": [
            {
                "id": one.id, "severity": one.worst, "title": one.title, "since_ms": one.since_hi, "ended_ms": one.ended,
                "untold": one.state == "pending", "pages": _pages(one),
            }
            for one in incidents
        ],
    }  # fmt: skip


def _pages(one: IncidentView) -> int:
    return sum(_openings(each.dedup_key) for each in one.deliveries if each.kind == "pagerduty")


def _openings(dedup_key: str | None) -> int:
    """How often an address was rung: the number of the last generation.

    >>> _openings("inc-5f2a:2"), _openings(None)
    (2, 0)
    """
    return 0 if dedup_key is None else int(dedup_key.rpartition(":")[2])


def _show(found: Mapping[str, Any]) -> None:
    print_lines([f"{found['records']} records, events from {moment(found['from_ms'])} to {moment(found['to_ms'])}"])
    if found["without_events"]:
        print_lines([f"without predictions in it, and left out: {', '.join(found['without_events'])}"])
    sides = [side for side in (found["new"], found["now"]) if side is not None]
    heads = ("monitors", "incidents#", "P0#", "P1#", "P2#", "P3#", "findings#", "pages#", "pages a day#", "told")
    print_table(columns=heads, rows=map(_row, sides))
    for side in sides:
        print_lines(["", f"{side['monitors']}:"])
        if side["untold"]:
            print_lines([f"{side['untold']} of them began so late that history ends before anybody is told"])
        if side["list"]:
            rows = ([one["severity"], moment(one["since_ms"]), one["pages"], one["title"]] for one in side["list"])
            print_table(columns=("worst", "began", "pages#", "incident"), rows=rows)
        else:
            print_lines(["no incident"])


def _row(side: Mapping[str, Any]) -> Iterator[Any]:
    yield from (side["monitors"], side["incidents"])
    yield from (side["by_severity"].get(severity, 0) for severity in ("P0", "P1", "P2", "P3"))
    yield from (side["findings"], side["pages"], side["pages_per_day"])
    told = (f"{one['receiver']} ({one['kind']}) {one['times']}" for one in side["told"])
    yield ", ".join(told) or "nobody"
