"""The relay forgets nothing that was stored while it looked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from schemas.names import Names
from stream.evaluate.relay import Relay
from stream.evaluate.tally import EvaluationTally


class Outbox:
    """A Redis with one stream; ``looked`` is called when it is found empty, before the answer arrives."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, dict[bytes, bytes]]] = []
        self.looked: Callable[[], None] = lambda: None

    def add(self, number: int) -> None:
        self.entries.append((b"%d-0" % number, {b"topic": b"findings", b"key": b"k", b"value": b"%d" % number}))

    async def xrange(self, key: str, count: int) -> Any:
        found = self.entries[:count]
        if not found:
            self.looked()
        await asyncio.sleep(0)
        return found

    async def xdel(self, key: str, *ids: bytes) -> None:
        self.entries = [entry for entry in self.entries if entry[0] not in ids]


class Broker:
    """A producer that delivers at once."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def produce(self, topic: str, value: bytes, key: bytes, partition: int, *, on_delivery: Any) -> None:
        self.sent.append(value)
        on_delivery(None, None)


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


def test_what_is_stored_while_the_outbox_is_found_empty_is_sent_by_the_next_round() -> None:
    async def rounds() -> list[bytes]:
        outbox, broker = Outbox(), Broker()
        kept: Any = (outbox, broker)
        relay = Relay(kept[0], Names(), kept[1], patience=patiently, tally=EvaluationTally())  # type: ignore[arg-type]

        def stored_meanwhile() -> None:
            outbox.looked = lambda: None
            outbox.add(2)
            relay.wake(["m"])

        outbox.add(1)
        outbox.looked = stored_meanwhile
        relay.wake(["m"])
        await relay.run_once()
        await relay.run_once()
        return broker.sent

    assert asyncio.run(rounds()) == [b"1", b"2"]
