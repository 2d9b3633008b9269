"""Requests that were counted and not published yet, and the next part of them to publish.  Pure.

Growth is added up while the broker is away, so what waits takes no more room for it, and nothing is lost.  Only whole requests are
taken; latencies and tokens that came without theirs (a server counts them a moment apart) wait for the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stream.scraping.deltas import Growth, summed
from stream.scraping.meters import Meter

Measures = Mapping[str, Mapping[tuple[float, ...], Meter]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An owner's growth over ``(begin_ms, end_ms]``."""

    begin_ms: int
    end_ms: int
    requests: float = 0.0
    errors: float = 0.0
    measures: Measures = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows to publish: so many requests, of which so many failed, and whole observations of each quantity."""

    begin_ms: int
    end_ms: int
    rows: int
    errors: int
    measures: Mapping[str, tuple[Meter, ...]]


def added(waiting: Waiting | None, growth: Growth, *, begin_ms: int, end_ms: int) -> Waiting:
    """What waits with a scrape's growth; its time begins with the oldest request that waits."""
    if waiting is None:
        return Waiting(begin_ms, end_ms, growth.requests, growth.errors, growth.measures)
    begin = waiting.begin_ms if waiting.requests >= 1 else begin_ms
    measures = {
        name: _merged(waiting.measures.get(name, {}), growth.measures.get(name, {}))
        for name in {**waiting.measures, **growth.measures}
    }
    return Waiting(begin, end_ms, waiting.requests + growth.requests, waiting.errors + growth.errors, measures)


def take(waiting: Waiting, most: int) -> tuple[Part | None, Waiting]:
    """The oldest part of at most so many rows, and what is left; None where there is no whole request.

    >>> part, left = take(Waiting(0, 1000, requests=10.0, errors=2.0), 4)
    >>> part.rows, part.errors, (part.begin_ms, part.end_ms), left.requests, left.errors
    (4, 0, (0, 400), 6.0, 2.0)
    """
    whole = math.floor(waiting.requests)
    rows = min(whole, most)
    if rows == 0:
        return None, waiting
    share = rows / whole
    errors = min(math.floor(waiting.errors * share), rows)
    end_ms = waiting.begin_ms + math.floor((waiting.end_ms - waiting.begin_ms) * share)
    taken: dict[str, tuple[Meter, ...]] = {}
    left: dict[str, Mapping[tuple[float, ...], Meter]] = {}
    for name, kinds in waiting.measures.items():
        taken[name], left[name] = _taken(kinds, share=share, rows=rows, succeeded=rows - errors)
    rest = Waiting(end_ms, waiting.end_ms, waiting.requests - rows, waiting.errors - errors, left)
    return Part(waiting.begin_ms, end_ms, rows, errors, taken), rest


def _taken(
    kinds: Mapping[tuple[float, ...], Meter], *, share: float, rows: int, succeeded: int
) -> tuple[tuple[Meter, ...], Mapping[tuple[float, ...], Meter]]:
    taken, left, room = [], {}, rows
    for bounds, meter in kinds.items():
        one, rest = _drawn(meter, share=share, room=room) if bounds else _sum_taken(meter, share=share, rows=succeeded)
        if one is not None:
            taken.append(one)
            room -= round(math.fsum(one.counts))
        if rest is not None:
            left[bounds] = rest
    return tuple(taken), left


def _sum_taken(meter: Meter, *, share: float, rows: int) -> tuple[Meter | None, Meter | None]:
    """A sum without counts is spread over the requests that succeeded, so it waits for one."""
    if not meter.total or not rows:
        return None, meter
    part = meter.total * share
    return Meter(part), None if share == 1 else Meter(meter.total - part)


def _drawn(meter: Meter, *, share: float, room: int) -> tuple[Meter | None, Meter | None]:
    """Some of the observations, of every bucket as near to the same share as whole ones allow."""
    there = math.fsum(meter.counts)
    wanted = min(math.floor(there * share + 1e-9), room)
    if wanted == 0:
        return None, meter if there else None
    counts = allotted(meter.counts, wanted)
    rest = tuple(count - taken for count, taken in zip(meter.counts, counts, strict=True))
    part = None if meter.total is None else meter.total * sum(counts) / there
    left = Meter(None if meter.total is None or part is None else meter.total - part, meter.bounds, rest)
    return Meter(part, meter.bounds, tuple(map(float, counts))), left if any(rest) else None


def allotted(counts: Sequence[float], wanted: int) -> list[int]:
    """``wanted`` whole observations of these, by largest remainders; never more of a bucket than it has, whole ones.

    >>> allotted([3.0, 0.0, 1.0], 2)
    [2, 0, 0]
    >>> allotted([3.0, 0.0, 1.0], 4)
    [3, 0, 1]
    """
    there = math.fsum(counts)
    shares = [count * wanted / there for count in counts]
    found = [min(math.floor(share + 1e-9), math.floor(count)) for share, count in zip(shares, counts, strict=True)]
    by_remainder = sorted(range(len(counts)), key=lambda at: (found[at] - shares[at], at))
    for _ in range(len(counts)):
        for at in by_remainder:
            if sum(found) < wanted and found[at] + 1 <= counts[at]:
                found[at] += 1
    return found


def _merged(
    one: Mapping[tuple[float, ...], Meter], other: Mapping[tuple[float, ...], Meter]
) -> Mapping[tuple[float, ...], Meter]:
    return {**one, **{bounds: summed(one.get(bounds), meter) for bounds, meter in other.items()}}


def shifted(waiting: Waiting, begin_ms: int) -> Waiting:
    """What waits, as if its time had begun no earlier."""
    return replace(waiting, begin_ms=max(waiting.begin_ms, min(begin_ms, waiting.end_ms)))
