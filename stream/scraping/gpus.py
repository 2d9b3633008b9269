"""From the gauges of a GPU exporter to one sample a GPU, in the words of the GPU agent's own.  Pure.

What a GPU does not support is left out, never 0: exporters write it as a huge integer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from schemas.targets_file import GpuMap, Signal
from stream.scraping.broken import Broken
from stream.scraping.exposition import Families, Labels

#: From here on a number stands for "none"; so do the blanks of DCGM's 32-bit integers and of its floats.
BLANK = 2.0**62
_BLANKS = frozenset({*(float(0x7FFFFFF0 + kind) for kind in range(4)), *(2.0**47 + kind for kind in range(4))})
#: Of one target; and the signs of a name that a sample may have.
MOST_GPUS, LONGEST_NAME = 1_000, 120

#: Parts of the memory that its total is the sum of, where the exporter has no total.
_PARTS = ("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_RESERVED")
_MIB = 1024.0 * 1024.0

Identity = tuple[str, str, str]


def names_read(gpus: GpuMap) -> set[str]:
    """The families that samples are made of."""
    return {*_PARTS, *(name for signal in gpus.metrics.values() for name in signal.names)}


def samples(found: Families, gpus: GpuMap, *, at_ms: int, host: str) -> list[dict[str, Any]]:
    """One event a GPU, as ``docs/events.md`` has it; ``host`` is where the exporter names none.

    :raises Broken: there are more GPUs than a host has.
    """
    by_gpu: dict[Identity, dict[str, float]] = {}
    for metric, signal in gpus.metrics.items():
        for identity, value in _values(found, signal, gpus=gpus):
            by_gpu.setdefault(identity, {}).setdefault(metric, value)
    if len(by_gpu) > MOST_GPUS:
        raise Broken("too_large", f"more than {MOST_GPUS} GPUs")
    if "memory_total_bytes" in gpus.metrics:
        _add_totals(by_gpu, found, gpus)
    return [_event(identity, metrics, at_ms=at_ms, host=host) for identity, metrics in by_gpu.items()]


def _values(found: Families, signal: Signal, *, gpus: GpuMap) -> list[tuple[Identity, float]]:
    name = next((name for name in signal.names if name in found), "")
    kept = (s for s in found.get(name, ()) if all(s.labels.get(key) in values for key, values in signal.where.items()))
    pairs = ((_identity(sample.labels, gpus), sample.value) for sample in kept)
    return [(identity, value * signal.times) for identity, value in pairs if identity is not None and _there(value)]


def _there(value: float) -> bool:
    """Whether a value is one: neither a blank nor a number that is none."""
    return math.isfinite(value) and 0 <= value < BLANK and value not in _BLANKS


def _identity(labels: Labels, gpus: GpuMap) -> Identity | None:
    gpu, uuid, host = (labels.get(name, "") for name in (gpus.gpu, gpus.uuid, gpus.host))
    if max(map(len, (gpu, uuid, host))) > LONGEST_NAME:
        raise Broken("too_large", f"a label of a GPU has more than {LONGEST_NAME} signs")
    # An instance of a divided GPU is told apart from the whole and from the others.
    instance = f":{labels[gpus.instance]}" if gpus.instance and labels.get(gpus.instance) else ""
    return (f"{gpu or uuid}{instance}", f"{uuid}{instance}" if uuid else "", host) if gpu or uuid else None


def _add_totals(by_gpu: Mapping[Identity, dict[str, float]], found: Families, gpus: GpuMap) -> None:
    parts = [dict(_values(found, Signal(names=[name], times=_MIB), gpus=gpus)) for name in _PARTS]
    for identity, metrics in by_gpu.items():
        if "memory_total_bytes" not in metrics and all(identity in part for part in parts):
            metrics["memory_total_bytes"] = sum(part[identity] for part in parts)


def _event(identity: Identity, metrics: dict[str, float], *, at_ms: int, host: str) -> dict[str, Any]:
    gpu, uuid, named = identity
    # An exporter's 0 says that there was no error yet, which a sample says by having none.
    said = {name: value for name, value in metrics.items() if (name, value) != ("xid", 0.0)}
    event = {"timestamp": at_ms, "gpu": gpu, "uuid": uuid, "host": named or host, "metrics": {**said, "available": 1.0}}
    return {name: value for name, value in event.items() if value != ""}
