"""``driftline gpu-agent`` that looks once: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import driftline
from tests.support.source import ROOT

H200 = str(ROOT / "examples" / "gpu" / "h200.json")
SAID = "gpu-agent: no GPU, a recording: written by hand: a machine with two H200, values typical, none measured\n"


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without NVIDIA's driver, also where there is one."""
    import pynvml  # type: ignore[import-untyped]

    def no_library() -> None:
        raise pynvml.NVMLError_LibraryNotFound

    monkeypatch.setattr(pynvml, "nvmlInit", no_library)


def recording(folder: Path, **answers: Any) -> str:
    """The example, with other answers of its first GPU."""
    found = json.loads(Path(H200).read_text())
    found["gpus"][0]["answers"].update(answers)
    (folder / "r.json").write_text(json.dumps(found))
    return str(folder / "r.json")


def test_once_prints_the_events_that_would_be_sent() -> None:
    ended = driftline("gpu-agent", "--once", "--recording", H200)
    assert (ended.code, ended.err) == (0, SAID)
    found = json.loads(ended.out)
    assert (found["state"], found["says"]) == ("running", "driver 570.86.15, GPUs: 2")
    first, second = found["samples"]
    assert (first["gpu"], first["metrics"]["memory_used_bytes"], first["metrics"]["power_watts"]) == (
        "0", 128_849_018_880, 612.345,
    )  # fmt: skip
    assert (second["uuid"], second["metrics"]["utilization_ratio"]) == ("GPU-8f6d1c52-0000-4000-8000-000000000001", 0)


@pytest.mark.usefixtures("no_driver")
@pytest.mark.parametrize("option", ["--once", "--check"])
def test_without_a_driver_it_says_so_and_ends_with_1(option: str) -> None:
    ended = driftline("gpu-agent", option)
    assert (ended.code, ended.err) == (1, "")
    assert "no_driver" in ended.out


@pytest.mark.usefixtures("no_driver")
def test_check_as_json_without_a_driver() -> None:
    ended = driftline("gpu-agent", "--check", "--json")
    assert (ended.code, json.loads(ended.out)) == (
        1, {"state": "no_driver", "says": "NVML Shared Library Not Found", "driver": None, "gpus": []},
    )  # fmt: skip


def test_check_shows_each_gpu_what_it_does_not_tell_and_what_is_not_believed(tmp_path: Path) -> None:
    file = recording(tmp_path, power=[{"power_milliwatts": 2**32 - 1}], processes=[{"error": "no_permission"}])
    ended = driftline("gpu-agent", "--check", "--recording", file)
    first = ended.out.splitlines()[2]
    assert (ended.code, ended.out.splitlines()[0]) == (0, "running: driver 570.86.15, GPUs: 2")
    assert "120.0 of 141.0 GiB" in first
    assert first.rstrip().endswith("processes (no_permission), 1 not believed (blank)")


def test_a_gpu_that_is_lost_is_exit_code_1(tmp_path: Path) -> None:
    ended = driftline("gpu-agent", "--check", "--json", "--recording", recording(tmp_path, power=[{"error": "lost"}]))
    found = json.loads(ended.out)
    assert (ended.code, [gpu["state"] for gpu in found["gpus"]]) == (1, ["lost", "ok"])
    assert found["gpus"][0]["not_told"] == {"power": "lost"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json",), "goes with --check"),
        (("--every", "soon"), "must be a duration such as"),
        (("--every", "500ms"), "every 1s"),
        (("--recording", "nowhere.json"), "nowhere.json: cannot be read: No such file or directory"),
        (("--recording", __file__), "is no recording"),
    ],
)
def test_wrong_use_is_exit_code_2_with_the_way_out(arguments: tuple[str, ...], said: str) -> None:
    ended = driftline("gpu-agent", *arguments)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
