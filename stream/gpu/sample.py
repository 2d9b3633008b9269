"""From what NVML answered to a sample: base units, what cannot be believed left out, and nothing made up.

Pure: the time is the readings'.  A value that NVML did not give is absent, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from stream.gpu.library import Cause, Question
from stream.gpu.quantities import QUANTITIES, Disbelief, disbelief, in_its_unit

#: ``ok``: it answers; ``hanging``: a call has not returned; ``lost``: NVML knows it no more; ``unreadable``: it says nothing.
GpuState = Literal["ok", "hanging", "lost", "unreadable"]
GPU_STATES: tuple[GpuState, ...] = get_args(GpuState)

#: Xid codes are below 1000; what the driver may add stays below this.
HIGHEST_XID = 65_535


@dataclass(frozen=True, slots=True)
class Readings:
    """One look at a GPU: raw answers, the questions that were not answered and why, the last Xid since the start.

    ``xid_errors``: how many there were since then; None of a GPU that does not tell them.
    """

    gpu: str
    uuid: str
    timestamp_ms: int
    state: GpuState
    answers: Mapping[str, object] = field(default_factory=dict)
    unanswered: Mapping[Question, Cause] = field(default_factory=dict)
    xid: int | None = None
    xid_errors: int | None = None
    host: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a GPU at a time; ``metrics`` by the keys of ``QUANTITIES``, ``processes`` bytes by process id."""

    gpu: str
    uuid: str
    host: str
    name: str
    timestamp_ms: int
    state: GpuState
    metrics: Mapping[str, float]
    processes: Mapping[int, float]
    mig: bool | None
    xid: int | None
    xid_errors: int | None
    unanswered: Mapping[Question, Cause]
    refused: Mapping[Disbelief, int]

    @property
    def available(self) -> int:
        """1 where the GPU answers."""
        return int(self.state == "ok")

    def event(self) -> dict[str, Any]:
        """The event for the topic ``serving``, which has no model."""
        metrics = {**self.metrics, "available": self.available}
        if self.xid is not None:
            metrics["xid"] = self.xid
        if self.xid_errors is not None:
            metrics["xid_errors"] = self.xid_errors
        return {
            "timestamp": self.timestamp_ms,
            "gpu": self.gpu,
            "uuid": self.uuid,
            "host": self.host,
            "metrics": metrics,
        }


def sample(readings: Readings) -> Sample:
    """Judge each answer; of a GPU that is not ``ok``, nothing that was read before it went is shown."""
    answers = readings.answers if readings.state == "ok" else {}
    refused: Counter[Disbelief] = Counter()
    metrics = dict(_believed(answers, refused))
    for key in tuple(_beyond_total(metrics)):
        del metrics[key]
        refused["inconsistent"] += 1
    return Sample(
        gpu=readings.gpu,
        uuid=readings.uuid,
        host=readings.host,
        name=readings.name,
        timestamp_ms=readings.timestamp_ms,
        state=readings.state,
        metrics=metrics,
        processes=dict(_memory_by_process(answers.get("process_memory"), refused)),
        mig=_mig(answers.get("mig_mode")),
        xid=readings.xid,
        xid_errors=readings.xid_errors,
        unanswered=dict(readings.unanswered),
        refused=dict(refused),
    )


def _believed(answers: Mapping[str, object], refused: Counter[Disbelief]) -> Iterator[tuple[str, float]]:
    for quantity in QUANTITIES:
        if quantity.raw not in answers:
            continue
        raw = answers[quantity.raw]
        why = disbelief(quantity, raw)
        if why is not None:
            refused[why] += 1
        else:
            yield quantity.key, in_its_unit(quantity, raw)  # type: ignore[arg-type]


def _beyond_total(metrics: Mapping[str, float]) -> Iterator[str]:
    total = metrics.get("memory_total_bytes")
    for key in ("memory_used_bytes", "memory_free_bytes"):
        if total is not None and metrics.get(key, 0) > total:
            yield key


def _memory_by_process(found: object, refused: Counter[Disbelief]) -> Iterator[tuple[int, float]]:
    """None for a process means that we may not know, which is no lie."""
    by_key = {quantity.key: quantity for quantity in QUANTITIES}
    for pid, memory in found.items() if isinstance(found, Mapping) else ():
        if memory is None:
            continue
        why = disbelief(by_key["memory_used_bytes"], memory) if str(pid).isdecimal() else "not_a_number"
        if why is not None:
            refused[why] += 1
        else:
            yield int(pid), memory


def _mig(mode: object) -> bool | None:
    return bool(mode) if mode in (0, 1) else None


def believed_xid(code: object) -> int | None:
    """A code that the driver may have written; None for one that it cannot.

    >>> believed_xid(79), believed_xid(0), believed_xid(2**64 - 1)
    (79, None, None)
    """
    return code if isinstance(code, int) and 0 < code <= HIGHEST_XID else None
