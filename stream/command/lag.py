"""``driftline lag``: how far the stored state is behind the ends of Kafka's logs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from schemas.names import TOPICS_IN
from schemas.settings import Settings, load_settings
from stream.command.connect import ANSWER_WITHIN_S, ask_redis, command_options, kafka_unavailable, partitions_in
from stream.command.options import AsJson
from stream.command.printing import empty_partitions, print_json, print_lines, print_table, span
from stream.state.progress import PartitionProgress, read_progress

Place = tuple[str, int]
#: (start, end) of a partition's log.
Logs = Mapping[Place, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition: ``stored`` and ``end`` are next offsets, ``lag`` records between them that can still be read.

    ``watermark_delay_s`` is the wall clock less the greatest event time counted: in a replay of old data, years.  ``behind``: the
    models over their quota, for which it waits behind others.
    """

    topic: str
    partition: int
    stored: int | None
    end: int
    lag: int
    owner: str | None
    watermark_delay_s: float | None
    behind: tuple[str, ...] = ()


def lag(*, as_json: AsJson = False) -> None:
    """Compare what is stored with the end of each partition's log.

    Counted against the offsets stored in Redis, which are right; the consumer group's committed offsets only follow them.
    """
    settings = load_settings()
    logs = logs_of(settings)
    progress = ask_redis(settings, read_progress)
    found = list(
        lags(logs, {(settings.names.topic(one.stream), one.partition): one for one in progress}, now=time.time())
    )
    if as_json:
        print_json({"partitions": [asdict(one) for one in found], "lag": sum(one.lag for one in found)})
    else:
        show(found)


def lags(logs: Logs, progress: Mapping[Place, PartitionProgress], *, now: float) -> Iterator[Lag]:
    """The lag of every partition that Kafka has; ``now`` is epoch seconds."""
    for (topic, partition), (start, end) in logs.items():
        one = progress.get((topic, partition))
        stored = one.next_offset if one else None
        # An offset outside the log is of a topic that was deleted or cut: the worker will begin at the start.
        reading_from = stored if stored is not None and start <= stored <= end else start
        delay = round(now - one.clock_ms / 1000, 3) if one and one.clock_ms is not None else None
        owner, behind = (one.owner, one.behind) if one else (None, ())
        yield Lag(topic, partition, stored, end, end - reading_from, owner, delay, behind)


def logs_of(settings: Settings) -> dict[Place, tuple[int, int]]:
    """Start and end of every partition of the four incoming topics, those that exist.

    :raises Unavailable: Kafka does not answer.
    """
    admin = AdminClient(command_options(settings))
    partitions = partitions_in(admin, settings)
    topics = [topic for topic in map(settings.names.topic, TOPICS_IN) if topic in partitions]
    places = [(topic, partition) for topic in topics for partition in range(partitions[topic])]
    try:
        starts = _offsets(admin, places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        ends = _offsets(admin, places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    return {place: (starts[place], ends[place]) for place in places}


def _offsets(admin: AdminClient, places: list[Place], spec: Any) -> dict[Place, int]:
    if not places:
        return {}
    asked = admin.list_offsets({TopicPartition(*place): spec for place in places}, request_timeout=ANSWER_WITHIN_S)
    return {(at.topic, at.partition): future.result().offset for at, future in asked.items()}


def over_quota(models: Sequence[str]) -> str:
    """Why a partition is put behind others; empty where it is not."""
    return f"behind others: {', '.join(models)} over quota" if models else ""


def show(found: list[Lag]) -> None:
    """The lags for people."""
    if not found:
        print_lines(["none of the incoming topics exists yet"])
        return
    heads = ("topic", "partition#", "stored#", "log end#", "lag#", "delay#", "owner")
    rows = [
        (one.topic, one.partition, one.stored, one.end, one.lag, span(one.watermark_delay_s), one.owner)
        for one in found
        if one.end
    ]
    if rows:
        print_table(columns=heads, rows=rows)
    print_lines(empty_partitions(one.topic for one in found if not one.end))
    print_lines(f"{one.topic} {one.partition}: {over_quota(one.behind)}" for one in found if one.behind)
    print_lines([f"{sum(one.lag for one in found)} records behind"])
