"""The one series of caps: how often something was beyond one, whichever it was (:mod:`stream.ingest.capped`)."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter

from stream.expose.growth import Growth
from stream.ingest.capped import CAPS, Cap


class CappedMetrics:
    """``sample`` sets the series; each cap has one from the start, so that its first increase is one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()
        self.capped = Counter("driftline_capped", "Names and values beyond a cap, by cap.", ["cap"], registry=registry)
        self.sample({})

    def sample(self, totals: Mapping[Cap, int]) -> None:
        """Set it from what was counted so far."""
        for cap in CAPS:
            self._grow(self.capped.labels(cap), totals.get(cap, 0))
