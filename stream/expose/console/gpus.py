"""The page of all GPUs: how each is, what it does, and its last hour in small pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from schemas.gpus import Sample
from stream.evaluate.gpus.throttling import troubles
from stream.expose.console.charts import Spark, sparkline
from stream.expose.console.render import SITE, rendered
from stream.expose.gpus import STATES, GpuRow, Gpus, read_gpus

#: GPUs that the page shows; what needs somebody comes first.
MOST = 256


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the table; ``throttled`` names what slows it down, a measure that was not taken is None."""

    row: GpuRow
    utilisation: Spark | None
    memory: Spark | None
    temperature: Spark | None
    throttled: Sequence[str]

    def measure(self, name: str) -> float | None:
        """Of its newest sample."""
        return self.row.newest.metrics.get(name)


@dataclass(frozen=True, slots=True)
class GpusPage:
    """The page; ``states`` counts all GPUs, ``more`` those that are not shown."""

    gpus: Gpus
    rows: Sequence[Shown]
    more: int
    states: Mapping[str, int]


async def gpus(request: web.Request) -> web.Response:
    """``/gpus``: every GPU that samples are known of."""
    site = request.app[SITE]
    return rendered(request, "gpus.html", page=gpus_page(await read_gpus(site.redis, site.names)))


def gpus_page(found: Gpus) -> GpusPage:
    """What the page shows."""
    counted = Counter(row.state for row in found.rows)
    states: dict[str, int] = {state: counted[state] for state in STATES if counted[state]}
    rows = [_shown(row, found) for row in found.rows[:MOST]]
    return GpusPage(found, rows, max(0, len(found.rows) - MOST), states)


def _shown(row: GpuRow, found: Gpus) -> Shown:
    limits, newest = found.limits, row.newest
    hot = newest.metrics.get("temperature_celsius", 0.0) >= limits.temperature
    full = (newest.memory_share() or 0.0) >= limits.memory
    return Shown(
        row,
        sparkline(_values(row.samples, "utilization_ratio"), threshold=1.0),
        sparkline([one.memory_share() for one in row.samples], threshold=limits.memory, over=full),
        sparkline(_values(row.samples, "temperature_celsius"), threshold=limits.temperature, over=hot),
        troubles(int(newest.metrics.get("throttle_reasons", 0))),
    )


def _values(samples: Sequence[Sample], name: str) -> list[float | None]:
    return [one.metrics.get(name) for one in samples]
