"""What the incident owner decides by: the configuration in force as a policy, and the receivers it names.

Looked at again every second or so: a new generation, a rotated integration key and a secret that has come all show here.  A
configuration that cannot be used leaves the one before in force and says so once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from redis.asyncio import Redis

from alerting.inputs import Configure
from alerting.lineage import Lineage
from alerting.policy import Address, Policy
from alerting.receivers.build import Built, build
from alerting.receivers.endpoints import Endpoints
from alerting.receivers.receiver import Receiver
from schemas.config import Generation
from schemas.errors import ConfigError, StoreError
from schemas.monitored import RouteMonitor
from schemas.settings import Settings
from stream.incidents.inbox import EventInbox, Pair
from stream.incidents.owner import Owner
from stream.incidents.tenure import Ended
from stream.state.generations import Stamp, read, read_stamp
from stream.state.patience import Patience

log = logging.getLogger(__name__)

NOTHING = Policy.of(Lineage.of({}, {}), RouteMonitor(), {})


class Configured:
    """``policy`` and ``announced`` are what is followed; ``first`` is set once there is any."""

    def __init__(self, redis: Redis, settings: Settings, *, patience: Patience) -> None:
        self.policy = NOTHING
        self.announced: tuple[Pair, ...] = ()
        self.first = asyncio.Event()
        self.receivers: Mapping[str, Receiver] = {}
        self._redis, self._settings, self._patience = redis, settings, patience
        self._held: Stamp | None = None
        self._generation: Generation | None = None
        self._names: Mapping[str, tuple[str, ...]] = {}
        self._said = ""
        self._lock = asyncio.Lock()

    async def refresh(self) -> bool:
        """Look again; True where something else is followed now."""
        async with self._lock:
            try:
                return await self._refreshed()
            except (StoreError, ValueError) as error:
                self._say(str(error))
                return False

    async def follow(self, owner: Owner) -> None:
        """Look again, and have the owner decide by what has changed."""
        await self.refresh()
        tenure = owner.tenure
        policy = self.policy
        if tenure is None or tenure.configured is policy or not self.first.is_set():
            return
        if isinstance(tenure.inbox, EventInbox):
            tenure.inbox.announce(self.announced)
        with contextlib.suppress(Ended):  # the next tenure begins with this policy
            await owner.submit(tenure, Configure(policy))
            tenure.configured = policy

    async def _refreshed(self) -> bool:
        stamp = await self._patience(lambda: read_stamp(self._redis, self._settings.names))
        newer = stamp is not None and stamp != self._held
        if newer:
            self._generation = await self._patience(lambda: read(self._redis, self._settings.names))
        generation = self._generation
        if generation is None:
            return False
        built = await asyncio.to_thread(self._built, generation)
        if not newer and built.names == self._names:
            return False
        self._take(generation, built)
        self._held = stamp
        return True

    def _built(self, generation: Generation) -> Built:
        settings = self._settings
        endpoints = Endpoints(settings.pagerduty_url, settings.slack_url, settings.console_url)
        receivers = generation.receivers
        try:
            return build(receivers, environment=settings.environment, endpoints=endpoints, clock=settings.clock)
        except ConfigError as error:
            # Incidents are kept all the same; whom they cannot be told to is said once.
            return Built({}, dict.fromkeys(receivers, ()), error.problems)

    def _take(self, generation: Generation, built: Built) -> None:
        self._names, self._said = built.names, ""
        whom = "a receiver cannot be told" if built.receivers else "nobody can be told of incidents"
        for problem in built.problems:
            log.error("%s: %s", whom, problem)
        # An address that left the file may still have to hear how something ended.
        self.receivers = {**self.receivers, **built.receivers}
        self.policy = policy_of(generation, built)
        self.announced = tuple(announced(generation))
        self.first.set()

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            log.error("incidents stay with the configuration that they had: %s", why)


def policy_of(generation: Generation, built: Built) -> Policy:
    """What the core decides by."""
    models = {name: force.monitor for name, force in generation.models.items()}
    return Policy.of(Lineage.of(models, generation.sources), generation.route, _addresses(built))


def _addresses(built: Built) -> dict[str, tuple[Address, ...]]:
    kinds = {address: receiver.kind for address, receiver in built.receivers.items()}
    return {name: tuple(Address(one, kinds[one]) for one in found) for name, found in built.names.items()}


def announced(generation: Generation) -> list[Pair]:
    """The streams that event time waits for: each model's predictions, and its requests where they come by themselves."""
    found: list[Pair] = []
    for name, force in generation.models.items():
        found.append((name, "predictions"))
        if force.monitor.serving.stream == "serving":
            found.append((name, "serving"))
    return found
