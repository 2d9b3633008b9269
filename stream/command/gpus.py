"""``driftline gpus``: every GPU that samples are known of, and how it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.evaluate.gpus.throttling import troubles
from stream.expose.gpus import GpuRow, Gpus, read_gpus

HEADS = (
    "host", "gpu", "state", "use%#", "memory%#", "°C#", "W#", "MHz#", "ECC#", "Xid#", "sampled", "says",
)  # fmt: skip


def gpus(*, as_json: AsJson = False) -> None:
    """Show each GPU's newest sample, those that need somebody first.

    Reads Redis only. A dash is what was not measured.
    """
    found = ask_redis(load_settings(), read_gpus)
    if as_json:
        print_json(summary(found))
    elif found.rows:
        print_table(columns=HEADS, rows=map(cells, found.rows))
    else:
        print_lines(["no sample of a GPU was ever counted; `driftline gpu-agent` on a machine with GPUs sends them"])


def summary(found: Gpus) -> dict[str, Any]:
    """Everything as JSON values; a measure that was not taken is absent."""
    return {"now_ms": found.now_ms, "limits": found.limits.model_dump(), "gpus": [_summary(row) for row in found.rows]}


def cells(row: GpuRow) -> Iterator[object]:
    """A row of the table: shares in percent, clocks in MHz."""
    newest, metrics = row.newest, row.newest.metrics
    yield from (newest.host, newest.gpu, row.state)
    for value, factor in (
        (metrics.get("utilization_ratio"), 100), (newest.memory_share(), 100), (metrics.get("temperature_celsius"), 1),
        (metrics.get("power_watts"), 1), (metrics.get("sm_clock_hertz"), 1e-6), (metrics.get("ecc_uncorrected"), 1),
        (metrics.get("xid"), 1),
    ):  # fmt: skip
        yield None if value is None else round(value * factor, 1)
    yield moment(newest.timestamp)
    yield ", ".join(row.says) or None


def _summary(row: GpuRow) -> dict[str, Any]:
    newest = row.newest
    return {
        "host": newest.host, "gpu": newest.gpu, "uuid": newest.uuid, "state": row.state, "says": list(row.says),
        "timestamp": newest.timestamp, "metrics": newest.metrics,
        "throttled": troubles(int(newest.metrics.get("throttle_reasons", 0))),
    }  # fmt: skip
