"""What people ask the incident owner to do: produced to the topic ``actions``, and the owner's answer waited for.

A nonce names the answer, so nothing but the answer to this very action is taken for it, whatever became of the topic.
"""

from __future__ import annotations

import asyncio
import getpass
import secrets
import time
from typing import Annotated, Any

import msgspec
import typer
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from redis.asyncio import Redis

from schemas.actions import Action, encode
from schemas.answers import Answer, decode
from schemas.errors import Unavailable
from schemas.names import Names
from schemas.settings import Settings
from stream.command.connect import ANSWER_WITHIN_S, ask_redis, command_options, kafka_unavailable
from stream.command.printing import printable
from stream.state.clock import read_now
from stream.state.generations import read_stamp

REFUSED = 1
PARTITION = 0
POLL_S = 0.05

By = Annotated[str | None, typer.Option(help="Who does it (default: your user name).", show_default=False)]
Comment = Annotated[str, typer.Option(help="Why; shown beside it.")]


def act(settings: Settings, action: Action) -> Answer:
    """Have the owner do something; what it says.

    :raises Unavailable: Kafka or Redis does not answer, or no worker takes the action in time (it will, once one runs).
    """
    nonce = secrets.token_hex(8)
    offset = _produced(settings, encode(msgspec.structs.replace(action, nonce=nonce)))
    answer = ask_redis(settings, lambda redis, names: _answered(redis, names, nonce))
    if answer is None:
        place = f"{settings.names.topic('actions')}:{PARTITION}:{offset}"
        raise Unavailable(f"stored as {place}, and {ask_redis(settings, _why_not)}")
    return answer


def tell(answer: Answer) -> None:
    """Print what the owner says; the exit code is 1 where nothing was done."""
    typer.echo(printable(answer.said), err=not answer.done)
    if not answer.done:
        raise typer.Exit(REFUSED)


def user(by: str | None) -> str:
    """Who acts: as told, otherwise the user of this shell."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise typer.BadParameter("there is no user name here; say who it is with --by") from None


def now_ms(settings: Settings) -> int:
    """Redis' clock, which silences and acknowledgements are counted by."""

    return ask_redis(settings, read_now)


def _produced(settings: Settings, value: bytes) -> int:
    """The offset at which the action stands."""
    found: list[Message] = []
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        failed.append(error) if error is not None else found.append(message)

    options = command_options(settings, **{"message.timeout.ms": int(ANSWER_WITHIN_S * 1000)})
    producer = Producer(options)
    producer.produce(settings.names.topic("actions"), value, partition=PARTITION, on_delivery=delivered)
    producer.flush(2 * ANSWER_WITHIN_S)
    if not found:
        error = failed[0] if failed else KafkaError(KafkaError._TIMED_OUT)
        raise kafka_unavailable(settings, KafkaException(error))
    return found[0].offset() or 0


async def _why_not(redis: Redis, names: Names) -> str:
    """Why nobody answered."""
    if await read_stamp(redis, names) is None:
        return (
            "no configuration is in force, without which no worker decides; it is done as soon as there is one: run "
            "`driftline apply FILE`"
        )
    return f"no worker took it within {ANSWER_WITHIN_S:g} s; it is done as soon as one runs: start `driftline worker`"


async def _answered(redis: Redis, names: Names, nonce: str) -> Answer | None:
    until = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < until:
        stored: Any = await redis.get(names.incidents("answer", nonce))
        if stored is not None:
            return decode(stored)
        await asyncio.sleep(POLL_S)
    return None
