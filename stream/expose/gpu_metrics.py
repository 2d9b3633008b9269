"""The series of the intake of GPU samples, set from its tally a moment before they are shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from schemas.gpus import LEFT_OUT
from stream.expose.growth import Growth
from stream.ingest.gpus import GpuTally


class GpuMetrics:
    """``sample`` sets every series; the values of samples are in Redis, and on the agents' own addresses."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()
        self.samples = Counter("driftline_gpu_samples", "Samples of GPUs taken in.", registry=registry)
        self.dropped = Counter(
            "driftline_gpu_samples_dropped", "Samples of GPUs beyond those that are known at once.", registry=registry
        )
        self.left_out = Counter(
            "driftline_gpu_values_left_out", "Values of samples left out.", ["reason"], registry=registry
        )

    def sample(self, tally: GpuTally) -> None:
        """Set every series from the tally."""
        self._grow(self.samples, tally.samples)
        self._grow(self.dropped, tally.dropped)
        for reason in LEFT_OUT:
            self._grow(self.left_out.labels(reason), tally.left_out[reason])
