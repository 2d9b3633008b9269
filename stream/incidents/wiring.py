"""Puts the parts of the incident owner together and onto a Faust app: its agent, and the tasks that keep it going."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
from faust.types import TP
from redis.asyncio import Redis

from schemas.settings import Settings
from stream import transport
from stream.incidents.agent import INPUTS, IncidentAgent, Survey
from stream.incidents.awaited import LOOK_EVERY_S, Awaited
from stream.incidents.budget import RedisBudget
from stream.incidents.configured import Configured
from stream.incidents.owner import Owner
from stream.incidents.publish import Relay, incident_producer
from stream.incidents.restoring import Memory
from stream.incidents.senders import Senders
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.ingest.dead_letters import DeadLetters
from stream.kafka_client import kafka_options
from stream.state.patience import Patience
from stream.tasks import Periodic, surviving
from stream.transport import RunConsumer

#: 200 a minute go: more than end, even in a replay.
FORGET_EVERY_S = 60.0


@dataclass(frozen=True, eq=False, slots=True)
class Incidents:
    """Everything the incident owner is made of."""

    owner: Owner
    agent: IncidentAgent
    senders: Senders
    relay: Relay
    configured: Configured
    tally: OwnerTally
    awaited: Awaited

    async def take(self, consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        """What the transport asks at an assignment, of the partitions that are the agent's."""
        return await self.agent.take(consumer, {tp for tp in tps if self.agent.is_input(tp)})

    def tasks(self, settings: Settings) -> list[Periodic]:
        """What the worker does for it again and again; those at interval 0 sleep until they are woken."""
        return [
            Periodic("deciding", 0.0, self.owner.run),
            Periodic("sending", 0.0, self.senders.run),
            Periodic("publishing", 0.0, self.relay.run),
            Periodic("following", settings.config_poll_s, partial(self.configured.follow, self.owner)),
            Periodic("awaiting", LOOK_EVERY_S, self.awaited.run),
            Periodic("forgetting", FORGET_EVERY_S, self.owner.forget),
            Periodic("reclaiming_incidents", settings.session_timeout_s, self.agent.reclaim),
        ]

    def others(self, tps: set[TP]) -> set[TP]:
        """The partitions of an assignment that are not the agent's."""
        return {tp for tp in tps if not self.agent.is_input(tp)}


def incidents_of(
    settings: Settings, redis: Redis, *, patience: Patience, survey: Survey, who: str, letters: DeadLetters
) -> Incidents:
    """Build the parts; nothing is started."""
    tally = OwnerTally()
    store = IncidentStore(redis, settings.names, clock=settings.clock)
    owner = Owner(store, lock_step=settings.clock == "event", patience=patience, tally=tally)
    configured = Configured(redis, settings, patience=patience)
    memory = Memory(kafka_options(settings), settings.names)
    agent = IncidentAgent(owner, configured, survey=survey, letters=letters, who=who, memory=memory)
    relay = Relay(owner, incident_producer(settings))
    relay.published = agent.published
    return Incidents(
        owner,
        agent,
        Senders(
            owner,
            RedisBudget(redis, settings.names),
            receivers=lambda: configured.receivers,
            complete=lambda: configured.complete,
            in_doubt_s=settings.in_doubt_s,
        ),
        relay,
        configured,
        tally,
        Awaited(owner),
    )


def add_agent(app: faust.App, built: Incidents, settings: Settings) -> None:
    """Add the agent over findings and actions to an app."""
    topics = [settings.names.topic(name) for name in INPUTS]

    @app.agent(app.topic(*topics, schema=transport.RunSchema()))
    async def incidents(runs: Any) -> None:
        async for run in runs:
            await surviving(built.agent.receive(run))
