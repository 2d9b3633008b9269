"""``driftline replay``: a stretch of what came, sent once more into a shadow environment."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from confluent_kafka import Consumer, KafkaException
from redis.asyncio import Redis

from alerting.policy import Clock
from schemas.config import Generation
from schemas.errors import ConfigError, Problem, Unavailable
from schemas.names import TOPICS_IN, Names, Stream
from schemas.reference import Reference
from schemas.settings import Settings, load_settings
from schemas.timestamps import end_of_day
from stream.command.apply import checked_file
from stream.command.claim import Claim, claimed
from stream.command.connect import ask_redis, kafka_unavailable
from stream.command.options import AsJson, moment_ms, stream_named
from stream.command.printing import moment, print_json, print_lines
from stream.command.shadow import Bound, Shadow, make_topic, stretches_between
from stream.command.stretches import Holes, Place, Stretch, logs_in, records_of, trackless_consumer
from stream.command.working import building
from stream.state.applying import apply_monitors
from stream.state.clock import FIELD, read_clock
from stream.state.generations import put_back, read, read_references, read_stamp

OFFSET = re.compile(r"offset:(\d{1,18})")


def _bound(text: str) -> Bound:
    offset = OFFSET.fullmatch(text)
    if offset is None and text.startswith("offset"):
        raise typer.BadParameter(f"{text!r} is no offset; one is offset:1200")
    return Bound(offset=int(offset[1])) if offset else Bound(at_ms=moment_ms(text))


def replay(
    *,
    into: Annotated[str, typer.Option(metavar="ENVIRONMENT", help="The shadow environment: a name of its own.")],
    topic: Annotated[
        list[str] | None, typer.Option(help="predictions, labels, features or serving; all four unless told.")
    ] = None,
    partition: Annotated[list[int] | None, typer.Option(min=0, help="Only this partition; may be repeated.")] = None,
    first: Annotated[
        Bound | None,
        typer.Option("--from", parser=_bound, metavar="TIME|offset:N", help="From here on.", show_default=False),
    ] = None,
    last: Annotated[
        Bound | None,
        typer.Option("--to", parser=_bound, metavar="TIME|offset:N", help="Up to here.", show_default=False),
    ] = None,
    monitors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge it by this monitors file, not by what is in force here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send what came, or a stretch of it, into a shadow environment: the same partitions, keys, headers and Kafka times.

    What is in force here (or --monitors) is put into force there first. A TIME is Kafka's of the record: epoch milliseconds, RFC
    3339 with an offset, or a day. At the end every partition there gets a watermark, so that windows close. Then start a worker
    there, with DRIFTLINE_ENVIRONMENT and DRIFTLINE_CLOCK=event: it counts and judges the same, and rings nobody.
    """
    settings = load_settings()
    shadow = _shadow(settings, into)
    streams = tuple(dict.fromkeys(stream_named(name, settings.names) for name in topic or TOPICS_IN))
    bounds = first or Bound(), last or Bound()
    _check_order(*bounds)
    replaying = _Replay(settings, shadow)
    try:
        # Everything that may be wrong is looked at before anything is written there.
        put = _to_put(settings, monitors)
        replaying.choose(streams, first=bounds[0], last=bounds[1], partitions=tuple(partition or ()))
        if ask_redis(shadow, _by_event_time) == "live":
            raise _live(into)
        with claimed(shadow) as claim:
            replaying.make_topics()
            found = {"into": into, "generation": put(shadow), **replaying.run(claim)}
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    finally:
        replaying.consumer.close()
    if as_json:
        print_json(found)
    else:
        _show(found)


def _shadow(settings: Settings, into: str) -> Settings:
    """The settings of the shadow environment.

    :raises ConfigError: it is this one, no name, or one that decides by the clock on the wall.
    """
    here = settings.environment or "without a name"
    if into == settings.environment:
        raise _wrong(f"{into!r} is the environment that is replayed (DRIFTLINE_ENVIRONMENT); name another")
    if not into:
        raise _wrong(f"is empty; name an environment of its own, other than the one {here}")
    try:
        shadow = settings.model_validate({**settings.model_dump(), "environment": into})
    except ValueError:
        raise _wrong(f"{into!r} is no name of an environment: at most 32 of a-z, 0-9 and -") from None
    if ask_redis(shadow, read_clock) == "live":
        raise _live(into)
    return shadow


def _live(into: str) -> ConfigError:
    return _wrong(f"{into!r} goes by the clock on the wall, and rings people; name another, or empty it")


def _check_order(first: Bound, last: Bound) -> None:
    """:raises typer.BadParameter: the stretch ends before it begins."""
    offsets, times = (first.offset, last.offset), (first.at_ms, last.at_ms)
    if None not in offsets and not offsets[0] < offsets[1]:  # type: ignore[operator]
        raise typer.BadParameter(f"offset:{last.offset} is not behind --from offset:{first.offset}", param_hint="--to")
    if None not in times and not times[0] < times[1]:  # type: ignore[operator]
        raise typer.BadParameter(f"{moment(last.at_ms)} is not after --from {moment(first.at_ms)}", param_hint="--to")


async def _by_event_time(redis: Redis, names: Names) -> Clock | None:
    """The clock that the environment goes by: event time, if it went by none; no worker can ring people there then."""
    await redis.hsetnx(names.incidents("owner"), FIELD, "event")
    return await read_clock(redis, names)


def _wrong(said: str) -> ConfigError:
    return ConfigError([Problem("--into", 0, "", said)])


