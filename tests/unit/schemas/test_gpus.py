"""A sample of a GPU: what is believed of it, and what is left out with its reason."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from schemas.errors import RejectedEvent
from schemas.gpus import Sample, sampled
from schemas.kinds import Serving

T = 1_357_035_300_000


def event(**changed: Any) -> Serving:
    found = {"host": "n7", "gpu": "0", "uuid": "GPU-1"} | changed
    return Serving(model=None, timestamp_ms=T, **found)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("fan_ratio", 0.5, "unknown"),
        ("power_watts", math.nan, "not_finite"),
        ("power_watts", math.inf, "not_finite"),
        ("temperature_celsius", -1.0, "negative"),
        ("memory_used_bytes", 2.0**62, "huge"),
        ("memory_used_bytes", float(2**64 - 1), "huge"),
        ("utilization_ratio", 1.01, "out_of_range"),
        ("available", 0.5, "out_of_range"),
        ("xid", 79.5, "out_of_range"),
        ("ecc_uncorrected", 4294967295.0, "huge"),
        ("memory_used_bytes", 4294967295.0, "huge"),
        ("temperature_celsius", 4294967295.0, "huge"),
        ("temperature_celsius", 255.0, "out_of_range"),
        ("memory_temperature_celsius", 65535.0, "out_of_range"),
        ("power_watts", 10_001.0, "out_of_range"),
        ("power_limit_watts", 2147483632.0, "out_of_range"),
        ("sm_clock_hertz", 2.1e10, "out_of_range"),
        ("memory_clock_hertz", 2147483632e6, "out_of_range"),
        ("xid", 65536.0, "out_of_range"),
        ("processes", 1_000_001.0, "out_of_range"),
    ],
)
def test_a_value_that_cannot_be_one_is_left_out_and_the_rest_counts(name: str, value: float, why: str) -> None:
    found = sampled(event(metrics={name: value, "energy_joules": 71.5}))
    assert found.sample.metrics == {"energy_joules": 71.5}
    assert found.left_out == Counter({why: 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_used_bytes", 2.0**62 - 1024),
        ("utilization_ratio", 1.0),
        ("power_watts", 0.0),
        ("available", 0.0),
        ("temperature_celsius", 150.0),
        ("xid", 65535.0),
        ("energy_joules", 4294967296.0),
    ],
)
def test_the_last_value_that_can_be_one_is_kept(name: str, value: float) -> None:
    assert sampled(event(metrics={name: value})).sample.metrics == {name: value}


def test_more_memory_used_or_free_than_there_is_is_left_out() -> None:
    found = sampled(event(metrics={"memory_used_bytes": 81.0, "memory_free_bytes": 80.0, "memory_total_bytes": 80.0}))
    assert found.sample.metrics == {"memory_free_bytes": 80.0, "memory_total_bytes": 80.0}
    assert found.left_out == Counter({"out_of_range": 1})


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"host": None}, "missing_field", "host"),
        ({"host": ""}, "missing_field", "host"),
        ({"gpu": ""}, "missing_field", "gpu"),
        ({"host": "n" * 121}, "too_large", "host"),
        ({"uuid": "u" * 121}, "too_large", "uuid"),
    ],
)
def test_a_sample_says_of_which_gpu_it_is(changed: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(RejectedEvent) as refused:
        sampled(event(**changed))
    assert (refused.value.reason, refused.value.field) == (reason, field)


def test_a_gpu_is_known_by_host_and_uuid_or_by_its_index() -> None:
    assert [sampled(event(uuid=uuid)).sample.name for uuid in ("GPU-1", None, "")] == ["n7/GPU-1", "n7/0", "n7/0"]


def test_half_a_surrogate_pair_in_a_name_can_be_stored() -> None:
    found = sampled(event(host="n\ud800")).sample
    assert Sample.from_json(found.to_json()).host == "n?"


def test_the_stored_form_is_the_same_for_the_same_content() -> None:
    one = Sample(timestamp=T, host="n7", gpu="0", metrics={"xid": 79.0, "power_watts": 71.5})
    other = Sample(timestamp=T, host="n7", gpu="0", metrics={"power_watts": 71.5, "xid": 79.0})
    assert one.to_json() == other.to_json()
    assert Sample.from_json(one.to_json()) == other


@pytest.mark.parametrize(
    ("metrics", "share"),
    [
        ({"memory_used_bytes": 60.0, "memory_total_bytes": 80.0}, 0.75),
        ({"memory_free_bytes": 20.0, "memory_total_bytes": 80.0}, 0.75),
        ({"memory_used_bytes": 60.0}, None),
        ({"memory_used_bytes": 60.0, "memory_total_bytes": 0.0}, None),
        ({"memory_total_bytes": 80.0}, None),
    ],
)
def test_the_share_of_memory_in_use_needs_the_whole(metrics: dict[str, float], share: float | None) -> None:
    assert Sample(timestamp=T, host="n7", gpu="0", metrics=metrics).memory_share() == share
