"""Puts the parts of the incident owner together and onto a Faust app: its agent, and the tasks that keep it going."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import faust
from faust.types import TP
from redis.asyncio import Redis

from schemas.settings import Settings
from stream import transport
from stream.incidents.agent import INPUTS, IncidentAgent, Survey
from stream.incidents.configured import Configured
from stream.incidents.owner import Owner
from stream.incidents.publish import Relay, incident_producer
from stream.incidents.senders import Budget, Senders
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.state.patience import Patience
from stream.transport import Run, RunConsumer

#: Awaits work and ends the process on what it raises.
Surviving = Callable[[Awaitable[object]], Awaitable[None]]


@dataclass(frozen=True, eq=False, slots=True)
class Incidents:
    """Everything the incident owner is made of."""

    owner: Owner
    agent: IncidentAgent
    senders: Senders
    relay: Relay
    configured: Configured
    tally: OwnerTally

    async def take(self, consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        """What the transport asks at an assignment, of the partitions that are the agent's."""
        return await self.agent.take(consumer, {tp for tp in tps if self.agent.is_input(tp)})

    def others(self, tps: set[TP]) -> set[TP]:
        """The partitions of an assignment that are not the agent's."""
        return {tp for tp in tps if not self.agent.is_input(tp)}


def incidents_of(
    settings: Settings, redis: Redis, budget: Budget, *, patience: Patience, survey: Survey, who: str
) -> Incidents:
    """Build the parts; nothing is started."""
    tally = OwnerTally()
    store = IncidentStore(redis, settings.names)
    owner = Owner(store, lock_step=settings.clock == "event", patience=patience, tally=tally)
    configured = Configured(redis, settings, patience=patience)
    return Incidents(
        owner,
        IncidentAgent(owner, configured, survey=survey, who=who),
        Senders(owner, budget, in_doubt_s=settings.in_doubt_s),
        Relay(owner, incident_producer(settings.kafka)),
        configured,
        tally,
    )


def add_incidents(app: faust.App, built: Incidents, settings: Settings, *, surviving: Surviving) -> None:
    """Add the agent and the tasks to an app."""
    topics = [settings.names.topic(name) for name in INPUTS]

    @app.agent(app.topic(*topics, schema=transport.RunSchema()))
    async def incidents(runs: Any) -> None:
        async for run in runs:
            await surviving(_received(built, run))

    async def deciding() -> None:
        await _for_ever(app, built.owner.run, surviving=surviving)

    async def sending() -> None:
        await _for_ever(app, built.senders.run, surviving=surviving)

    async def publishing() -> None:
        await _for_ever(app, built.relay.run, surviving=surviving)

    async def following() -> None:
        async def work() -> None:
            await built.configured.follow(built.owner, built.senders)
            await app.sleep(settings.config_poll_s)

        await _for_ever(app, work, surviving=surviving)

    async def reclaiming() -> None:
        async def work() -> None:
            await app.sleep(settings.session_timeout_s)
            await built.agent.reclaim()

        await _for_ever(app, work, surviving=surviving)

    async def stopping(app: Any, **kwargs: Any) -> None:
        built.senders.stop()

    for task in (deciding, sending, publishing, following, reclaiming):
        app.task(task)
    app.on_before_shutdown.connect(stopping)  # type: ignore[arg-type]


async def _received(built: Incidents, run: Run) -> None:
    await built.agent.receive(run)


async def _for_ever(app: faust.App, work: Callable[[], Awaitable[object]], *, surviving: Surviving) -> None:
    while not app.should_stop:
        await surviving(work())
