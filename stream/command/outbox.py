"""``driftline outbox``: what is decided and not told yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import typer
from redis.asyncio import Redis

from schemas.names import Names
from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.command.options import AsJson
from stream.command.printing import print_json, print_lines, print_table, span
from stream.state.outboxes import Deliveries, Outbox, read_deliveries, read_outboxes

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def outbox() -> None:
    """Outboxes: what evaluation and the incident owner have for Kafka and for receivers."""


@app.command("ls")
def list_waiting(*, as_json: AsJson = False) -> None:
    """List what waits: messages for Kafka by model, changed incidents, and deliveries by receiver, with the longest wait.

    Reads Redis only. What waits for more than some seconds waits for Kafka, for a vendor that does not answer, or for a worker.
    A delivery that failed is given up until its secret or its address is corrected.
    """
    messages, deliveries = ask_redis(load_settings(), _read)
    if as_json:
        waiting = sum(one.waiting for one in messages) + sum(one.waiting for one in deliveries)
        print_json({
            "outboxes": [asdict(one) for one in messages], "deliveries": [asdict(one) for one in deliveries],
            "waiting": waiting,
        })  # fmt: skip
    else:
        _show(messages, deliveries)


async def _read(redis: Redis, names: Names) -> tuple[list[Outbox], list[Deliveries]]:
    return await read_outboxes(redis, names), await read_deliveries(redis, names)


def _show(messages: Sequence[Outbox], deliveries: Sequence[Deliveries]) -> None:
    if messages:
        rows = [(one.of, one.waiting, span(one.oldest_s)) for one in messages]
        print_table(columns=("for Kafka, of", "messages#", "oldest#"), rows=rows)
    if messages and deliveries:
        print_lines([""])
    if deliveries:
        told = [(one.receiver, one.address, one.waiting, span(one.oldest_s), one.failed, one.why) for one in deliveries]
        heads = ("receiver", "address", "waiting#", "oldest#", "failed#", "why")
        print_table(columns=heads, rows=told)
    if not (messages or deliveries):
        print_lines(["nothing waits"])
