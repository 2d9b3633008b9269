"""Which models the configuration has: a series of each, so that a rule can tell a model that nobody exports from one taken out.

One process of a deployment shows them, whoever evaluates the models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

NAME = "driftline_model_configured"
MEANS = "1 for each model of the configuration that is followed."


class ConfiguredModels(Collector):
    """``models`` are those to show at that moment: none in every process but one."""

    def __init__(self, models: Callable[[], Sequence[str]]) -> None:
        self._models = models

    def describe(self) -> Iterable[Metric]:
        """The family, without a sample."""
        return [GaugeMetricFamily(NAME, MEANS, labels=["model_name"])]

    def collect(self) -> Iterable[Metric]:
        """The family, where there is anything to show."""
        models = self._models()
        if not models:
            return []
        made = GaugeMetricFamily(NAME, MEANS, labels=["model_name"])
        # Made while the page is written out, which is beside the event loop: ten thousand take 20 ms.
        made.samples = cast(list[Sample], (Sample(NAME, {"model_name": model}, 1.0) for model in models))
        return [made]
