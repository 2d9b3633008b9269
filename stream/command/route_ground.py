"""What a finding is tried on: what is in force with the incidents and silences that there are, or a monitors file by itself.

Addresses are named without their secrets, which are where workers run: an integration key's address is looked up among what
was told, and stands for itself by the receiver's name where nothing was.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from alerting.entry import Entry
from alerting.lineage import Lineage
from alerting.policy import Address, Policy
from alerting.receivers.address import alertmanager_address, slack_address
from alerting.records import restored, tabled
from alerting.state import State, new_state
from schemas.config import Generation
from schemas.errors import StoreError
from schemas.monitored import ModelMonitor, ReceiverMonitor, RouteMonitor, SourceMonitor
from schemas.monitors import load_monitors
from schemas.names import Names
from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.state.applying import check_routes
from stream.state.clock import read_clock, read_now, read_replayed
from stream.state.generations import read


@dataclass(frozen=True, slots=True)
class Ground:
    """What a finding is tried on: a configuration, the incidents and silences that there are, and what time it is."""

    models: Mapping[str, ModelMonitor]
    sources: Mapping[str, SourceMonitor]
    state: State
    now: int
    of: str
    live: bool = True


def of_file(file: Path) -> Ground:
    """A monitors file as if nothing had happened yet; asks no service.

    :raises ConfigError: it cannot be used.
    """
    found = load_monitors(file)
    check_routes(found)
    policy = _policy(found.models, found.sources, route=found.route, receivers=_addresses(found.receivers, ()))
    return Ground(found.models, found.sources, new_state(policy), int(time.time() * 1000), str(file))


def in_force() -> Ground:
    """What is in force now.

    :raises StoreError: nothing is, or what is stored cannot be read.
    """
    return ask_redis(load_settings(), _standing)


async def _standing(redis: Redis, names: Names) -> Ground:
    generation = await read(redis, names)
    if generation is None:
        raise StoreError(
            "no configuration is in force: run `driftline apply FILE`, or name a monitors file (--monitors)"
        )
    stored: Any = await redis.hgetall(names.incidents("records"))
    state = _state({name.decode(): value for name, value in stored.items()}, generation)
    live = await read_clock(redis, names) != "event"
    now = await read_now(redis, names) if live else await read_replayed(redis, names) or 0
    models = {name: force.monitor for name, force in generation.models.items()}
    return Ground(models, generation.sources, state, max(now, state.now), f"generation {generation.number}", live)


def _state(records: Mapping[str, bytes], generation: Generation) -> State:
    """What the owner would find, under what is in force."""
    models = {name: force.monitor for name, force in generation.models.items()}
    try:
        known = tabled(records, _policy({}, {}, route=RouteMonitor(), receivers={})).entries.values()
        receivers = _addresses(generation.receivers, known)
        return restored(records, _policy(models, generation.sources, route=generation.route, receivers=receivers))
    except (ValueError, AttributeError) as error:
        raise StoreError(f"what is stored of incidents cannot be read: {error}") from None


def _policy(
    models: Mapping[str, ModelMonitor], sources: Mapping[str, SourceMonitor], *, route: RouteMonitor,
    receivers: Mapping[str, tuple[Address, ...]],
) -> Policy:  # fmt: skip
    return Policy.of(Lineage.of(models, sources), route, receivers)


def _addresses(receivers: Mapping[str, ReceiverMonitor], known: Iterable[Entry]) -> dict[str, tuple[Address, ...]]:
    keys = {entry.receiver: entry.address for entry in known if entry.kind == "pagerduty" and entry.failed is None}
    return {name: tuple(_of_one(name, receiver, keys)) for name, receiver in receivers.items()}


def _of_one(name: str, receiver: ReceiverMonitor, keys: Mapping[str, str]) -> Iterator[Address]:
    if receiver.alertmanager is not None:
        yield Address(alertmanager_address(receiver.alertmanager.url), "alertmanager")
    if receiver.pagerduty is not None:
        yield Address(keys.get(name, f"pagerduty:(key of {name})"), "pagerduty")
    if receiver.slack is not None:
        yield Address(slack_address(receiver.slack.channel), "slack")
