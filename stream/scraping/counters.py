"""What was seen of a target and what of it waits to be published: the state between scrapes.  No I/O, no clock.

The first scrape is a baseline.  A failed one changes nothing, so the next holds what was missed, in one piece with its time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from schemas.targets import Target
from stream.scraping import gpus, meters
from stream.scraping.deltas import check_plausible, grown, restarted
from stream.scraping.exposition import families
from stream.scraping.fetch import Page
from stream.scraping.meters import MOST_SERIES, Meter, Owner, Reading, Series, reading
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
    """A target's counters from scrape to scrape."""

    def __init__(self) -> None:
        self._seen: dict[Series, Meter] = {}
        self._last: Reading | None = None
        self._last_ms = 0
        self._waiting: dict[Owner, Waiting] = {}

    @property
    def waiting(self) -> int:
        """Requests that are not published yet."""
        return sum(int(waiting.requests) for waiting in self._waiting.values())

    def see(self, now: Reading, *, at_ms: int) -> None:
        """Take in a scrape.

        :raises Broken: ``implausible``; the counters as they are now are the baseline from here on.
        """
        before, last, begin_ms = self._seen, self._last, min(self._last_ms, at_ms)
        self._remember(now, at_ms)
        if last is None:
            return
        growth = grown(before, now, restarted=restarted(last, now))
        check_plausible(growth, seconds=(at_ms - begin_ms) / 1000)
        for owner, each in growth.items():
            waiting = self._waiting.get(owner)
            self._waiting[owner] = added(waiting, each, begin_ms=begin_ms, end_ms=at_ms)

    def next_part(self, most: int) -> tuple[Owner, Part] | None:
        """Take away the next rows to publish, at most so many; None where none wait."""
        for owner in list(self._waiting):
            waiting = self._waiting.pop(owner)
            part, left = take(shifted(waiting, waiting.end_ms - LONGEST_MS), most)
            self._waiting[owner] = left  # behind the others: each has its turn
            if part is not None:
                return owner, part
        return None

    def _remember(self, now: Reading, at_ms: int) -> None:
        """A series that is gone for a while is not begun anew when it is back; one server has not ever new ones without end."""
        kept: Iterable[tuple[Series, Meter]] = self._seen.items() if len(self._seen) <= 2 * MOST_SERIES else ()
        self._seen = {**dict(kept), **now.meters}
        started = now.started if now.started is not None or self._last is None else self._last.started
        self._last, self._last_ms = Reading({}, started), at_ms
