"""The agent's series, as pure functions of what is known: names and labels are a contract (``docs/metrics.md``).

What a GPU does not tell has no series; a GPU that does not answer has ``driftline_gpu_available`` 0 and no values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from stream.gpu.library import CAUSES, Cause
from stream.gpu.quantities import DISBELIEFS, QUANTITIES, Disbelief
from stream.gpu.sample import GPU_STATES, Sample

#: ``refused``: NVML is there and cannot be begun (permission, a driver of another release).
AgentState = Literal["starting", "running", "no_driver", "no_devices", "refused", "hanging"]
AGENT_STATES: tuple[AgentState, ...] = get_args(AgentState)

#: Why a sample did not reach Kafka: newer ones pushed it out while Kafka did not answer, or Kafka never took it.
Drop = Literal["pushed_out", "undelivered"]
DROPS: tuple[Drop, ...] = get_args(Drop)

GPU = ("gpu", "uuid")
#: Processes by memory that are shown of a GPU: the largest.
MOST_PROCESSES = 16
#: Errors that are counted from 0, so that their first one is an increase: memory, the bus, NVLink, the GPU's own processor.
WATCHED_XIDS = (48, 62, 63, 64, 74, 79, 92, 94, 95, 119, 120)

GAUGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("model_gpu_memory_bytes", "Memory of the GPU that is taken.", ("gpu_id",)),
    *((f"nvidia_gpu_{one.key}", one.means, GPU) for one in QUANTITIES),
    ("nvidia_gpu_xid", "Code of the last critical error since the agent's start.", GPU),
    ("nvidia_gpu_info", "1, with the GPU's name.", (*GPU, "name")),
    ("nvidia_gpu_mig_mode", "1 where the GPU is divided into instances.", GPU),
    ("nvidia_gpu_process_memory_bytes", "Memory of the GPU that a process holds.", (*GPU, "pid")),
    ("driftline_gpu_available", "1 where the GPU answers.", GPU),
    ("driftline_gpu_state", "1 for the state that the GPU is in.", (*GPU, "state")),
    ("driftline_gpu_sampled_timestamp_seconds", "When the GPU was looked at last.", GPU),
    ("driftline_gpu_unanswered", "1 for a question that NVML does not answer.", (*GPU, "question", "reason")),
    ("driftline_gpu_agent_state", "1 for the state that the agent is in.", ("state",)),
    ("driftline_gpu_agent_samples_waiting", "Samples that wait for Kafka.", ()),
)
COUNTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("nvidia_gpu_xid_errors", "Critical errors by code.", (*GPU, "xid")),
    ("driftline_gpu_refused_values", "Values of NVML that cannot be believed.", ("reason",)),
    ("driftline_gpu_unanswered_calls", "Calls of NVML that were not answered.", ("reason",)),
    ("driftline_gpu_agent_samples", "Samples taken.", ()),
    ("driftline_gpu_agent_samples_published", "Samples that Kafka took.", ()),
    ("driftline_gpu_agent_samples_dropped", "Samples that did not reach Kafka.", ("reason",)),
)


@dataclass(frozen=True, slots=True)
class Posted:
    """How publishing stands."""

    published: int = 0
    waiting: int = 0
    dropped: Mapping[Drop, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is shown: the newest sample of each GPU, errors by GPU and code (of GPUs that tell them), and totals."""

    state: AgentState
    samples: tuple[Sample, ...] = ()
    xids: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    refused: Mapping[Disbelief, int] = field(default_factory=dict)
    unanswered: Mapping[Cause, int] = field(default_factory=dict)
    taken: int = 0
    posted: Posted | None = None


Labelled = Iterator[tuple[str, tuple[str, ...], float]]


def series(standing: Standing) -> list[Metric]:
    """Every family that has a sample; without publishing, none about it."""
    gauges = {name: GaugeMetricFamily(name, means, labels=labels) for name, means, labels in GAUGES}
    counters = {name: CounterMetricFamily(name, means, labels=labels) for name, means, labels in COUNTERS}
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {**gauges, **counters}
    for one in standing.samples:
        for name, labels, value in _of_gpu(one):
            families[name].add_metric(labels, value)
    for name, labels, value in (*_memory_by_index(standing), *_xids(standing), *_of_agent(standing)):
        families[name].add_metric(labels, value)
    return [family for family in families.values() if family.samples]


def _of_gpu(one: Sample) -> Labelled:
    gpu = (one.gpu, one.uuid)
    for key, value in one.metrics.items():
        yield f"nvidia_gpu_{key}", gpu, value
    if one.xid is not None:
        yield "nvidia_gpu_xid", gpu, one.xid
    if one.name:
        yield "nvidia_gpu_info", (*gpu, one.name), 1
    if one.mig is not None:
        yield "nvidia_gpu_mig_mode", gpu, one.mig
    largest = sorted(one.processes.items(), key=lambda found: (-found[1], found[0]))
    for pid, memory in largest[:MOST_PROCESSES]:
        yield "nvidia_gpu_process_memory_bytes", (*gpu, str(pid)), memory
    yield "driftline_gpu_available", gpu, one.available
    for state in GPU_STATES:
        yield "driftline_gpu_state", (*gpu, state), state == one.state
    yield "driftline_gpu_sampled_timestamp_seconds", gpu, one.timestamp_ms / 1000
    for question, cause in one.unanswered.items():
        yield "driftline_gpu_unanswered", (*gpu, question, cause), 1


def _memory_by_index(standing: Standing) -> Labelled:
    """Two GPUs may have one index for a moment, when one has gone: the newer sample has it."""
    newest: dict[str, Sample] = {}
    for one in standing.samples:
        before = newest.get(one.gpu)
        if "memory_used_bytes" in one.metrics and (before is None or before.timestamp_ms < one.timestamp_ms):
            newest[one.gpu] = one
    for gpu, one in newest.items():
        yield "model_gpu_memory_bytes", (gpu,), one.metrics["memory_used_bytes"]


def _xids(standing: Standing) -> Labelled:
    for one in standing.samples:
        if one.uuid in standing.xids:
            counted = {**dict.fromkeys(WATCHED_XIDS, 0), **standing.xids[one.uuid]}
            for code, count in sorted(counted.items()):
                yield "nvidia_gpu_xid_errors", (one.gpu, one.uuid, str(code)), count


def _of_agent(standing: Standing) -> Labelled:
    for state in AGENT_STATES:
        yield "driftline_gpu_agent_state", (state,), state == standing.state
    for reason in DISBELIEFS:
        yield "driftline_gpu_refused_values", (reason,), standing.refused.get(reason, 0)
    for cause in CAUSES:
        yield "driftline_gpu_unanswered_calls", (cause,), standing.unanswered.get(cause, 0)
    yield "driftline_gpu_agent_samples", (), standing.taken
    if standing.posted is not None:
        yield "driftline_gpu_agent_samples_waiting", (), standing.posted.waiting
        yield "driftline_gpu_agent_samples_published", (), standing.posted.published
        for drop in DROPS:
            yield "driftline_gpu_agent_samples_dropped", (drop,), standing.posted.dropped.get(drop, 0)
