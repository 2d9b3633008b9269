"""NVML itself, through ``nvidia-ml-py``: the only file that knows its functions.

It judges nothing.  Where a function is newer than the library, the one before it is called.  NVML's errors, and whatever else its
bindings raise on an answer that they did not expect, come out as :class:`~stream.gpu.library.NvmlTrouble`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pynvml  # type: ignore[import-untyped]

from stream.gpu.library import Answer, Handle, NvmlTrouble, Question

P = ParamSpec("P")
Found = TypeVar("Found")


def _troubles(call: Callable[P, Found]) -> Callable[P, Found]:
    """The same call, with all that it may raise as :class:`NvmlTrouble`."""

    @wraps(call)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Found:
        try:
            return call(*args, **kwargs)
        except NvmlTrouble:
            raise
        except pynvml.NVMLError as error:
            raise NvmlTrouble.of(error.value, _words(error)) from None
        except Exception as error:  # the bindings decode and convert what the driver wrote, which may be anything
            raise NvmlTrouble("failed", f"{type(error).__name__}: {error}") from None

    return asked


def _words(error: pynvml.NVMLError) -> str:
    """NVML's own, which are asked of the library where the bindings do not know the code."""
    try:
        return str(error)
    except Exception:
        return f"NVML's error {error.value}"


class Library:
    """The machine's NVML: :class:`~stream.gpu.library.Nvml`."""

    def __init__(self) -> None:
        self._begun = False

    @_troubles
    def begin(self) -> None:
        if not self._begun:  # NVML counts its beginnings, and ends only with the last of them
            pynvml.nvmlInit()
            self._begun = True

    @_troubles
    def end(self) -> None:
        if self._begun:
            self._begun = False
            pynvml.nvmlShutdown()

    @_troubles
    def driver(self) -> str:
        return str(pynvml.nvmlSystemGetDriverVersion())

    @_troubles
    def count(self) -> int:
        return int(pynvml.nvmlDeviceGetCount())

    @_troubles
    def uuid_at(self, index: int) -> str:
        return str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index)))

    @_troubles
    def handle(self, uuid: str) -> Handle:
        return pynvml.nvmlDeviceGetHandleByUUID(uuid)

    @_troubles
    def name(self, handle: Handle) -> str:
        return str(pynvml.nvmlDeviceGetName(handle))

    @_troubles
    def ask(self, handle: Handle, question: Question) -> Answer:
        return _CALLS[question](handle)

    @_troubles
    def listen(self, uuids: Iterable[str]) -> tuple[Any, frozenset[str]]:
        events = pynvml.nvmlEventSetCreate()
        by_address = {}
        for uuid in uuids:
            try:
                handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
                pynvml.nvmlDeviceRegisterEvents(handle, pynvml.nvmlEventTypeXidCriticalError, events)
            except pynvml.NVMLError:
                continue  # this one tells no errors; the others do
            by_address[_address(handle)] = uuid
        if not by_address:
            pynvml.nvmlEventSetFree(events)
            raise NvmlTrouble("not_supported", "no GPU here tells its critical errors")
        return (events, by_address), frozenset(by_address.values())

    @_troubles
    def next_xid(self, listening: Any, within_ms: int) -> tuple[str, object] | None:
        events, by_address = listening
        try:
            event = pynvml.nvmlEventSetWait_v2(events, within_ms)
        except pynvml.NVMLError_Timeout:
            return None
        uuid = by_address.get(_address(event.device))
        if uuid is None or event.eventType != pynvml.nvmlEventTypeXidCriticalError:
            return None
        return uuid, event.eventData

    @_troubles
    def close(self, listening: Any) -> None:
        pynvml.nvmlEventSetFree(listening[0])


def _address(handle: Handle) -> int | None:
    """A GPU's handle as a number: an event carries the handle, and a lost GPU can no longer be asked for its UUID."""
    return ctypes.cast(handle, ctypes.c_void_p).value


def _newest(*calls: str) -> Callable[..., Any]:
    """The first of these functions that the library has."""

    def call(*args: Any) -> Any:
        for name in calls[:-1]:
            try:
                return getattr(pynvml, name)(*args)
            except (pynvml.NVMLError_FunctionNotFound, pynvml.NVMLError_ArgumentVersionMismatch):
                continue
        return getattr(pynvml, calls[-1])(*args)

    return call


_temperature = _newest("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature")
_held_down = _newest("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
_compute = _newest("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")
_graphics = _newest("nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2")


def _utilization(handle: Handle) -> Answer:
    found = pynvml.nvmlDeviceGetUtilizationRates(handle)
    return {"utilization_percent": found.gpu, "memory_utilization_percent": found.memory}


def _memory(handle: Handle) -> Answer:
    """The first version of the structure, of which used and free make up the total."""
    found = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return {"memory_used_bytes": found.used, "memory_free_bytes": found.free, "memory_total_bytes": found.total}


def _memory_temperature(handle: Handle) -> Answer:
    [found] = pynvml.nvmlDeviceGetFieldValues(handle, [pynvml.NVML_FI_DEV_MEMORY_TEMP])
    if found.nvmlReturn:
        raise NvmlTrouble.of(found.nvmlReturn, "the memory's temperature is not told")
    return {"memory_temperature_celsius": found.value.uiVal}


def _volatile_ecc(handle: Handle, kind: int) -> object:
    return pynvml.nvmlDeviceGetTotalEccErrors(handle, kind, pynvml.NVML_VOLATILE_ECC)


def _processes(handle: Handle) -> Answer:
    """A process may compute and draw: it is one, with the larger of its two numbers."""
    memory: dict[int, int | None] = {}
    for found in (*_compute(handle), *_drawing(handle)):
        known = memory.get(found.pid)
        memory[found.pid] = max(known, found.usedGpuMemory or 0) if known is not None else found.usedGpuMemory
    return {"processes": len(memory), "process_memory": memory}


def _drawing(handle: Handle) -> list[Any]:
    try:
        return list(_graphics(handle))
    except pynvml.NVMLError_NotSupported:
        return []


def _one(raw: str, call: Callable[..., object], *args: object) -> Callable[[Handle], Answer]:
    return lambda handle: {raw: call(handle, *args)}


_CALLS: Mapping[Question, Callable[[Handle], Answer]] = {
    "utilization": _utilization,
    "memory": _memory,
    "temperature": _one("temperature_celsius", _temperature, pynvml.NVML_TEMPERATURE_GPU),
    "memory_temperature": _memory_temperature,
    "power": _one("power_milliwatts", pynvml.nvmlDeviceGetPowerUsage),
    "power_limit": _one("power_limit_milliwatts", pynvml.nvmlDeviceGetEnforcedPowerLimit),
    "energy": _one("energy_millijoules", pynvml.nvmlDeviceGetTotalEnergyConsumption),
    "sm_clock": _one("sm_clock_megahertz", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
    "memory_clock": _one("memory_clock_megahertz", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM),
    "throttle_reasons": _one("throttle_reasons", _held_down),
    "ecc_corrected": _one("ecc_corrected", _volatile_ecc, pynvml.NVML_MEMORY_ERROR_TYPE_CORRECTED),
    "ecc_uncorrected": _one("ecc_uncorrected", _volatile_ecc, pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED),
    "processes": _processes,
    "mig_mode": lambda handle: {"mig_mode": pynvml.nvmlDeviceGetMigMode(handle)[0]},
}
