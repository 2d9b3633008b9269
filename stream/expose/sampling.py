"""Reads what a worker's parts say of themselves into its metrics, a moment before they are shown."""

from __future__ import annotations

import time
from collections.abc import Callable

from stream.expose.growth import Growth
from stream.expose.health import Health, Pulse, judge
from stream.expose.metrics import WorkerMetrics
from stream.ingest.follow import Follower
from stream.ingest.intake import Intake
from stream.ingest.tenure import Tenure

PATIENCE_S = 60.0


class Sampler:
    """``sample`` updates every series; ``health`` and ``ready`` judge from the same state.

    ``also`` are called at each sample: other parts of the worker set their series there.
    """

    def __init__(self, metrics: WorkerMetrics, intake: Intake, follower: Follower) -> None:
        self._metrics, self._intake, self._follower = metrics, intake, follower
        self._grow = Growth()
        self.also: list[Callable[[], None]] = []
        self._progress = (0, time.monotonic())

    def sample(self) -> None:
        """Set every series from the worker's state."""
        metrics, counter, follower = self._metrics, self._intake.counter, self._follower
        self._grow(metrics.events, counter.events)
        self._grow(metrics.late, counter.late)
        self._grow(metrics.config_refused, follower.refused)
        metrics.generation.set(follower.number)
        self._grow(metrics.evicted, counter.evicted)
        metrics.memory.set(counter.rooms.nbytes)
        metrics.memory_limit.set(counter.ceiling.whole)
        tenures = list(self._intake.ownership.tenures.values())
        metrics.open_panes.set(sum(len(tenure.panes) for tenure in tenures))
        self._sample_checkpoints()
        self._sample_partitions(tenures)
        for sample in self.also:
            sample()

    def health(self) -> Health:
        """Whether the worker makes progress; asked at least every second, for that is how it notices."""
        free = self._intake.free()
        lag, stored, now = sum(map(self._lag, free)), sum(tenure.stored for tenure in free), time.monotonic()
        if stored != self._progress[0] or not lag or not self._follower.number:
            self._progress = (stored, now)
        pulse = Pulse(
            lag=lag,
            quiet_s=now - self._progress[1],
            assigned=len(self._intake.ownership.tenures),
            redis_answers=self._intake.patience.answers.is_set(),
            refusing=self._follower.refusing,
            again=sum(max(0, one.rebuild_to - one.stored) for one in self._intake.ownership.tenures.values()),
        )
        return judge(pulse, patience_s=PATIENCE_S)

    def ready(self) -> bool:
        """Whether partitions have been assigned and a configuration is followed."""
        return self._intake.assigned and self._follower.number > 0

    def _sample_checkpoints(self) -> None:
        checkpointer = self._intake.checkpointer
        if checkpointer is None:
            return
        tally, metrics = checkpointer.tally, self._metrics
        self._grow(metrics.panes, tally.panes)
        self._grow(metrics.fenced, tally.fenced)
        self._grow(metrics.retries, self._intake.patience.retries)
        while tally.seconds:
            metrics.checkpoint.observe(tally.seconds.pop())

    def _sample_partitions(self, tenures: list[Tenure]) -> None:
        """Only the partitions held now are shown; one that has moved away leaves no stale series."""
        metrics, now = self._metrics, time.time()
        metrics.lag.clear()
        metrics.watermark_delay.clear()
        for tenure in tenures:
            labels = (tenure.tp.topic, str(tenure.partition))
            metrics.lag.labels(*labels).set(self._lag(tenure))
            if tenure.clock > 0:
                metrics.watermark_delay.labels(*labels).set(now - tenure.clock / 1000)

    def _lag(self, tenure: Tenure) -> int:
        unread = self._intake.unread(tenure)
        return 0 if unread is None else unread + tenure.read - tenure.stored
