"""The agent's exposition: names of the contract, absent where nothing is known, and nothing for Prometheus' linter to say."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stream.gpu.sample import Readings, Sample, sample
from stream.gpu.series import COUNTERS, GAUGES, MOST_PROCESSES, WATCHED_XIDS, Posted, Standing, series
from tests.support.exposition import Fixed, of_families
from tests.support.gpu import GIB, RAW
from tests.support.source import ROOT

NOON = 1_357_041_600_000
GPU = 'gpu="0",uuid="GPU-a"'


def of(uuid: str = "GPU-a", gpu: str = "0", *, at_ms: int = NOON, **more: object) -> Sample:
    readings = Readings(gpu, uuid, at_ms, "ok", answers={**RAW, **more}, xid=79, name="NVIDIA H200")
    return sample(readings)


def whole() -> Standing:
    """A sample of every family."""
    one = sample(
        Readings(
            "0", "GPU-a", NOON, "ok", answers=RAW, unanswered={"mig_mode": "no_permission"}, xid=79, name="NVIDIA H200"
        )
    )  # fmt: skip
    return Standing("running", (one,), xids={"GPU-a": {79: 2}}, refused={"blank": 4}, taken=7, posted=Posted(5, 1))


def test_the_series_of_the_contract() -> None:
    found = of_families(series(whole()))
    assert found['model_gpu_memory_bytes{gpu_id="0"}'] == 60 * GIB
    assert found[f"nvidia_gpu_memory_free_bytes{{{GPU}}}"] == 20 * GIB
    assert found[f"nvidia_gpu_memory_total_bytes{{{GPU}}}"] == 80 * GIB
    assert found[f"nvidia_gpu_utilization_ratio{{{GPU}}}"] == 0.97
    assert found[f"nvidia_gpu_power_watts{{{GPU}}}"] == 412.345
    assert found[f"nvidia_gpu_xid{{{GPU}}}"] == 79
    assert found['nvidia_gpu_process_memory_bytes{gpu="0",pid="41234",uuid="GPU-a"}'] == 59 * GIB
    assert found[f"driftline_gpu_available{{{GPU}}}"] == 1
    assert found[f"driftline_gpu_sampled_timestamp_seconds{{{GPU}}}"] == 1_357_041_600
    assert found['driftline_gpu_unanswered{gpu="0",question="mig_mode",reason="no_permission",uuid="GPU-a"}'] == 1
    assert found['driftline_gpu_refused_values_total{reason="blank"}'] == 4
    assert found["driftline_gpu_agent_samples_published_total"] == 5


def test_without_a_driver_there_is_a_state_and_no_value_of_a_gpu() -> None:
    found = of_families(series(Standing("no_driver")))
    assert found['driftline_gpu_agent_state{state="no_driver"}'] == 1
    assert found['driftline_gpu_agent_state{state="running"}'] == 0
    assert [name for name in found if name.startswith(("nvidia", "model", "driftline_gpu_available"))] == []


@pytest.mark.parametrize("state", ["lost", "hanging", "unreadable"])
def test_a_gpu_that_does_not_answer_is_not_available_and_has_no_values(state: str) -> None:
    one = sample(Readings("0", "GPU-a", NOON, state, answers=RAW, name="NVIDIA H200"))  # type: ignore[arg-type]
    found = of_families(series(Standing("running", (one,))))
    assert found[f"driftline_gpu_available{{{GPU}}}"] == 0
    assert found[f'driftline_gpu_state{{gpu="0",state="{state}",uuid="GPU-a"}}'] == 1
    assert found['driftline_gpu_state{gpu="0",state="ok",uuid="GPU-a"}'] == 0
    assert [name for name in found if name.startswith("nvidia")] == [
        'nvidia_gpu_info{gpu="0",name="NVIDIA H200",uuid="GPU-a"}'
    ]


def test_a_critical_error_is_counted_from_zero_where_the_gpu_tells_them_and_not_where_it_does_not() -> None:
    found = of_families(series(Standing("running", (of(), of("GPU-b", "1")), xids={"GPU-a": {79: 2, 13: 1}})))
    told = {name: value for name, value in found.items() if name.startswith("nvidia_gpu_xid_errors_total")}
    assert told == {
        f'nvidia_gpu_xid_errors_total{{gpu="0",uuid="GPU-a",xid="{code}"}}': {79: 2, 13: 1}.get(code, 0)
        for code in (13, *WATCHED_XIDS)
    }


def test_two_gpus_that_had_one_index_never_make_one_series_twice() -> None:
    old, new = of("GPU-a", "0"), of("GPU-b", "0", at_ms=NOON + 1, memory_used_bytes=7)
    found = of_families(series(Standing("running", (new, old))))
    assert found['model_gpu_memory_bytes{gpu_id="0"}'] == 7


def test_of_many_processes_the_largest_are_shown() -> None:
    one = of(process_memory={pid: pid * 1000 for pid in range(1, 100)})
    found = of_families(series(Standing("running", (one,))))
    shown = {int(re.findall(r'pid="(\d+)"', name)[0]) for name in found if "process_memory" in name}
    assert shown == set(range(99, 99 - MOST_PROCESSES, -1))


def test_the_document_lists_every_series_with_its_type_and_labels_and_no_other() -> None:
    kinds = ((GAUGES, "gauge", ""), (COUNTERS, "counter", "_total"))
    made = {(f"{name}{end}", kind, tuple(sorted(labels))) for rows, kind, end in kinds for name, _, labels in rows}
    assert documented() == made


def documented() -> set[tuple[str, str, tuple[str, ...]]]:
    """(name, type, labels) of every row of the agent's table."""
    text = (ROOT / "docs" / "metrics.md").read_text().split("## Series of the GPU agent")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| (counter|gauge)(?:: ([^|]+))? \|", text, re.MULTILINE)
    return {
        (name, kind, tuple(sorted(re.findall(r"`([^`]+)`", labels))))
        for names, kind, labels in rows
        for name in re.findall(r"`([^`]+)`", names)
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_promtool_finds_nothing_to_say_of_the_exposition() -> None:
    registry = CollectorRegistry()
    registry.register(Fixed(series(whole())))
    page = generate_latest(registry).decode()
    assert {name for name, _, _ in (*GAUGES, *COUNTERS)} == set(re.findall(r"^# TYPE (\w+?)(?:_total)? ", page, re.M))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