def _to_put(settings: Settings, monitors: Path | None) -> Callable[[Settings], int]:
    """What puts the configuration into force there, and says the number that it has there.

    :raises ConfigError: the file cannot be used, or nothing is in force here.
    """
    if monitors is not None:
        checked = checked_file(monitors)

        async def applied(redis: Redis, names: Names) -> Generation:
            now_ms = int(time.time() * 1000)
            return await apply_monitors(redis, names, checked.monitors, references=checked.references, now_ms=now_ms)

        return lambda shadow: ask_redis(shadow, applied).number

    async def here(redis: Redis, names: Names) -> tuple[Generation | None, Mapping[str, Reference]]:
        found = await read(redis, names)
        return found, await read_references(redis, names, found) if found is not None else {}

    generation, references = ask_redis(settings, here)
    if generation is None:
        said = "nothing is in force here; run driftline apply FILE, or say --monitors FILE"
        raise ConfigError([Problem("configuration", 0, "", said)])
    force = generation

    async def put(redis: Redis, names: Names) -> int:
        await put_back(redis, names, force, references=references, held=await read_stamp(redis, names))
        return force.number

    return lambda shadow: ask_redis(shadow, put)


class _Replay:
    """What is to be sent of each stream, and sending it."""

    def __init__(self, settings: Settings, shadow: Settings) -> None:
        self.consumer = trackless_consumer(settings)
        self._settings, self._shadow = settings, shadow
        #: By stream: how many partitions it has, and what is to be read of them.
        self._chosen: dict[Stream, tuple[int, dict[Place, Stretch]]] = {}
        self._gone = 0

    def choose(self, streams: Sequence[Stream], *, first: Bound, last: Bound, partitions: tuple[int, ...]) -> None:
        """Find the stretches; nothing is made and nothing is sent yet.

        :raises Unavailable: Kafka does not answer, or a stretch was asked for in which there is nothing.
        """
        logs: list[str] = []
        for stream in streams:
            topic = self._settings.names.topic(stream)
            count = len(logs_in(self.consumer, self._settings, topic))
            if any(at >= count for at in partitions) and count:
                raise typer.BadParameter(f"{topic} has the partitions 0 to {count - 1}", param_hint="--partition")
            if count:
                stretches = stretches_between(
                    self.consumer, self._settings, topic, first=first, last=last, partitions=partitions
                )
                self._chosen[stream] = count, stretches
                logs += _spans(self.consumer, self._settings, topic)
                if first == Bound():
                    self._gone += sum(start for start, _ in stretches.values())
        bounded = (first, last) != (Bound(), Bound())
        if bounded and not any(end > start for _, found in self._chosen.values() for start, end in found.values()):
            held = ", ".join(logs) or "none of the topics exists"
            raise Unavailable(f"there is nothing between --from and --to: {held}")

    def make_topics(self) -> None:
        """Make the topics that they go to.

        :raises Unavailable: the shadow's topics hold something, or cannot be made.
        """
        for stream, (count, _) in self._chosen.items():
            make_topic(self._shadow, self._shadow.names.topic(stream), count)

    def run(self, claim: Claim) -> dict[str, Any]:
        """Send everything and close behind it; how many records of each stream, and the watermark (None: nothing came)."""
        clocks: list[int] = []
        sent: dict[str, int] = {}
        sending = {stream: Shadow(self._shadow, self._shadow.names.topic(stream)) for stream in self._chosen}
        with building() as told:
            for stream, (_, stretches) in self._chosen.items():
                total = sum(max(0, end - start) for start, end in stretches.values())
                holes = Holes(stretches)
                messages = claim.while_held(holes.seen(records_of(self.consumer, stretches)))
                clock_ms = sending[stream].copy(
                    messages, told=lambda done, of=stream, all=total: told(of, done, all),  # type: ignore[misc]
                    skew_ms=int(self._settings.future_skew_s * 1000),
                )  # fmt: skip
                clocks += [clock_ms] if clock_ms is not None else []
                sent[stream] = sending[stream].sent
                self._gone += holes.deleted(logs_in(self.consumer, self._settings, self._settings.names.topic(stream)))
        # Of today not its end: a watermark that is ahead of the clock is of the future, and closes nothing.
        watermark_ms = min(end_of_day(max(clocks)), int(time.time() * 1000)) if clocks else None
        if watermark_ms is not None:
            for stream, (count, _) in self._chosen.items():
                claim.keep()  # behind a watermark everything that another still sends is late
                sending[stream].close(count, watermark_ms)
        return {"records": sent, "gone": self._gone, "watermark_ms": watermark_ms}


def _spans(consumer: Consumer, settings: Settings, topic: str) -> Iterator[str]:
    """What a topic holds, in words."""
    logs = logs_in(consumer, settings, topic).values()
    held = [log for log in logs if log[1] > log[0]]
    if held:
        yield f"{topic} holds offsets {min(start for start, _ in held)} to {max(end for _, end in held) - 1}"
    else:
        yield f"{topic} is empty"


def _show(found: Mapping[str, Any]) -> None:
    into = found["into"]
    for stream, count in found["records"].items():
        print_lines([f"{count} records of {stream} sent to {into}"])
    if not found["records"]:
        print_lines(["none of the topics exists yet"])
    if found["gone"]:
        print_lines([f"{found['gone']} records were deleted by retention before they were read, and are not replayed"])
    closed = moment(found["watermark_ms"])
    print_lines([
        f"generation {found['generation']} is in force there" + (f"; closed with the watermark {closed}" if closed else ""),
        f"now: DRIFTLINE_ENVIRONMENT={into} DRIFTLINE_CLOCK=event driftline worker",
    ])  # fmt: skip
