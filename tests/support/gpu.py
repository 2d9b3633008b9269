"""A machine of GPUs that does whatever a test says: it answers, lies, fails, hangs until it is let go, is lost, comes back."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from stream.gpu.library import Answer, Cause, Handle, NvmlTrouble, Question

GIB = 1 << 30
#: One GPU that is well, in NVML's units.
WELL: dict[Question, dict[str, object]] = {
    "utilization": {"utilization_percent": 97, "memory_utilization_percent": 61},
    "memory": {"memory_used_bytes": 60 * GIB, "memory_free_bytes": 20 * GIB, "memory_total_bytes": 80 * GIB},
    "temperature": {"temperature_celsius": 58},
    "memory_temperature": {"memory_temperature_celsius": 67},
    "power": {"power_milliwatts": 412_345},
    "power_limit": {"power_limit_milliwatts": 700_000},
    "energy": {"energy_millijoules": 918_273_645_500},
    "sm_clock": {"sm_clock_megahertz": 1980},
    "memory_clock": {"memory_clock_megahertz": 3201},
    "throttle_reasons": {"throttle_reasons": 0x44},
    "ecc_corrected": {"ecc_corrected": 3},
    "ecc_uncorrected": {"ecc_uncorrected": 0},
    "processes": {"processes": 2, "process_memory": {41234: 59 * GIB, 41235: None}},
    "mig_mode": {"mig_mode": 0},
}
RAW = {raw: value for answer in WELL.values() for raw, value in answer.items()}


class FaultyNvml:
    """An :class:`~stream.gpu.library.Nvml`; tests set its attributes between ticks."""

    def __init__(self, *uuids: str) -> None:
        self.uuids = list(uuids)
        self.says: dict[tuple[str, Question], dict[str, object]] = {}
        self.fails: dict[tuple[str, str], Cause] = {}
        self.held: dict[tuple[str, str], threading.Event] = {}
        self.begin_fails: Cause | None = None
        self.counts: int | None = None
        self.asked: Counter[tuple[str, str]] = Counter()
        self.xids: deque[tuple[str, object]] = deque()
        self.inside: Counter[str] = Counter()
        self.listening = 0
        self._known: list[str] = []

    def hang(self, uuid: str, what: str) -> threading.Event:
        """A call that does not return until the event is set; ``what`` is a question or a method's name."""
        self.held[uuid, what] = threading.Event()
        return self.held[uuid, what]

    def begin(self) -> None:
        self._call("", "begin")
        if self.begin_fails is not None:
            raise NvmlTrouble(self.begin_fails, "as the test says")
        self._known = list(self.uuids)  # as NVML: listed when it is begun

    def end(self) -> None:
        self._call("", "end")
        assert sum(self.inside.values()) == 0, "NVML must not be ended while a call is out"
        assert self.listening == 0, "NVML must not be ended while events are waited for"

    def driver(self) -> str:
        self._call("", "driver")
        return "570.86.15"

    def count(self) -> int:
        self._call("", "count")
        return len(self._known) if self.counts is None else self.counts

    def uuid_at(self, index: int) -> str:
        if index >= len(self._known):
            raise NvmlTrouble("failed", "no such index")
        self._call(self._known[index], "uuid_at")
        return self._known[index]

    def handle(self, uuid: str) -> Handle:
        self._call(uuid, "handle")
        return uuid

    def name(self, handle: Handle) -> str:
        return "NVIDIA H200"

    def ask(self, handle: Handle, question: Question) -> Answer:
        self._call(handle, question)
        return self.says.get((handle, question), WELL[question])

    def listen(self, uuids: Iterable[str]) -> tuple[Any, frozenset[str]]:
        self._call("", "listen")
        self.listening += 1
        return "events", frozenset(uuids)

    def next_xid(self, listening: Any, within_ms: int) -> tuple[str, object] | None:
        self._call("", "next_xid")
        if self.xids:
            return self.xids.popleft()
        threading.Event().wait(0.01)
        return None

    def close(self, listening: Any) -> None:
        self.listening -= 1

    def _call(self, uuid: str, what: str) -> None:
        self.asked[uuid, what] += 1
        self.inside[uuid] += 1
        try:
            if (uuid, what) in self.held:
                self.held[uuid, what].wait(30)
            if (uuid, what) in self.fails:
                raise NvmlTrouble(self.fails[uuid, what], "as the test says")
        finally:
            self.inside[uuid] -= 1
