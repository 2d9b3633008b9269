"""The scraper's own series, all ``driftline_scrape_…``, set from the tallies when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from stream.expose.growth import Growth
from stream.expose.health import Health
from stream.scraping.broken import REASONS
from stream.scraping.tally import Tally


class ScrapeMetrics:
    """Names and labels are a public contract (``docs/metrics.md``)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._grow = Growth()

        def counter(name: str, means: str, *labels: str) -> Counter:
            return Counter(f"driftline_scrape_{name}", means, ["target", *labels], registry=self.registry)

        def gauge(name: str, means: str) -> Gauge:
            return Gauge(f"driftline_scrape_{name}", means, ["target"], registry=self.registry)

        self.up = gauge("target_up", "1 where the target's last scrape was taken, 0 where it failed.")
        self.errors = counter("errors", "Scrapes that failed, by reason.", "reason")
        self.published = counter("published_events", "Events that Kafka has taken.")
        self.success = gauge("last_success_timestamp_seconds", "When the last scrape that was taken began.")
        self.seconds = gauge("duration_seconds", "How long the last scrape took, whatever came of it.")
        self.series = gauge("series", "Series understood at the last scrape that was taken.")
        self.waiting = gauge("waiting_requests", "Requests counted and not yet published.")

    def sample(self, tallies: Sequence[Tally]) -> None:
        """Set every series of every target."""
        for tally in tallies:
            for reason in REASONS:
                self._grow(self.errors.labels(tally.target, reason), tally.errors[reason])
            self._grow(self.published.labels(tally.target), tally.published)
            self.seconds.labels(tally.target).set(tally.seconds)
            self.waiting.labels(tally.target).set(tally.waiting)
            if tally.up is not None:
                self.up.labels(tally.target).set(int(tally.up))
            if tally.last_success_s:
                self.success.labels(tally.target).set(tally.last_success_s)
                self.series.labels(tally.target).set(tally.series)


class Sampler:
    """What the pages of the scraper are told by."""

    def __init__(self, metrics: ScrapeMetrics, tallies: Sequence[Tally]) -> None:
        self._metrics, self._tallies = metrics, tallies

    def sample(self) -> None:
        """Set every series."""
        self._metrics.sample(self._tallies)

    def health(self) -> Health:
        """Well whatever the targets do: one that fails is for its owner, and a restart would lose what waits."""
        failing = sum(tally.up is False for tally in self._tallies)
        waiting = sum(tally.waiting for tally in self._tallies)
        return Health(True, f"{len(self._tallies)} targets, {failing} failing, {waiting} requests wait for Kafka")

    def ready(self) -> bool:
        """Whether every target was asked once."""
        return all(tally.up is not None for tally in self._tallies)
