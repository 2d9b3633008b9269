"""What a worker stores beside its panes: refused events in Kafka; in Redis samples of GPUs, and when features were updated.

All of it before the offset behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from schemas.settings import Settings
from stream.ingest.dead_letters import DeadLetters, Masking, dead_letter_producer
from stream.ingest.gpus import GpuSamples
from stream.ingest.newest import FeatureUpdates, Newest
from stream.state.gpus import GpuStore
from stream.state.patience import Patience


@dataclass(frozen=True, eq=False, slots=True)
class Beside:
    """All are added to while events are counted; ``settle`` waits until all of it is stored."""

    letters: DeadLetters
    gpus: GpuSamples
    newest: Newest
    updates: FeatureUpdates

    async def settle(self) -> None:
        """Wait until everything added so far is stored."""
        await self.letters.settle()
        await self.gpus.settle()
        await self.updates.settle()


def beside(settings: Settings, redis: Redis, *, patience: Patience) -> Beside:
    """Build it; nothing is started."""
    masking = Masking(settings.dead_letter_payload_bytes, settings.dead_letter_unmasked)
    producer = dead_letter_producer(settings)
    letters = DeadLetters(producer, settings.names.topic("dead-letters"), masking=masking)
    gpus, newest = GpuSamples(GpuStore(redis, settings.names), patience=patience), Newest()
    return Beside(letters, gpus, newest, FeatureUpdates(redis, settings.names, newest, patience=patience))
