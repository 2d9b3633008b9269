"""What the incident core decides by: lineage, routes, who is behind a receiver's name, and timings.

An address is where a message goes, a PagerDuty key or a Slack channel, and gives no secret away.  Those who hold the secrets
name it.  A receiver's name is a label: the register keeps addresses, so a rename moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from alerting.deliveries import ReceiverKind
from alerting.lineage import Lineage
from alerting.routing import Branch, tree_of
from schemas.monitored import RouteMonitor

MINUTE = 60_000
DAY = 1_440 * MINUTE
Clock = Literal["live", "event"]


@dataclass(frozen=True, slots=True)
class Address:
    """One place to tell; ``name`` is unique, and stays the same as long as it is the same place.

    ``secret`` tells its secrets apart and gives none away; empty where that is not known.
    """

    name: str
    kind: ReceiverKind
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """Lengths in ms.  Those of event time: ``slack``, ``recover_hold``.  The others are the owner's clock's.

    ``slack`` widens every onset; ``recover_hold`` is the shortest hold, doubled at each return up to ``hold_cap`` times its
    first length; ``blind_limit`` is how long an incident stays open that nothing is known of any more; ``expire_after`` ends
    one that is clear and whose model says nothing more; ended ones are kept for ``keep_ended``; ``cap`` bounds live ones.
    More than ``storm`` openings at one address within ``storm_window`` are a storm.
    ``resolve_again`` is how long after a resolve PagerDuty is sent it once more.  What is heard of later than ``late_after`` is
    late, and told after ``late_hold`` at the earliest.  A digest waits for ``digest_wait``, for others to join it.
    What is open at an Alertmanager is posted again after ``post_again``: it remembers nothing over a restart.
    """

    slack: int = 5 * MINUTE
    recover_hold: int = 10 * MINUTE
    hold_cap: int = 8
    open_wait: int = MINUTE // 2
    update_interval: int = 5 * MINUTE
    blind_limit: int = DAY
    expire_after: int = 2 * DAY
    keep_ended: int = DAY
    cap: int = 10_000
    storm: int = 10
    storm_window: int = 10 * MINUTE
    resolve_again: int = 60 * MINUTE
    late_after: int = 10 * MINUTE
    late_hold: int = 2 * MINUTE
    digest_wait: int = 2 * MINUTE
    post_again: int = 5 * MINUTE


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Everything decided by, read only.  ``clock`` is what the owner's clock is: the present, or event time in a replay."""

    lineage: Lineage
    tree: Branch
    receivers: Mapping[str, tuple[Address, ...]]
    timings: Timings
    clock: Clock = "live"

    @classmethod
    def of(
        cls,
        lineage: Lineage,
        route: RouteMonitor,
        receivers: Mapping[str, tuple[Address, ...]],
        *,
        timings: Timings | None = None,
        clock: Clock = "live",
    ) -> Policy:
        """:raises ValueError: a route's matcher cannot be read."""
        timings = timings or Timings()
        tree = tree_of(route, open_wait=timings.open_wait, update_interval=timings.update_interval)
        return cls(lineage, tree, dict(receivers), timings, clock)

    def post_again(self, kind: ReceiverKind) -> int | None:
        """After how long an address is told again what it was told; None: it remembers.  In a replay nothing is forgotten."""
        return self.timings.post_again if kind == "alertmanager" and self.clock == "live" else None

    def addresses(self, receiver: str | None) -> tuple[Address, ...]:
        """The addresses behind a receiver's name; none where only the console shows it."""
        return self.receivers.get(receiver or "", ())

    def secret_of(self, address: str) -> str:
        """The fingerprint of an address' secret; empty where it is not known."""
        found = (one.secret for addresses in self.receivers.values() for one in addresses if one.name == address)
        return next(found, "")

    @property
    def fallback(self) -> tuple[Address, ...]:
        """Who is told what could not be told where it belongs: the root route's receiver."""
        return self.addresses(self.tree.receiver)
