"""What was seen of a target and what of it waits to be published: the state between scrapes.  No I/O, no clock.

The first scrape is a baseline.  A failed one changes nothing, so the next holds what was missed, in one piece with its time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from schemas.targets import Target
from stream.scraping import gpus, meters
from stream.scraping.deltas import MOST_REQUESTS_PER_S, Growth, check_plausible, grown
from stream.scraping.exposition import families
from stream.scraping.fetch import Page
from stream.scraping.instances import FACTOR, REQUESTS, Instance, Instances
from stream.scraping.meters import MOST_SERIES, Owner, Reading, reading
from stream.scraping.waiting import Part, Waiting, added, shifted, take

#: Rows are given times of at most the last so many milliseconds: models refuse what is older than their `revise_within`.
LONGEST_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Scraped:
    """What a page says: meters of requests, samples of GPUs."""

    reading: Reading | None
    samples: tuple[dict[str, Any], ...]

    @property
    def series(self) -> int:
        """How many series were understood; none may mean a wrong kind."""
        return len(self.samples) + (len(self.reading.meters) if self.reading else 0)

    @property
    def means(self) -> bool:
        """Whether of some latencies only the sum is known, so that every request gets the mean."""
        meters = self.reading.meters if self.reading else {}
        return any(series.quantity == "latency" and not meter.bounds for series, meter in meters.items())


def scraped(page: Page, target: Target, *, at_ms: int) -> Scraped:
    """The page as its target's map understands it.

    :raises Broken: it is no exposition that can be counted by.
    """
    serving, map_of_gpus = target.names.serving, target.names.gpus
    wanted = meters.names_read(serving) if serving else set()
    wanted |= gpus.names_read(map_of_gpus) if map_of_gpus else set()
    found = families(page.body, page.content_type, wanted)
    host = urlsplit(target.url).hostname or ""
    events = gpus.samples(found, map_of_gpus, at_ms=at_ms, host=host) if map_of_gpus else []
    return Scraped(reading(found, serving, target) if serving else None, tuple(events))


class Counters:
    """A target's counters from scrape to scrape; scrapes and the taking of rows may come from two threads."""

    def __init__(self, known: Instance | None = None, waiting: Mapping[Owner, Waiting] | None = None) -> None:
        self._instances = Instances(known)
        self._waiting = dict(waiting or {})
        self._fastest, self._interval_s = 0.0, 1.0
        self._lock = Lock()

    @property
    def waiting(self) -> int:
        """Requests that are not published yet."""
        with self._lock:
            return sum(int(waiting.requests) for waiting in self._waiting.values())

    @property
    def several(self) -> bool:
        """Whether the target's address leads to more than one server."""
        return self._instances.several

    @property
    def left(self) -> tuple[Instance | None, Mapping[Owner, Waiting]]:
        """What another process needs to go on from here."""
        return self._instances.newest, self._waiting

    def see(self, now: Reading, *, at_ms: int) -> None:
        """Take in a scrape.

        :raises Broken: ``implausible``; the counters as they are now are the baseline from here on.
        """
        with self._lock:
            self._see(now, at_ms=at_ms)

    def next_parts(self, most: int) -> list[tuple[Owner, Part]]:
        """Take away the next rows to publish, at most so many of all owners together; none where none wait."""
        with self._lock:
            return list(self._parts(most))

    def _see(self, now: Reading, *, at_ms: int) -> None:
        match = self._instances.see(now, at_ms=at_ms)
        if match is None or match.counts == "nothing":
            return
        growth = grown(match.before.meters if match.counts == "growth" else {}, now)
        begin_ms = min(match.before.seen_ms, at_ms)
        self._check(growth, seconds=(at_ms - begin_ms) / 1000, anew=match.anew)
        for owner, each in growth.items():
            self._waiting[owner] = added(self._waiting.get(owner), each, begin_ms=begin_ms, end_ms=at_ms)
        if len(self._waiting) > 2 * MOST_SERIES:  # owners of whom only parts of a request wait, ever new ones
            self._waiting = {owner: each for owner, each in self._waiting.items() if each.requests >= 1}

    def _parts(self, most: int) -> Iterator[tuple[Owner, Part]]:
        for owner in list(self._waiting):
            if most == 0:
                return
            waiting = self._waiting.pop(owner)
            part, left = take(shifted(waiting, waiting.end_ms - LONGEST_MS), most)
            if left.requests or left.errors or any(left.measures.values()):
                self._waiting[owner] = left  # behind the others: each has its turn
            if part is not None:
                most -= part.rows
                yield owner, part

    def _check(self, growth: Mapping[Owner, Growth], *, seconds: float, anew: bool) -> None:
        """What was begun anew has counted since then only, so it has no more than the target ever grew by, give or take.

        A clock that was set back does not say how long it was: as long as the time before.
        """
        requests = math.fsum(each.requests for each in growth.values())
        seconds = self._interval_s = seconds or self._interval_s
        believed = FACTOR * self._fastest + REQUESTS
        check_plausible(
            requests, seconds=seconds, per_s=min(believed, MOST_REQUESTS_PER_S) if anew else MOST_REQUESTS_PER_S
        )
        if not anew:
            self._fastest = max(self._fastest, requests / max(seconds, 1.0))
