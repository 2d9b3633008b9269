"""The worker's own metrics, all ``driftline_…``, set per batch or at scrape and never per event."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from stream.expose.capped import CappedMetrics
from stream.expose.gpu_metrics import GpuMetrics
from stream.expose.service_metrics import IncidentMetrics
from stream.ingest.intake import HOLDS, Intake
from stream.ingest.quota import Order


class WorkerMetrics:
    """Every series of a worker, in one registry; names and labels are a public contract (``docs/metrics.md``)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        self.events = Counter("driftline_events", "Events counted into panes.", registry=registry)
        self.late = Counter(
            "driftline_late_events", "Events counted after their pane's end had passed.", registry=registry
        )
        self.rejected = Counter("driftline_rejected_events", "Events refused.", ["stream", "reason"], registry=registry)
        self.lag = Gauge("driftline_lag_records", "Records not yet stored.", ["topic", "partition"], registry=registry)
        self.watermark_delay = Gauge(
            "driftline_watermark_delay_seconds",
            "Wall clock less the greatest event time.",
            ["topic", "partition"],
            registry=registry,
        )
        self.checkpoint = Histogram(
            "driftline_checkpoint_seconds", "Counting, packing and storing one checkpoint.", registry=registry
        )
        self.panes = Counter("driftline_stored_panes", "Partial panes written.", registry=registry)
        self.fenced = Counter("driftline_fenced_writes", "Checkpoints refused by the store.", registry=registry)
        self.retries = Counter("driftline_store_retries", "Times Redis had to be asked again.", registry=registry)
        self.group_errors = Counter("driftline_group_errors", "Errors of the consumer group.", registry=registry)
        self.open_panes = Gauge("driftline_open_panes", "Partial panes in memory.", registry=registry)
        self.memory = Gauge("driftline_pane_memory_bytes", "Memory held for open panes.", registry=registry)
        self.memory_limit = Gauge(
            "driftline_pane_memory_limit_bytes", "Memory that open panes may take.", registry=registry
        )
        self.evicted = Counter(
            "driftline_evicted_panes", "Stored panes dropped because they took too much memory.", registry=registry
        )
        self.generation = Gauge(
            "driftline_config_generation", "Generation of the configuration followed.", registry=registry
        )
        self.config_refused = Counter(
            "driftline_config_refused", "Times a stored configuration could not be followed.", registry=registry
        )
        self.held = Gauge(
            "driftline_held_partitions", "Partitions that are not read for now.", ["why"], registry=registry
        )
        self.over_quota = Gauge(
            "driftline_models_over_quota", "Models that are put behind others, which wait.", registry=registry
        )
        self.incidents = IncidentMetrics(registry)
        self.gpus = GpuMetrics(registry)
        self.caps = CappedMetrics(registry)

    def sample_held(self, intake: Intake, order: Order) -> None:
        """Set what is held back, and how many models that is for."""
        for why in HOLDS:
            self.held.labels(why).set(len(intake.held(why)))
        self.over_quota.set(len(order.models))
