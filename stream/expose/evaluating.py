"""What a process that only evaluates says of itself: its series, and whether it looks on."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry

from stream.evaluate.storing.tally import EvaluationTally
from stream.expose.health import Health
from stream.expose.sampling import PATIENCE_S
from stream.expose.service_metrics import EvaluationMetrics
from stream.state.patience import Patience


class Evaluating:
    """``sample`` sets every series; ``health`` and ``ready`` judge by whether it went on looking for panes."""

    def __init__(self, registry: CollectorRegistry, tally: EvaluationTally, patience: Patience) -> None:
        self._metrics, self._tally, self._patience = EvaluationMetrics(registry), tally, patience
        self._progress = (0, time.monotonic())

    def sample(self) -> None:
        """Set every series."""
        self._metrics.sample(self._tally)

    def health(self) -> Health:
        """Whether it makes progress."""
        now = time.monotonic()
        if self._tally.polls != self._progress[0]:
            self._progress = (self._tally.polls, now)
        if not self._patience.answers.is_set():
            return Health(False, "Redis does not answer; evaluation waits, nothing is lost")
        quiet_s = now - self._progress[1]
        if quiet_s > PATIENCE_S:
            return Health(False, f"has not looked for panes for {quiet_s:.0f} s")
        return Health(True, f"{self._tally.shards} shards of models")

    def ready(self) -> bool:
        """Whether it has looked, and evaluates something."""
        return self._tally.polls > 0 and self._tally.shards > 0
