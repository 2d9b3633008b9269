"""The webhook's own series, all ``driftline_webhook_…``, set from its tally when they are asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from stream.expose.growth import Growth
from stream.expose.health import Health
from stream.webhook.receive import Tally

#: Every answer that there is.
ANSWERS = (200, 400, 401, 408, 413, 503)


class WebhookMetrics:
    """Names and labels are a public contract (``docs/metrics.md``); it is also what the pages are told by."""

    def __init__(self, tally: Tally) -> None:
        self.registry = CollectorRegistry()
        self._tally, self._grow = tally, Growth()

        def counter(name: str, means: str, *labels: str) -> Counter:
            return Counter(f"driftline_webhook_{name}", means, labels, registry=self.registry)

        self.requests = counter("requests", "Notifications by the status that they were answered with.", "status")
        self.alerts = counter("alerts", "Alerts that became findings.", "state")
        self.refused = counter("refused_alerts", "Alerts that were not taken, by reason.", "reason")
        self.truncated = counter("truncated_alerts", "Alerts that Alertmanager left out of what it sent.")
        self.unpublished = counter("publish_failures", "Times that Kafka did not take alerts, or that time has passed.")

    def sample(self) -> None:
        """Set every series."""
        tally = self._tally
        for status in ANSWERS:
            self._grow(self.requests.labels(str(status)), tally.requests.get(status, 0))
        self._grow(self.alerts.labels("firing"), tally.firing)
        self._grow(self.alerts.labels("ok"), tally.resolved)
        for why, count in tally.refused.items():
            self._grow(self.refused.labels(why), count)
        self._grow(self.truncated, tally.truncated)
        self._grow(self.unpublished, tally.unpublished)

    def health(self) -> Health:
        """Well while it answers: a broker that is away is Alertmanager's to wait for."""
        return Health(True, f"{self._tally.firing} firing and {self._tally.resolved} resolved alerts taken")

    def ready(self) -> bool:
        """At once."""
        return True
