"""Which server a scrape is of, where an address may lead to several: the one that it goes on from, or one begun anew.  Pure.

Behind a load balancer each scrape may be answered by another process.  Taken for one, its counters would fall and rise all the
time, and thousands of requests would be counted that nobody made.  So servers that were seen are kept for a while, and a scrape
goes on from the one that it continues: by the start of its process, where it tells that, and else by its counters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stream.scraping.deltas import fell, requests_since
from stream.scraping.meters import MOST_SERIES, Meter, Reading, Series

#: Process start times that differ by less are the same, read with another clock's rounding.
SAME_START_S = 2.0
#: A process that began so long before another was still seen is no restart of it; clocks differ by less.
BESIDE_S = 300.0
#: Servers of an address that are kept, and for how many scrapes.
MOST_INSTANCES, KEPT = 16, 100
#: Falls within ``KEPT`` scrapes from which on an address leads to several servers, or to one that restarts all the time.
FALLS = 3
#: Another server is gone on from, not the last, where that makes the growth so much less: such a jump is hardly a restart's.
FACTOR, REQUESTS = 100.0, 1_000.0

Counts = Literal["growth", "whole", "nothing"]


@dataclass(frozen=True, slots=True)
class Instance:
    """A server as it was last seen."""

    meters: Mapping[Series, Meter]
    started: float | None
    seen_ms: int
    scrape: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """What a scrape goes on from; whether its growth counts, all that it has, or nothing; ``anew``: something was begun anew."""

    before: Instance
    counts: Counts
    anew: bool = False


class Instances:
    """The servers of one address, in the order in which they were seen."""

    def __init__(self, known: Instance | None = None) -> None:
        self._known = [known] if known is not None else []
        self._scrape = 0
        self._falls: list[int] = []
        self._several_until = 0

    @property
    def newest(self) -> Instance | None:
        """The server that was seen last."""
        return self._known[-1] if self._known else None

    @property
    def several(self) -> bool:
        """Whether the address leads to more than one, as far as the last scrapes tell."""
        return self._scrape < self._several_until

    def see(self, now: Reading, *, at_ms: int) -> Match | None:
        """Remember a scrape; what it goes on from, and None of the first."""
        self._scrape += 1
        newest = self.newest
        match = self._matched(now, newest) if newest is not None else None
        if match is not None and not match.anew:
            self._known.remove(match.before)
        self._known.append(_after(match.before if match else None, now, at_ms=at_ms, scrape=self._scrape))
        self._known = [each for each in self._known[-MOST_INSTANCES:] if each.scrape > self._scrape - KEPT]
        return match

    def _matched(self, now: Reading, newest: Instance) -> Match:
        own = [each for each in self._known if not _other(each, now)]
        found = self._continued(now, own)
        if found is not None:
            if found is not newest:
                self._several_until = self._scrape + KEPT
            return Match(found, "growth")
        if newest not in own and _beside(newest, now):
            self._several_until = self._scrape + KEPT
        if newest in own:
            self._fall()
        if self.several:
            return Match(newest, "nothing", anew=True)
        return Match(newest, "growth" if newest in own else "whole", anew=True)

    def _continued(self, now: Reading, own: list[Instance]) -> Instance | None:
        """The server of which no counter fell: the last one, unless another is far nearer."""
        fit = [each for each in own if not fell(each.meters, now)]
        if len(fit) < 2:
            return fit[0] if fit else None
        grew = [requests_since(each.meters, now) for each in fit]
        least = min(grew)
        believed = least if self.several else FACTOR * least + REQUESTS
        if fit[-1] is self.newest and grew[-1] <= believed:
            return fit[-1]
        return fit[grew.index(least)]

    def _fall(self) -> None:
        self._falls = [each for each in self._falls if each > self._scrape - KEPT] + [self._scrape]
        if len(self._falls) >= FALLS:
            self._several_until = self._scrape + KEPT


def _other(before: Instance, now: Reading) -> bool:
    """Whether a scrape is of another process, by what it says itself."""
    if before.started is None or now.started is None:
        return False
    return abs(now.started - before.started) > SAME_START_S


def _beside(newest: Instance, now: Reading) -> bool:
    """Whether another process was there already while the newest was seen: then it is no restart of it."""
    if now.started is None or newest.started is None:
        return False
    return now.started < newest.started or now.started < newest.seen_ms / 1000 - BESIDE_S


def _after(before: Instance | None, now: Reading, *, at_ms: int, scrape: int) -> Instance:
    """A series that is gone for a while is not begun anew when it is back; one server has not ever new ones without end."""
    if before is None:
        return Instance(dict(now.meters), now.started, at_ms, scrape)
    kept = before.meters if len(before.meters) <= 2 * MOST_SERIES else {}
    started = now.started if now.started is not None else before.started
    return Instance({**kept, **now.meters}, started, at_ms, scrape)
