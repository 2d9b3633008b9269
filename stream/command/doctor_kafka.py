"""What the doctor asks Kafka: whether it answers, what the topics are like, and how much of them is unread."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import confluent_kafka
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from schemas.errors import Unavailable
from schemas.names import TOPICS_IN
from schemas.settings import Settings, masked
from stream.command.checks import Found, judged
from stream.command.connect import ANSWER_WITHIN_S, ask_redis, command_options, kafka_unavailable
from stream.command.kafka_version import OLDEST, is_old, release_of, taken_requests
from stream.command.lag import Place, logs_of
from stream.command.printing import span
from stream.command.stretches import logs_in, records_of, trackless_consumer
from stream.evaluate.own_topics import cleanup_of, partitions_of
from stream.kafka_client import refusal
from stream.state.config_topic import ConfigTopic
from stream.state.generations import read_stamp
from stream.state.progress import PartitionProgress, read_progress
from stream.state.topics import is_embedded

REFUSED_WITHIN_S = 2.0
#: The newest record may be so far ahead: its clock is a producer's, or a broker's.
AHEAD_S, FAR_AHEAD_S = 1.0, 60.0
#: Of its retention that the oldest unread record may have behind it.
HALF = 0.5


class KafkaChecks:
    """Checks of one environment's Kafka."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._names = settings, settings.names
        self._admin = AdminClient(command_options(settings))
        self._down = False

    def answers(self) -> Iterator[Found]:
        try:
            found = self._admin.list_topics(timeout=ANSWER_WITHIN_S)
        except KafkaException as error:
            self._down = True  # nothing else need wait for it
            refused = refusal(self._settings, within_s=REFUSED_WITHIN_S)
            said = str(refused) if refused is not None else str(kafka_unavailable(self._settings, error))
            yield Found("Kafka", "wrong", said, "as it says")
            return
        brokers = len(found.brokers)
        client = f"client librdkafka {confluent_kafka.libversion()[0]}"
        yield Found("Kafka", "ok", f"{masked(self._settings.kafka)} answers: {brokers} brokers, {client}")

    def version(self) -> Iterator[Found]:
        self._partitions()
        newest = taken_requests(self._settings)
        release = release_of(newest)
        said = f"{release} or newer, by the requests that it takes" if release else "older than any that is known here"
        do = f"use Kafka {OLDEST} or newer: before, a topic that was made anew is not told from the one before"
        yield judged(
            "Kafka version", said if newest else "the client does not say", look=bool(newest) and is_old(release), do=do
        )

    def clock(self) -> Iterator[Found]:
        """Kafka tells no time; what counts is that of its records, by which events of the future are told."""
        self._partitions()
        stretches = {place: (end - 1, end) for place, (start, end) in logs_of(self._settings).items() if end > start}
        consumer = trackless_consumer(self._settings)
        try:
            times = [message.timestamp()[1] / 1000 for message in records_of(consumer, stretches)]
        finally:
            consumer.close()
        ahead = max(times, default=0.0) - time.time()
        said = f"{ahead:.1f} s ahead of this machine's" if ahead > 0 else "none ahead of this machine's"
        do = "let producers (and brokers, where they stamp records) and this machine keep their time (NTP)"
        wrong, look = ahead > FAR_AHEAD_S, ahead > AHEAD_S
        yield judged("clock of the newest records", said, wrong=wrong, look=look, do=do)

    def topics_in(self) -> Iterator[Found]:
        there = self._partitions()
        for name in (*TOPICS_IN, "dead-letters"):
            topic = self._names.topic(name)
            count = there.get(topic, 0)
            do = "create it, or let the broker create topics when they are named; it appears with the first record"
            yield judged(f"topic {topic}", f"{count} partitions" if count else "is not there", look=not count, do=do)

    def own_topics(self) -> Iterator[Found]:
        there = self._partitions()
        cleanups = self._settings_of([topic for topic in map(self._names.topic, partitions_of()) if topic in there])
        for name, partitions in partitions_of().items():
            topic = self._names.topic(name)
            if topic not in there:
                yield Found(f"topic {topic}", "look", "is not there", "a worker makes it when it starts")
                continue
            cleanup = cleanups.get(topic, {}).get("cleanup.policy", cleanup_of(name))
            many = partitions == 1 and there[topic] != 1 and not self._is_embedded()
            said = f"{there[topic]} partitions, cleanup {cleanup}"
            if many:
                do = "it must have 1 partition: delete it while no worker runs; the next worker makes it anew"
                yield Found(f"topic {topic}", "wrong", said, do)
            else:
                do = f"set its cleanup.policy to {cleanup_of(name)}"
                yield judged(f"topic {topic}", said, wrong=cleanup != cleanup_of(name), do=do)

    def retention(self) -> Iterator[Found]:
        """Whether Kafka deletes records before they are read: what is gone, and what will be."""
        self._partitions()
        logs = logs_of(self._settings)
        progress = {
            (self._names.topic(one.stream), one.partition): one for one in ask_redis(self._settings, read_progress)
        }
        keeps = self._settings_of(sorted({topic for topic, _ in logs}))
        ages = self._ages(logs, progress)
        for topic in dict.fromkeys(topic for topic, _ in logs):
            yield self._retained(topic, keeps.get(topic, {}), logs=logs, progress=progress, ages=ages)

    def dead_letters(self) -> Iterator[Found]:
        self._partitions()
        consumer = trackless_consumer(self._settings)
        try:
            topic = self._names.topic("dead-letters")
            count = sum(end - start for start, end in logs_in(consumer, self._settings, topic).values())
        finally:
            consumer.close()
        yield judged(
            "dead letters", str(count), look=count > 0, do="driftline dlq ls says why, dlq retry sends them again"
        )

    def config_topic(self) -> Iterator[Found]:
        """Whether what is in force is also in Kafka, from where an emptied Redis gets it back."""
        self._partitions()
        name = self._names.topic("config")
        kept = ConfigTopic(command_options(self._settings), name, within_s=ANSWER_WITHIN_S).read()
        stamp = ask_redis(self._settings, read_stamp)
        number = kept.generation.number if kept is not None and kept.generation is not None else None
        do = "a worker that starts writes what is in force there; without it an emptied Redis is not filled again"
        if number is None:
            yield judged(f"topic {name}", "holds no generation", look=stamp is not None, do=do)
        else:
            same = stamp is not None and stamp[0] == number
            said = f"generation {number}, and Redis has {stamp[0] if stamp else 'none'}"
            yield judged(f"topic {name}", said, wrong=not same, do="start a worker, or run driftline apply again")

    def _partitions(self) -> dict[str, int]:
        """Every topic and its partitions.

        :raises Unavailable: Kafka did not answer before.
        """
        if self._down:
            raise Unavailable("Kafka does not answer")
        found = self._admin.list_topics(timeout=ANSWER_WITHIN_S).topics
        return {name: len(topic.partitions) for name, topic in found.items()}

    def _is_embedded(self) -> bool:
        return is_embedded(self._admin.list_topics(timeout=ANSWER_WITHIN_S))

    def _settings_of(self, topics: list[str]) -> dict[str, dict[str, str]]:
        """Each topic's settings by name; none of the demo's broker, which does not know them."""
        if not topics or self._is_embedded():
            return {}
        resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
        asked = self._admin.describe_configs(resources, request_timeout=ANSWER_WITHIN_S)
        return {
            resource.name: {name: str(entry.value) for name, entry in future.result().items()}
            for resource, future in asked.items()
        }

    def _ages(
        self, logs: Mapping[Place, tuple[int, int]], progress: Mapping[Place, PartitionProgress]
    ) -> dict[Place, float]:
        """Seconds since the oldest unread record of each partition that has one."""
        first = {place: _reading_from(log, progress.get(place)) for place, log in logs.items()}
        stretches = {place: (first[place], first[place] + 1) for place, (_, end) in logs.items() if first[place] < end}
        consumer = trackless_consumer(self._settings)
        try:
            return {
                (message.topic() or "", message.partition() or 0): time.time() - message.timestamp()[1] / 1000
                for message in records_of(consumer, stretches)
                if message.timestamp()[1] > 0
            }
        finally:
            consumer.close()

    def _retained(
        self, topic: str, settings: Mapping[str, str], *, logs: Mapping[Place, tuple[int, int]],
        progress: Mapping[Place, PartitionProgress], ages: Mapping[Place, float],
    ) -> Found:  # fmt: skip
        gone = sum(
            max(0, start - (one.next_offset or start))
            for place, (start, _) in logs.items()
            if place[0] == topic and (one := progress.get(place)) is not None
        )
        oldest = max((age for (at, _), age in ages.items() if at == topic), default=None)
        keep_ms = int(settings.get("retention.ms", "-1"))
        kept = "without end" if keep_ms < 0 else span(keep_ms / 1000)
        said = f"kept {kept}; oldest unread record {span(oldest)}" + (f"; {gone} deleted unread" if gone else "")
        near = keep_ms >= 0 and oldest is not None and oldest > HALF * keep_ms / 1000
        do = "start workers, and let Kafka keep the topic (retention.ms) for longer than your longest pause"
        return judged(f"retention of {topic}", said, wrong=gone > 0 or near, do=do)


def _reading_from(log: tuple[int, int], progress: PartitionProgress | None) -> int:
    start, end = log
    stored = progress.next_offset if progress else None
    return stored if stored is not None and start <= stored <= end else start
