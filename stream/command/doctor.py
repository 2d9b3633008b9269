"""``driftline doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from schemas.settings import Settings, load_settings
from stream.command.checks import Check, Found, found_by
from stream.command.doctor_caps import CapChecks
from stream.command.doctor_kafka import KafkaChecks
from stream.command.doctor_redis import RedisChecks
from stream.command.doctor_work import WorkChecks
from stream.command.options import AsJson
from stream.command.printing import print_json, print_lines

WRONG = 1
_MARKS = {"ok": "ok", "look": "look", "wrong": "WRONG"}


def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything that an environment stands on: Kafka and its topics, Redis, what is in force, the workers, what waits.

    Each line says what was looked at, how it is, and what to do. `look` may be meant, WRONG needs somebody: then the exit code
    is 1. A check that fails itself is a line, and the others go on. Nothing is changed and no secret is shown.
    """
    settings = load_settings()
    found = []
    for one in found_by(checks_of(settings)):
        found.append(one)
        if not as_json:
            print_lines(lines_of(one))
    if as_json:
        states = {state: sum(one.state == state for one in found) for state in _MARKS}
        print_json({**states, "checks": [asdict(one) for one in found]})
    if any(one.state == "wrong" for one in found):
        raise typer.Exit(WRONG)


def checks_of(settings: Settings) -> Sequence[tuple[str, Check]]:
    """Every check and the name it has where it fails itself."""
    kafka, redis, work = KafkaChecks(settings), RedisChecks(settings), WorkChecks(settings)
    return [
        ("Kafka", kafka.answers), ("Kafka version", kafka.version), ("clock of the newest records", kafka.clock),
        ("topics that producers write", kafka.topics_in), ("our own topics", kafka.own_topics),
        ("retention", kafka.retention), ("dead letters", kafka.dead_letters),
        ("Redis", redis.answers), ("Redis role", redis.role), ("Redis eviction", redis.policy),
        ("Redis persistence", redis.persistence), ("Redis memory", redis.memory), ("Redis scripts", redis.scripts),
        ("Redis clock", redis.clock),
        ("configuration", work.generation), ("topic config", kafka.config_topic), ("receivers", work.receivers),
        ("workers", work.workers), ("lag", work.lag), ("warming and lost", work.losses), ("outboxes", work.outboxes),
        ("caps", CapChecks(settings).caps),
    ]  # fmt: skip


def lines_of(one: Found) -> Iterator[str]:
    """A line for people, and what to do under it."""
    yield f"{_MARKS[one.state]:5}  {one.what}: {one.value}"
    if one.do:
        yield f"       -> {one.do}"
