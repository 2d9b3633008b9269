"""What Kafka says of the logs that an assignment is about: their bounds, what the group committed, and which topic they are of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from confluent_kafka.admin import AdminClient
from faust.types import TP

from schemas.errors import DriftlineError
from stream import asking
from stream.ingest.intake import Intake
from stream.state.epochs import Log
from stream.state.topics import TopicIds


class Surveyor:
    """Asks Kafka what an assignment needs to know of its partitions' logs."""

    def __init__(self, admin: AdminClient) -> None:
        self._topic_ids = TopicIds(admin)
        self.intake: Intake | None = None

    async def survey(self, tps: set[TP]) -> Mapping[TP, Log]:
        """Start, end, topic id and committed offset of each partition."""
        consumer = self.intake.consumer if self.intake else None
        if consumer is None:
            raise DriftlineError("no consumer yet: partitions are surveyed after an assignment")
        ids = await self.ids({tp.topic for tp in tps})
        ends = await asking.positions(consumer, tps)
        committed = await asking.committed(consumer, tps)
        return {tp: Log(*ends[tp], ids[tp.topic], committed[tp]) for tp in tps}

    async def ids(self, topics: set[str]) -> Mapping[str, str | None]:
        """The id of each topic, None where it is not known."""
        return await asyncio.to_thread(self._topic_ids.of, sorted(topics))
