"""The agent on a real GPU, where this machine has one; skipped everywhere else, so a green run says nothing of hardware."""

from __future__ import annotations

import json

import pytest

from stream.gpu.library import NvmlTrouble
from stream.gpu.nvml import Library
from tests.support.command import driftline


def gpus() -> int:
    library = Library()
    try:
        library.begin()
        return library.count()
    except NvmlTrouble:
        return 0


pytestmark = pytest.mark.skipif(gpus() == 0, reason="no GPU here, or no driver for it")


def test_every_gpu_says_how_much_memory_it_has_and_nothing_that_cannot_be_believed() -> None:
    found = json.loads(driftline("gpu-agent", "--check", "--json").out)
    assert (found["state"], len(found["gpus"])) == ("running", gpus())
    for gpu in found["gpus"]:
        assert (gpu["state"], gpu["not_believed"]) == ("ok", {})
        assert gpu["uuid"].startswith("GPU-")
        metrics = gpu["metrics"]
        assert 0 < metrics["memory_used_bytes"] + metrics["memory_free_bytes"] <= metrics["memory_total_bytes"]
        assert 10 <= metrics["temperature_celsius"] <= 110


def test_the_events_of_one_look_are_those_of_the_gpus() -> None:
    ended = driftline("gpu-agent", "--once")
    samples = json.loads(ended.out)["samples"]
    assert (ended.code, [sample["metrics"]["available"] for sample in samples]) == (0, [1] * gpus())
