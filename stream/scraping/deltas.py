"""What a target's counters grew by between two scrapes, by Prometheus' rule: one that fell was begun anew, from zero.  Pure.

A series that was not there before counts from zero, for exporters make a series with its first request.  Which server it is that
grew :mod:`stream.scraping.instances` says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.scraping.broken import Broken
from stream.scraping.meters import COUNTED, Meter, Owner, Reading, Series

#: More is no delta of a server; it is a counter that lies.
MOST_REQUESTS_PER_S = 100_000


@dataclass(slots=True)
class Growth:
    """What an owner's requests grew by; ``measures`` has, by quantity and bounds, what was observed of them."""

    requests: float = 0.0
    errors: float = 0.0  # of these
    measures: dict[str, dict[tuple[float, ...], Meter]] = field(default_factory=dict)


def grown(before: Mapping[Series, Meter], now: Reading) -> dict[Owner, Growth]:
    """Each owner's growth since what was last seen of each of its series.

    >>> owner = Owner("m")
    >>> series = Series(owner, "requests", frozenset())
    >>> grown({series: Meter(10.0)}, Reading({series: Meter(12.0)}))[owner].requests
    2.0
    >>> grown({series: Meter(10.0)}, Reading({series: Meter(3.0)}))[owner].requests
    3.0
    """
    found: dict[Owner, Growth] = {}
    for series, meter in now.meters.items():
        delta = since(before.get(series), meter)
        _add(found.setdefault(series.owner, Growth()), series.quantity, delta)
    return found


def fell(before: Mapping[Series, Meter], now: Reading) -> bool:
    """Whether a counter, or a bucket, is less than it was.

    >>> series = Series(Owner("m"), "requests", frozenset())
    >>> fell({series: Meter(10.0)}, Reading({series: Meter(9.0)})), fell({}, Reading({series: Meter(9.0)}))
    (True, False)
    """
    pairs = ((before.get(series), meter) for series, meter in now.meters.items())
    return any(_fell(one, other) for one, other in pairs if one is not None and one.bounds == other.bounds)


def _fell(before: Meter, now: Meter) -> bool:
    if now.counts:
        return any(after < earlier for earlier, after in zip(before.counts, now.counts, strict=True))
    return before.total is not None and now.total is not None and now.total < before.total


def requests_since(before: Mapping[Series, Meter], now: Reading) -> float:
    """How many requests all owners together had since then."""
    counted = ((series, meter) for series, meter in now.meters.items() if series.quantity in COUNTED)
    grew = (since(before.get(series), meter).total or 0.0 for series, meter in counted if series.quantity != "errors")
    return math.fsum(grew)


def since(before: Meter | None, now: Meter) -> Meter:
    """What a meter grew by; all of it where it is new, has other buckets, or fell."""
    if before is None or before.bounds != now.bounds:
        return now
    if not now.counts:
        return Meter(_rise(before.total, now.total))
    counts = tuple(after - earlier for earlier, after in zip(before.counts, now.counts, strict=True))
    if min(counts) < 0:
        return now
    total = None if before.total is None or now.total is None else now.total - before.total
    return Meter(None if total is None or total < 0 else total, now.bounds, counts)


def check_plausible(requests: float, *, seconds: float, per_s: float = MOST_REQUESTS_PER_S) -> None:
    """Refuse a growth that no server has.

    :raises Broken: ``implausible``.
    """
    if requests > per_s * max(seconds, 1.0):
        said = f"{requests:.0f} requests in {seconds:.0f} s; at most {per_s:.0f} a second are believed"
        raise Broken("implausible", said)


def _rise(before: float | None, now: float | None) -> float | None:
    if before is None or now is None or now < before:
        return now
    return now - before


def _add(growth: Growth, quantity: str, delta: Meter) -> None:
    if quantity in COUNTED:
        amount = delta.total or 0.0
        growth.requests += 0.0 if quantity == "errors" else amount
        growth.errors += amount if quantity in ("errors", "failures") else 0.0
        return
    kinds = growth.measures.setdefault(quantity, {})
    kinds[delta.bounds] = summed(kinds.get(delta.bounds), delta)


def summed(one: Meter | None, other: Meter) -> Meter:
    """Two of the same buckets; a sum that one of them lacks is unknown."""
    if one is None:
        return other
    total = None if one.total is None or other.total is None else one.total + other.total
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Meter(total, one.bounds, counts)
