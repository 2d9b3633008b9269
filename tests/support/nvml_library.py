"""NVIDIA's library as Python functions, put under the real bindings: structures, codes and versions are theirs.

Numbers are put where the C function would write them; a function that is not here is one that the library does not have.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

import pynvml  # type: ignore[import-untyped]

#: Handles are addresses; these are of two GPUs.
UUIDS = {0x1000: b"GPU-a", 0x2000: b"GPU-b"}
INSUFFICIENT_SIZE = 7


def address(handle: Any) -> int | None:
    return ctypes.cast(handle, ctypes.c_void_p).value


class CLibrary:
    """``fail`` maps a function to the code that it returns; ``missing`` are functions of a newer release."""

    def __init__(self) -> None:
        self.fail: dict[str, int] = {}
        self.missing: set[str] = set()
        self.begun = 0
        self.events: list[tuple[int, int, int]] = []
        self.registered: list[int | None] = []
        self.processes = {41234: 7 << 30, 41235: (1 << 64) - 1}

    def __getattr__(self, name: str) -> Callable[..., int]:
        body = FUNCTIONS.get(name)
        if body is None or name in self.missing:
            raise AttributeError(name)

        def function(*args: Any) -> int:
            return self.fail[name] if name in self.fail else body(self, *args) or 0

        return function


def _number(value: int) -> Callable[..., None]:
    """Writes a number to where the last argument points."""

    def body(_: CLibrary, *args: Any) -> None:
        args[-1]._obj.value = value

    return body


def _text(value: bytes) -> Callable[..., None]:
    def body(_: CLibrary, *args: Any) -> None:
        args[-2].value = value

    return body


def _begin(library: CLibrary, *_: Any) -> None:
    library.begun += 1


def _end(library: CLibrary) -> None:
    library.begun -= 1


def _by_index(_: CLibrary, index: Any, into: Any) -> None:
    _point(into, list(UUIDS)[index.value])


def _by_uuid(_: CLibrary, uuid: Any, into: Any) -> int:
    for place, known in UUIDS.items():
        if known == uuid.value:
            _point(into, place)
            return 0
    return 6


def _point(into: Any, place: int) -> None:
    ctypes.memmove(into, ctypes.byref(ctypes.c_void_p(place)), ctypes.sizeof(ctypes.c_void_p))


def _uuid(_: CLibrary, handle: Any, into: Any, size: Any) -> None:
    into.value = UUIDS[address(handle) or 0]


def _utilization(_: CLibrary, handle: Any, into: Any) -> None:
    into._obj.gpu, into._obj.memory = 97, 61


def _memory(_: CLibrary, handle: Any, into: Any) -> None:
    into._obj.total, into._obj.free, into._obj.used = 80, 20, 60


def _temperature(_: CLibrary, handle: Any, into: Any) -> None:
    assert into._obj.sensorType == pynvml.NVML_TEMPERATURE_GPU
    into._obj.temperature = 58


def _fields(library: CLibrary, handle: Any, count: Any, into: Any) -> None:
    [field] = into._obj
    assert field.fieldId == pynvml.NVML_FI_DEV_MEMORY_TEMP
    field.nvmlReturn = library.fail.get("field", 0)
    field.value.uiVal = 67


def _clock(_: CLibrary, handle: Any, kind: Any, into: Any) -> None:
    into._obj.value = {pynvml.NVML_CLOCK_SM: 1980, pynvml.NVML_CLOCK_MEM: 3201}[kind.value]


def _ecc(_: CLibrary, handle: Any, kind: Any, counter: Any, into: Any) -> None:
    assert counter.value == pynvml.NVML_VOLATILE_ECC
    into._obj.value = {pynvml.NVML_MEMORY_ERROR_TYPE_CORRECTED: 3, pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED: 1}[
        kind.value
    ]


def _running(library: CLibrary, handle: Any, count: Any, into: Any) -> int:
    if into is None:
        count._obj.value = len(library.processes)
        return INSUFFICIENT_SIZE if library.processes else 0
    count._obj.value = len(library.processes)
    for place, (pid, memory) in enumerate(library.processes.items()):
        into[place].pid, into[place].usedGpuMemory = pid, memory
    return 0


def _drawing(_: CLibrary, handle: Any, count: Any, into: Any) -> int:
    """The first of the processes draws, too."""
    count._obj.value = 1
    if into is None:
        return INSUFFICIENT_SIZE
    into[0].pid, into[0].usedGpuMemory = 41234, 8 << 30
    return 0


def _mig(_: CLibrary, handle: Any, current: Any, pending: Any) -> None:
    current._obj.value, pending._obj.value = 1, 0


def _register(library: CLibrary, handle: Any, kinds: Any, events: Any) -> int:
    assert kinds.value == pynvml.nvmlEventTypeXidCriticalError
    library.registered.append(address(handle))
    return library.fail.get(f"register {UUIDS[address(handle) or 0].decode()}", 0)


def _wait(library: CLibrary, events: Any, into: Any, within: Any) -> int:
    if not library.events:
        return 10
    place, kind, code = library.events.pop(0)
    into._obj.device = ctypes.cast(place, pynvml.c_nvmlDevice_t)
    into._obj.eventType, into._obj.eventData = kind, code
    return 0


FUNCTIONS: Mapping[str, Callable[..., int | None]] = {
    "nvmlInitWithFlags": _begin,
    "nvmlShutdown": _end,
    "nvmlSystemGetDriverVersion": _text(b"570.86.15"),
    "nvmlDeviceGetCount_v2": _number(2),
    "nvmlDeviceGetHandleByIndex_v2": _by_index,
    "nvmlDeviceGetHandleByUUID": _by_uuid,
    "nvmlDeviceGetUUID": _uuid,
    "nvmlDeviceGetName": _text(b"NVIDIA H200"),
    "nvmlDeviceGetUtilizationRates": _utilization,
    "nvmlDeviceGetMemoryInfo": _memory,
    "nvmlDeviceGetTemperatureV": _temperature,
    "nvmlDeviceGetTemperature": _number(59),
    "nvmlDeviceGetFieldValues": _fields,
    "nvmlDeviceGetPowerUsage": _number(412_345),
    "nvmlDeviceGetEnforcedPowerLimit": _number(700_000),
    "nvmlDeviceGetTotalEnergyConsumption": _number(918_273_645_500),
    "nvmlDeviceGetClockInfo": _clock,
    "nvmlDeviceGetCurrentClocksEventReasons": _number(0x44),
    "nvmlDeviceGetCurrentClocksThrottleReasons": _number(0x40),
    "nvmlDeviceGetTotalEccErrors": _ecc,
    "nvmlDeviceGetComputeRunningProcesses_v3": _running,
    "nvmlDeviceGetComputeRunningProcesses_v2": _running,
    "nvmlDeviceGetGraphicsRunningProcesses_v3": _drawing,
    "nvmlDeviceGetGraphicsRunningProcesses_v2": _drawing,
    "nvmlDeviceGetMigMode": _mig,
    "nvmlEventSetCreate": _number(0x9000),
    "nvmlDeviceRegisterEvents": _register,
    "nvmlEventSetWait_v2": _wait,
    "nvmlEventSetFree": lambda library, events: None,
}
