"""Faults in a running model, seen by a real Prometheus: driftline's rules, and a user's own on the same series, fire and clear.

The rules are those files with their times shortened, for a test cannot wait for an hour.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.observed import apply
from tests.support.prometheus import Prometheus, exposing
from tests.support.promtool import RULES
from tests.support.served import called, write_monitors
from tests.support.source import ROOT
from tests.support.worker import QUICK, Deployment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus here: `make services` installs it"),
]
USERS = ROOT / "tests" / "support" / "users_rules.yml"
#: Series of models step every second here: no range is shorter than twice a pane and that.
SHORTENED = {
    "2m": "2s", "3m": "2s", "5m": "5s", "10m": "5s", "15m": "5s", "30m": "5s", "1h": "5s", "6h": "8s",
    "1d": "5s", "1w": "5s", "3d": "12s",
}  # fmt: skip
ADDRESS = re.compile(r"worker: http://(\S+)")
GPU = """\
nvidia_gpu_memory_free_bytes{gpu="0",uuid="GPU-5a1c"} %(free)d
nvidia_gpu_memory_total_bytes{gpu="0",uuid="GPU-5a1c"} 80000000000
model_gpu_memory_bytes{gpu_id="0"} %(used)d
"""
#: Faults, by what a user's rule and what one of ours calls them.
EXPECTED = {
    "HighErrorRate", "FailingPredictions", "HighLatency", "HighDuration", "RequestRateDrop", "LongAnswers", "FeatureMissing",
    "FeatureStale", "PredictionShift", "FeatureDrift", "GpuMemoryHigh", "ModelMemoryHigh", "NewVersion",
    "DriftlineModelErrors", "DriftlineModelSlow", "DriftlineModelRequestsDropped", "DriftlineFeatureMissing",
    "DriftlineFeatureStale", "DriftlinePredictionShift", "DriftlineModelDrift", "DriftlineErrorBudgetBurn",
    "DriftlineGpuMemoryNearlyFull", "DriftlineModelVersionChanged",
}  # fmt: skip
#: What stays true: a budget that was spent in the last 30 minutes, a version that was seen within a day.
LASTING = {"DriftlineErrorBudgetBurn", "NewVersion"}


def shortened(rules: str) -> str:
    """Rules with every range, offset and wait shortened; what must last may do so at once."""
    waiting = re.sub(r"for: \d+[smhdw]", "for: 0s", rules)
    return re.sub(r"(\[|offset )(\d+[mhdw])\b", lambda found: found[1] + SHORTENED[found[2]], waiting)


@pytest.fixture
def rules(tmp_path: Path) -> list[Path]:
    """The rule files, shortened."""
    made = []
    for file in [*sorted(RULES.glob("*.yml")), USERS]:
        made.append(tmp_path / file.name)
        made[-1].write_text(shortened(file.read_text()))
    return made


@pytest.fixture
def gpu() -> dict[str, int]:
    """A GPU's memory, to be changed by the test."""
    return {"free": 40_000_000_000, "used": 40_000_000_000}


@pytest.fixture
def prometheus(deployment: Deployment, gpu: dict[str, int], rules: list[Path], tmp_path: Path) -> Iterator[Prometheus]:
    """One that scrapes a worker of this deployment, and a GPU."""
    apply(deployment, write_monitors(tmp_path))
    deployment.program = ("-c", QUICK)
    worker = deployment.start_worker()
    worker.wait_until(lambda: ADDRESS.search(worker.log.read_text()) is not None, timeout_s=30)
    found = ADDRESS.search(worker.log.read_text())
    assert found
    with exposing(lambda: GPU % gpu) as page:
        made = Prometheus(tmp_path, {"driftline": [found[1]], "driftline-gpu": [page]}, rules=rules)
        yield made
        made.stop()


def left(wrong: Callable[[], set[str]]) -> set[str]:
    """What is still wrong once nothing is, or after a minute."""
    end = time.monotonic() + 60
    while (found := wrong()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def test_times_are_shortened_wherever_a_rule_waits() -> None:
    text = shortened("".join(file.read_text() for file in [*RULES.glob("*.yml"), USERS]))
    assert re.findall(r"(?:\[|offset |for: )\d+[mhdw]", text) == []
    assert len(re.findall(r"\[\d+s\]", text)) > 60


def test_every_fault_fires_and_clears(deployment: Deployment, prometheus: Prometheus, gpu: dict[str, int]) -> None:
    seen: set[str] = set()

    def firing() -> set[str]:
        found = {alert["labels"]["alertname"] for alert in prometheus.firing()} & EXPECTED
        seen.update(found)
        return found - LASTING

    def unseen() -> set[str]:
        firing()
        return EXPECTED - seen

    with called(deployment) as ill:
        known = "model_name:model_requests:rate1h offset 5s > 50"
        assert left(lambda: set() if prometheus.query(known) else {known}) == set()
        assert left(firing) == set()

        ill.set()
        gpu |= {"free": 1_000_000_000, "used": 79_000_000_000}
        assert left(unseen) == set(), prometheus.query("model_name_slo:driftline_slo_burn_rate:6h")

        ill.clear()
        gpu |= {"free": 40_000_000_000, "used": 40_000_000_000}
        assert left(firing) == set()
