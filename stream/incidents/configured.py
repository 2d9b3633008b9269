"""What the incident owner decides by: the configuration in force as a policy, and the receivers it names.

Looked at again every second or so: a new generation, a rotated integration key and a secret that has come all show here.  A
configuration that cannot be used leaves the one before in force and says so once.  A secret that cannot be read takes nobody
out of it: those who were to be told stay, until another configuration names others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping

from redis.asyncio import Redis

from alerting.entry import Entry
from alerting.inputs import Configure
from alerting.lineage import Lineage
from alerting.policy import Address, Clock, Policy
from alerting.receivers.build import Built, build
from alerting.receivers.endpoints import Endpoints
from alerting.receivers.receiver import Receiver
from schemas.config import Generation
from schemas.errors import ConfigError, StoreError
from schemas.monitored import RouteMonitor
from schemas.settings import Settings
from stream.incidents.awaited import announced
from stream.incidents.inbox import EventInbox, Pair
from stream.incidents.owner import Owner
from stream.incidents.tenure import Ended
from stream.state.generations import Stamp, read, read_stamp
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: The addresses behind each receiver's name.
Known = dict[str, tuple[Address, ...]]
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
        self._built = Built({}, {})
        self._addresses: Known = {}
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
        if tenure is None or not self.first.is_set():
            return
        if tenure.unread is not None:
            self.recall(tenure.state.entries.values())
            await owner.equip(tenure, self.policy)
        policy = self.policy
        if tenure.configured is policy:
            return
        if isinstance(tenure.inbox, EventInbox):
            tenure.inbox.announce(self.announced)
        with contextlib.suppress(Ended):  # the next tenure begins with this policy
            await owner.submit(tenure, Configure(policy))
            tenure.configured = policy

    @property
    def complete(self) -> bool:
        """Whether every receiver of the configuration could be built."""
        return self._generation is not None and not self._built.problems

    def recall(self, entries: Iterable[Entry]) -> bool:
        """Take what the register knows for what cannot be built now; True where that changed the policy."""
        generation = self._generation
        if generation is None or self.complete:
            return False
        found: Known = {}
        for entry in entries:
            monitor, address = generation.receivers.get(entry.receiver), Address(entry.address, entry.kind)
            if entry.want is not None and getattr(monitor, entry.kind, None) is not None:
                found[entry.receiver] = (*(one for one in found.get(entry.receiver, ()) if one != address), address)
        known = completed(self._addresses, found)
        if known == self._addresses:
            return False
        self._follow(generation, known, policy_of(generation, known, self._settings.clock))
        return True

    async def _refreshed(self) -> bool:
        stamp = await self._patience(lambda: read_stamp(self._redis, self._settings.names))
        newer = stamp is not None and stamp != self._held
        generation = self._generation
        if newer:
            generation = await self._patience(lambda: read(self._redis, self._settings.names))
        if generation is None:
            return False
        built = await asyncio.to_thread(self._made, generation)
        known = completed(_addresses(built), self._unchanged(generation))
        same = not newer and known == self._addresses
        if not same:
            # A lineage of ten thousand features takes a while: not on the loop.
            policy = await asyncio.to_thread(policy_of, generation, known, self._settings.clock)
            self._follow(generation, known, policy)
        self._take(built, generation)
        self._held = stamp
        return not same

    def _unchanged(self, generation: Generation) -> Known:
        """What is known of receivers that this configuration has from the one before, or always had."""
        before = self._generation.receivers if self._generation is not None else {}
        return {
            name: found for name, found in self._addresses.items() if before.get(name) == generation.receivers.get(name)
        }

    def _made(self, generation: Generation) -> Built:
        settings = self._settings
        links = settings.console_url, settings.runbook_url
        endpoints = Endpoints(settings.pagerduty_url, settings.slack_url, *links)
        receivers = generation.receivers
        try:
            return build(receivers, environment=settings.environment, endpoints=endpoints, clock=settings.clock)
        except ConfigError as error:
            # Incidents are kept all the same; whom they cannot be told to is said once.
            return Built({}, dict.fromkeys(receivers, ()), error.problems)

    def _take(self, built: Built, generation: Generation) -> None:
        whom = "a receiver cannot be told" if built.receivers else "nobody can be told of incidents"
        for problem in built.problems:
            if generation is not self._generation or problem not in self._built.problems:
                log.error("%s: %s", whom, problem)
        # An address that left the file may still have to hear how something ended; one that stays knows what its threads tell.
        before = self._built.fingerprints if generation is self._generation else {}
        new = {name: one for name, one in built.receivers.items() if before.get(name) != built.fingerprints[name]}
        self.receivers = {**self.receivers, **new}
        self._built, self._generation, self._said = built, generation, ""

    def _follow(self, generation: Generation, known: Known, policy: Policy) -> None:
        self._addresses, self.policy = known, policy
        self.announced = tuple(announced(generation))
        self.first.set()

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            log.error("incidents stay with the configuration that they had: %s", why)


def policy_of(generation: Generation, known: Known, clock: Clock) -> Policy:
    """What the core decides by."""
    models = {name: force.monitor for name, force in generation.models.items()}
    return Policy.of(Lineage.of(models, generation.sources), generation.route, known, clock=clock)


def completed(built: Known, before: Known) -> Known:
    """The addresses of each name, with the one that was known before for each kind that could not be built now.

    >>> pager, channel = Address("pagerduty:1", "pagerduty"), Address("slack:#ml", "slack")
    >>> sorted(one.name for one in completed({"oncall": (channel,)}, {"oncall": (pager, channel)})["oncall"])
    ['pagerduty:1', 'slack:#ml']
    """
    found: Known = {}
    for name, own in built.items():
        kinds = {address.kind for address in own}
        kept = tuple(address for address in before.get(name, ()) if address.kind not in kinds)
        found[name] = tuple(sorted((*own, *kept), key=lambda address: address.kind))
    return found


def _addresses(built: Built) -> Known:
    kinds = {address: receiver.kind for address, receiver in built.receivers.items()}
    secrets = built.fingerprints
    return {name: tuple(Address(one, kinds[one], secrets[one]) for one in found) for name, found in built.names.items()}
