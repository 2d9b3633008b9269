"""What is asked of the brokers and of the group, on the consumer's own thread."""

from __future__ import annotations

from typing import cast

from faust.types import TP

from stream.transport import RunConsumer


async def positions(consumer: RunConsumer, tps: set[TP]) -> dict[TP, tuple[int, int]]:
    """(log start, log end) of each partition, asked from the broker."""
    starts = await consumer.earliest_offsets(*tps)
    ends = await consumer.highwaters(*tps)
    return {tp: (starts[tp], ends[tp]) for tp in tps}


async def committed(consumer: RunConsumer, tps: set[TP]) -> dict[TP, int | None]:
    """The group's committed offset of each partition."""
    inner = consumer._thread._ensure_consumer()

    async def ask() -> dict[TP, int | None]:
        return {tp: await inner.committed(tp) for tp in tps}

    return cast("dict[TP, int | None]", await consumer._thread.call_thread(ask))


async def rejoin(consumer: RunConsumer) -> None:
    """Ask the group for a new generation: a partition that was fenced is taken again only with one."""
    inner = consumer._thread._ensure_consumer()

    async def ask() -> None:
        inner._coordinator.request_rejoin()

    await consumer._thread.call_thread(ask)
