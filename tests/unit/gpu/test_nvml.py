"""The real bindings over a library of Python functions: each question asks the right one, and reads its structure right."""

from __future__ import annotations

import pynvml  # type: ignore[import-untyped]
import pytest

from stream.gpu.library import CODES, QUESTIONS, Cause, NvmlTrouble
from stream.gpu.nvml import Library
from stream.gpu.sample import Readings, sample
from tests.support.nvml_library import CLibrary


@pytest.fixture
def c_library(monkeypatch: pytest.MonkeyPatch) -> CLibrary:
    made = CLibrary()
    monkeypatch.setattr(pynvml, "nvmlLib", made)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    monkeypatch.setattr(pynvml, "_nvmlLib_refcount", 0)
    return made


@pytest.mark.usefixtures("c_library")
def test_each_question_is_answered_in_the_librarys_units() -> None:
    library = Library()
    library.begin()
    assert (library.driver(), library.count(), library.uuid_at(1)) == ("570.86.15", 2, "GPU-b")
    handle = library.handle("GPU-a")
    assert library.name(handle) == "NVIDIA H200"
    answers = {raw: value for question in QUESTIONS for raw, value in library.ask(handle, question).items()}
    assert answers == {
        "utilization_percent": 97, "memory_utilization_percent": 61,
        "memory_used_bytes": 60, "memory_free_bytes": 20, "memory_total_bytes": 80,
        "temperature_celsius": 58, "memory_temperature_celsius": 67,
        "power_milliwatts": 412_345, "power_limit_milliwatts": 700_000, "energy_millijoules": 918_273_645_500,
        "sm_clock_megahertz": 1980, "memory_clock_megahertz": 3201, "throttle_reasons": 0x44,
        "ecc_corrected": 3, "ecc_uncorrected": 1,
        "processes": 2, "process_memory": {41234: 8 << 30, 41235: None}, "mig_mode": 1,
    }  # fmt: skip
    found = sample(Readings("0", "GPU-a", 0, "ok", answers=answers))
    assert (len(found.metrics), found.refused) == (16, {}), "everything is what the judge of values expects"


def test_an_older_library_is_asked_by_its_own_functions(c_library: CLibrary) -> None:
    c_library.missing = {
        "nvmlDeviceGetTemperatureV", "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3",
    }  # fmt: skip
    library = Library()
    handle = library.handle("GPU-a")
    assert library.ask(handle, "temperature") == {"temperature_celsius": 59}
    assert library.ask(handle, "throttle_reasons") == {"throttle_reasons": 0x40}
    assert library.ask(handle, "processes")["processes"] == 2


def test_a_function_that_the_library_does_not_have_is_not_supported(c_library: CLibrary) -> None:
    c_library.missing = {"nvmlDeviceGetTotalEnergyConsumption"}
    assert cause_of("energy") == "not_supported"


@pytest.mark.parametrize(
    ("code", "cause"),
    [(1, "no_driver"), (3, "not_supported"), (4, "no_permission"), (9, "no_driver"), (10, "timeout"), (12, "no_driver"),
     (15, "lost"), (16, "lost"), (17, "failed"), (18, "mismatch"), (999, "failed"), (12345, "failed")],
)  # fmt: skip
def test_every_code_has_its_cause(c_library: CLibrary, code: int, cause: Cause) -> None:
    c_library.fail["nvmlDeviceGetPowerUsage"] = code
    assert cause_of("power") == cause
    assert set(CODES) <= {getattr(pynvml, name) for name in vars(pynvml) if name.startswith("NVML_ERROR_")}


def test_a_code_whose_words_cannot_be_read_is_said_as_a_number(
    monkeypatch: pytest.MonkeyPatch, c_library: CLibrary
) -> None:
    monkeypatch.setattr(pynvml, "nvmlErrorString", lambda code: b"\xff".decode())
    c_library.fail["nvmlDeviceGetPowerUsage"] = 54_321
    with pytest.raises(NvmlTrouble, match=r"^NVML's error 54321$") as caught:
        Library().ask(Library().handle("GPU-a"), "power")
    assert caught.value.cause == "failed"


def test_a_field_says_by_itself_that_it_is_not_supported(c_library: CLibrary) -> None:
    c_library.fail["field"] = 3
    assert cause_of("memory_temperature") == "not_supported"


def test_a_gpu_on_which_nothing_draws_has_the_processes_that_compute(c_library: CLibrary) -> None:
    c_library.fail["nvmlDeviceGetGraphicsRunningProcesses_v3"] = 3
    library = Library()
    assert library.ask(library.handle("GPU-a"), "processes")["process_memory"] == {41234: 7 << 30, 41235: None}


@pytest.mark.parametrize(("computing", "shown"), [(7 << 30, 8 << 30), (9 << 30, 9 << 30), ((1 << 64) - 1, 8 << 30)])
def test_a_process_that_computes_and_draws_is_one_with_the_larger_of_its_numbers(
    c_library: CLibrary, computing: int, shown: int | None
) -> None:
    c_library.processes = {41234: computing}  # it draws with 8 GiB
    library = Library()
    assert library.ask(library.handle("GPU-a"), "processes") == {"processes": 1, "process_memory": {41234: shown}}


def test_whatever_the_bindings_raise_is_a_trouble(monkeypatch: pytest.MonkeyPatch, c_library: CLibrary) -> None:
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: b"\xff".decode())
    library = Library()
    with pytest.raises(NvmlTrouble, match="UnicodeDecodeError") as caught:
        library.name(library.handle("GPU-a"))
    assert caught.value.cause == "failed"
    with pytest.raises(NvmlTrouble) as missing:
        library.handle("GPU-z")
    assert missing.value.cause == "lost"


def test_it_is_begun_once_and_ended_once(c_library: CLibrary) -> None:
    library = Library()
    for _ in range(2):
        library.begin()
    assert c_library.begun == 1
    for _ in range(2):
        library.end()
    assert c_library.begun == 0
    library.begin()
    assert c_library.begun == 1


def test_critical_errors_carry_the_gpu_that_they_are_of_and_other_events_are_passed_over(c_library: CLibrary) -> None:
    xid = pynvml.nvmlEventTypeXidCriticalError
    c_library.fail["register GPU-b"] = 3
    library = Library()
    listening, told = library.listen(["GPU-a", "GPU-b", "GPU-z"])
    assert (set(told), set(c_library.registered)) == ({"GPU-a"}, {0x1000, 0x2000})
    c_library.events = [(0x1000, xid, 79), (0x1000, pynvml.nvmlEventTypePState, 3), (0x3000, xid, 13)]
    assert [library.next_xid(listening, 500) for _ in range(4)] == [("GPU-a", 79), None, None, None]
    library.close(listening)
    c_library.fail["register GPU-a"] = 3
    with pytest.raises(NvmlTrouble, match="no GPU here tells its critical errors"):
        library.listen(["GPU-a", "GPU-b"])


def cause_of(question: str) -> Cause:
    library = Library()
    with pytest.raises(NvmlTrouble) as caught:
        library.ask(library.handle("GPU-a"), question)  # type: ignore[arg-type]
    return caught.value.cause
