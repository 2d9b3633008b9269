"""``driftline tail``: what is concluded, as it is concluded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, cast

import typer
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.settings import Settings, load_settings
from stream.command.connect import ANSWER_WITHIN_S, command_options, kafka_unavailable, partitions_in
from stream.command.printing import moment, print_lines, shown

TOPICS = ("incidents", "findings", "reports")
_TOPIC_OF = {"reports": "drift-reports"}
#: What is awaited and does not come is no record: where a transaction ends, say.
QUIET_S = 2.0
#: Of each topic and partition, the offset before which everything stood when the command was given.
Ends = dict[tuple[str, int], int]
#: Features of a report that a line names.
MOST_DISCOVERIES = 5
#: By kind: the field of the time, what it is called, and the fields that are shown.
_PARTS = {
    "incidents": ("updated", "incident", ("id", "state", "severity", "title")),
    "progress": ("at", "progress", ("model", "stream")),
    "findings": ("at", "finding", ("state", "severity", "subject", "rule", "value")),
    "reports": ("end", "report", ("model", "window", "state")),
}


def _what(text: str) -> str:
    if text not in TOPICS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(TOPICS)}")
    return text


def tail(
    what: Annotated[
        list[str] | None, typer.Argument(parser=_what, metavar="[WHAT]...", help="Of: incidents, findings, reports.")
    ] = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Print what there is and end, instead of waiting for more.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="With --once: of each, at most so many of the newest.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print incidents, findings and reports as they are concluded, until Ctrl-C.

    Nothing is committed and no worker is disturbed.
    """
    settings = load_settings()
    chosen = tuple(what or ("incidents", "findings"))
    lines = _once(settings, chosen, most=limit) if once else _for_ever(settings, chosen)
    try:
        for kind, record in lines:
            print_lines([json.dumps({"topic": kind, **record}) if as_json else line_of(kind, record)])
    except KeyboardInterrupt:
        raise typer.Exit from None


Found = Iterator[tuple[str, Mapping[str, Any]]]


def _once(settings: Settings, chosen: tuple[str, ...], *, most: int) -> Found:
    for kind in chosen:
        found = list(_records(settings, (kind,), most=most, ended=_quiet()))
        yield from found[-most:]


def _for_ever(settings: Settings, chosen: tuple[str, ...]) -> Found:
    return _records(settings, chosen, most=0, ended=lambda heard: False)


def _quiet() -> Callable[[bool], bool]:
    """Whether nothing has come for a while."""
    last = [time.monotonic()]

    def quiet(heard: bool) -> bool:
        if heard:
            last[0] = time.monotonic()
        return time.monotonic() - last[0] > QUIET_S

    return quiet


def _records(settings: Settings, chosen: tuple[str, ...], *, most: int, ended: Callable[[bool], bool]) -> Found:
    options = {"group.id": "driftline-tail", "enable.auto.commit": False}
    consumer = Consumer(command_options(settings, **options))
    topics = {settings.names.topic(_TOPIC_OF.get(kind, kind)): kind for kind in chosen}
    try:
        starts = list(_places(consumer, settings, topics, most=most))
        consumer.assign([place for place, _ in starts])
        ends: Ends = {(place.topic, place.partition): end for place, end in starts if end > place.offset >= 0}
        heard = False
        while (ends or not most) and not ended(heard):
            message = consumer.poll(0.2)
            heard = message is not None
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            record = None if most and _is_later(message, ends) else _json(message.value())
            if record is not None:
                yield topics[cast(str, message.topic())], record
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    finally:
        consumer.close()


def _is_later(message: Message, ends: Ends) -> bool:
    """Whether a record came after the command; a partition has ended with the last one that did not."""
    place, offset = (cast(str, message.topic()), cast(int, message.partition())), cast(int, message.offset())
    end = ends.get(place, 0)
    if offset >= end - 1:
        ends.pop(place, None)
    return offset >= end


def _places(
    consumer: Consumer, settings: Settings, topics: Mapping[str, str], *, most: int
) -> Iterator[tuple[TopicPartition, int]]:
    """Where to begin in each partition, and where it ended when it was asked."""
    partitions = partitions_in(consumer, settings)
    for topic in topics:
        for partition in range(partitions.get(topic, 0)):
            place = TopicPartition(topic, partition)
            if not most:
                yield TopicPartition(topic, partition, OFFSET_END), 0
                continue
            start, end = consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN_S)
            yield TopicPartition(topic, partition, max(start, end - most)), end


def _json(value: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(value or b"")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def line_of(kind: str, record: Mapping[str, Any]) -> str:
    """A record in one line for people; a window that is not of predictions is named as on the console.

    >>> line_of("reports", {"end": 1357035300000, "model": "m", "stream": "skew", "window": "day", "state": "ok"})
    '2013-01-01T10:15:00Z  report     m skew:day ok'
    >>> line_of("findings", {"type": "progress", "model": "m", "stream": "predictions", "at": 1357035300000})
    '2013-01-01T10:15:00Z  progress   m predictions'
    """
    time_, what, names = _PARTS[_kind(kind, record)]
    if record.get("stream", "predictions") != "predictions" and "window" in record:
        record = {**record, "window": f"{record['stream']}:{record['window']}"}
    parts = (record.get(name) for name in names)
    said = " ".join(shown(part) for part in parts if part is not None)
    return f"{shown(moment(record.get(time_)))}  {what:<10} {said}{_discoveries(record) if what == 'report' else ''}"


def _discoveries(record: Mapping[str, Any]) -> str:
    """The features of a report that are discoveries, the surest first.

    >>> _discoveries({"features": {"a": {"q": 0.04, "discovery": True}, "b": {"q": 1e-9, "discovery": True}, "c": {"q": 0.7}}})
    ': b (q 1e-09), a (q 0.04)'
    """
    features = record.get("features")
    columns = features.items() if isinstance(features, dict) else ()
    found = sorted((one["q"], name) for name, one in columns if one.get("discovery"))
    listed = ", ".join(f"{shown(name)} (q {q:.2g})" for q, name in found[:MOST_DISCOVERIES])
    more = f" and {len(found) - MOST_DISCOVERIES} more" if len(found) > MOST_DISCOVERIES else ""
    return f": {listed}{more}" if found else ""


def _kind(topic: str, record: Mapping[str, Any]) -> str:
    return "progress" if record.get("type") == "progress" else topic
