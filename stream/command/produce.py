"""``driftline produce``: events from a file to one of the incoming topics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import Unavailable
from schemas.settings import Settings, load_settings
from schemas.timestamps import end_of_day
from stream.command.connect import command_options, partitions_in
from stream.command.event_file import Outgoing, outgoings, survey
from stream.command.options import stream_named
from stream.command.printing import print_lines, printable
from stream.command.unusable import unusable

Delivered = Callable[[KafkaError | None, Message], None]

#: A delivery is tried for as long.
DELIVER_WITHIN_S = 60.0
FAILURES_SHOWN = 5
#: Room for the largest record of the contract (1 MiB) and what Kafka adds to it.
MOST_BYTES = 1_100_000


class Sender:
    """A producer that counts what arrived and what did not."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self.topic = topic
        self.delivered = 0
        self.failures: list[str] = []
        self.failed = 0
        # Idempotent: a record that is sent again after a lost answer would be counted twice.
        options = {"enable.idempotence": True, "linger.ms": 20, "message.max.bytes": MOST_BYTES}
        timeout = {"message.timeout.ms": int(DELIVER_WITHIN_S * 1000)}
        self._producer = Producer(command_options(settings, **options, **timeout))
        self._settings = settings

    @property
    def partitions(self) -> int:
        """How many partitions the topic has now; 0 where it is not there, which sending to it may change."""
        return partitions_in(self._producer, self._settings).get(self.topic, 0)

    def send(self, records: Iterable[Outgoing], *, partition: int) -> None:
        """Send all and wait for their fates; partition -1: by the key."""
        for record in records:
            self._produce(record.value, record.key, partition=partition, what=f"record {record.line}")
        self._producer.flush(DELIVER_WITHIN_S)

    def close(self, watermark_ms: int) -> int:
        """Tell every partition that nothing older than this follows; how many there are."""
        control = json.dumps({"control": "watermark", "timestamp": watermark_ms}).encode()
        partitions = self.partitions
        for partition in range(partitions):
            self._produce(control, None, partition=partition, what=f"watermark of partition {partition}")
        self._producer.flush(DELIVER_WITHIN_S)
        return partitions

    def _produce(self, value: bytes, key: bytes | None, *, partition: int, what: str) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            self._note(None if error is None else f"{what}: {error.str()}")

        try:
            self._enqueue(value, key, partition=partition, delivered=delivered)
        except KafkaException as error:
            self._note(f"{what}: {error.args[0].str()}")

    def _enqueue(self, value: bytes, key: bytes | None, *, partition: int, delivered: Delivered) -> None:
        while True:
            try:
                self._producer.produce(self.topic, value, key, partition, on_delivery=delivered)
            except BufferError:  # the local queue is full: wait until some were delivered
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _note(self, failure: str | None) -> None:
        if failure is None:
            self.delivered += 1
            return
        self.failed += 1
        if len(self.failures) < FAILURES_SHOWN:
            self.failures.append(failure)


def produce(
    file: Annotated[Path, typer.Argument(help="JSON lines, or one JSON array of events.")],
    *,
    topic: Annotated[str, typer.Option(help="predictions, labels, features or serving.")],
    partition: Annotated[
        int | None, typer.Option(min=0, help="Send everything to this partition, not by the key.")
    ] = None,
    close: Annotated[
        bool, typer.Option("--close", help="Afterwards say to every partition that nothing older follows.")
    ] = False,
) -> None:
    """Send the events of a file; the key is the event's model.

    A line is sent as it stands: an event, an array of events, or a columnar batch. A file with a line that is not JSON is
    refused before anything is sent. --close sends the end of the file's last day (UTC) as a watermark to every partition of the
    topic, so that windows up to there can be judged although nothing follows.
    """
    settings = load_settings()
    name = settings.names.topic(stream_named(topic, settings.names))
    found = survey(file)
    if close and found.clock_ms is None:
        raise unusable(
            file, "timestamp", "no event has a time that can be read, so there is no watermark to close with"
        )
    sender = Sender(settings, name)
    _check_partition(sender, partition)
    sender.send(outgoings(file), partition=-1 if partition is None else partition)
    print_lines([f"{sender.delivered} of {found.records} records sent to {name}"])
    if close and found.clock_ms is not None and not sender.failed:
        _close(sender, found.clock_ms)
    if sender.failed:
        raise Unavailable(_failures(sender))


def _check_partition(sender: Sender, partition: int | None) -> None:
    partitions = sender.partitions
    if partition is not None and 0 < partitions <= partition:
        raise typer.BadParameter(f"{sender.topic} has the partitions 0 to {partitions - 1}", param_hint="--partition")


def _close(sender: Sender, clock_ms: int) -> None:
    watermark_ms = end_of_day(clock_ms)
    closed = sender.close(watermark_ms)
    if not sender.failed:
        print_lines([f"closed {closed} partitions with the watermark {watermark_ms}"])


def _failures(sender: Sender) -> str:
    more = sender.failed - len(sender.failures)
    lines = [f"{sender.failed} records were not delivered to {sender.topic}", *map(printable, sender.failures)]
    return "\n  ".join(lines + ([f"and {more} more"] if more else []))
