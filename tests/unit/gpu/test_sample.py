"""From NVML's answers to a sample: units, what is not believed, and nothing made up."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from schemas.events import parse_record
from schemas.gpus import measured, sampled
from schemas.kinds import Serving
from stream.gpu.quantities import QUANTITIES, Quantity, in_its_unit
from stream.gpu.sample import GpuState, Readings, Sample, sample
from tests.support.gpu import GIB, RAW

NOON = 1_357_041_600_000


def looked(
    answers: Mapping[str, object], *, state: GpuState = "ok", xid: int | None = None, errors: int | None = None
) -> Sample:
    return sample(
        Readings(
            "0", "GPU-a", NOON, state, answers=answers, xid=xid, xid_errors=errors, host="node-7", name="NVIDIA H200"
        )
    )  # fmt: skip


def test_every_value_is_in_the_unit_that_its_name_says() -> None:
    assert looked(RAW).metrics == {
        "utilization_ratio": 0.97,
        "memory_utilization_ratio": 0.61,
        "memory_used_bytes": 60 * GIB,
        "memory_free_bytes": 20 * GIB,
        "memory_total_bytes": 80 * GIB,
        "temperature_celsius": 58,
        "memory_temperature_celsius": 67,
        "power_watts": 412.345,
        "power_limit_watts": 700,
        "energy_joules": 918_273_645.5,
        "sm_clock_hertz": 1_980_000_000,
        "memory_clock_hertz": 3_201_000_000,
        "throttle_reasons": 0x44,
        "ecc_corrected": 3,
        "ecc_uncorrected": 0,
        "processes": 2,
    }
    assert looked(RAW).refused == {}


def test_the_event_is_one_that_a_worker_reads() -> None:
    event = looked(RAW, xid=79, errors=3).event()
    [read] = parse_record("serving", json.dumps(event).encode())
    assert isinstance(read, Serving)
    assert (read.model, read.gpu, read.uuid, read.host, read.timestamp_ms) == (None, "0", "GPU-a", "node-7", NOON)
    assert read.metrics == {**looked(RAW).metrics, "available": 1, "xid": 79, "xid_errors": 3}
    assert sampled(read).left_out == {}


def test_what_nvml_did_not_say_is_absent_and_not_zero() -> None:
    found = looked({"temperature_celsius": 41})
    assert found.metrics == {"temperature_celsius": 41}
    assert found.event()["metrics"] == {"temperature_celsius": 41, "available": 1}
    assert (found.mig, found.xid) == (None, None)


@pytest.mark.parametrize(
    ("raw", "value", "why"),
    [
        ("memory_used_bytes", 2**64 - 1, "blank"),
        ("memory_used_bytes", 2**62, "blank"),
        ("memory_used_bytes", 9_223_372_036_854_775_794, "blank"),
        ("memory_temperature_celsius", 0xFFFFFFFF, "blank"),
        ("temperature_celsius", 0xFF, "out_of_range"),
        ("temperature_celsius", 0xFFFF, "out_of_range"),
        ("temperature_celsius", -1, "out_of_range"),
        ("utilization_percent", 101, "out_of_range"),
        ("memory_utilization_percent", 4_000_000, "out_of_range"),
        ("power_milliwatts", 10**9, "out_of_range"),
        ("power_limit_milliwatts", 0, "out_of_range"),
        ("memory_total_bytes", 0, "out_of_range"),
        ("sm_clock_megahertz", 2_147_483_632, "out_of_range"),
        ("throttle_reasons", 2**64 - 1, "blank"),
        ("ecc_uncorrected", 2**64 - 1, "blank"),
        ("energy_millijoules", float("nan"), "not_a_number"),
        ("power_milliwatts", "412 W", "not_a_number"),
        ("power_milliwatts", None, "not_a_number"),
        ("processes", True, "not_a_number"),
        ("memory_used_bytes", 80 * GIB + 1, "inconsistent"),
        ("memory_free_bytes", 81 * GIB, "inconsistent"),
    ],
)
def test_a_lie_is_left_out_counted_by_its_reason_and_costs_nothing_else(raw: str, value: object, why: str) -> None:
    told, whole = looked({**RAW, raw: value}), looked(RAW)
    assert told.refused == {why: 1}
    [gone] = whole.metrics.keys() - told.metrics.keys()
    assert told.metrics == {key: kept for key, kept in whole.metrics.items() if key != gone}


@pytest.mark.parametrize(
    ("raw", "value"), [("utilization_percent", 100), ("utilization_percent", 0), ("power_milliwatts", 0)]
)
def test_the_ends_of_a_range_are_believed(raw: str, value: int) -> None:
    assert looked({**RAW, raw: value}).refused == {}


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda one: one.key)
def test_what_the_agent_believes_of_a_gpu_its_worker_believes_too(quantity: Quantity) -> None:
    greatest = in_its_unit(quantity, min(quantity.highest, 2**61))
    kept, left_out = measured({quantity.key: float(greatest)})
    assert (set(kept), left_out) == ({quantity.key}, {})


@pytest.mark.parametrize("state", ["hanging", "lost", "unreadable"])
def test_of_a_gpu_that_does_not_answer_there_is_only_that(state: GpuState) -> None:
    found = looked(RAW, state=state)
    assert (found.metrics, found.processes, found.event()["metrics"]) == ({}, {}, {"available": 0})


def test_memory_by_process_is_what_we_may_know_of_it() -> None:
    told = {**RAW, "process_memory": {41234: GIB, 41235: None, 41236: 2**64 - 1, "x": 5}}
    found = looked(told)
    assert found.processes == {41234: GIB}
    assert found.refused == {"blank": 1, "not_a_number": 1}


@pytest.mark.parametrize(("mode", "mig"), [(1, True), (0, False), (7, None), (None, None)])
def test_whether_it_is_divided(mode: object, mig: bool | None) -> None:
    assert looked({**RAW, "mig_mode": mode}).mig is mig
