"""Memory for a few panes alone: nearly every event meets one that has left it, and what is stored is what was sent."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.chaos import row
from tests.support.generated import PANE_MS, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, page
from tests.support.worker import Deployment

pytestmark = [pytest.mark.chaos, pytest.mark.long]

MODEL, EVENTS = "alpha", 3_000
DISORDER_MS = 3 * PANE_MS
#: Bytes: room for one pane or two: less than anybody may set.
PROGRAM = """
from stream import parts
parts.Ceiling = lambda whole: ceiling(6_000)
from stream.ingest.ceiling import Ceiling as ceiling
from stream.command.main import main
main()
"""


@row("memory for a few panes, kill -9 and restart", "every feature, bin and pane exact")
def test_counts_are_exact_where_panes_leave_memory_and_come_back(deployment: Deployment) -> None:
    reference = reference_of(generate(MODEL, 2_000, seed=1, features=4))
    events = generate(MODEL, EVENTS, seed=2, features=4)
    arrival = np.argsort(events.times + np.random.default_rng(3).uniform(0, DISORDER_MS, EVENTS))
    records = list(events.records())
    deployment.program = ("-c", PROGRAM)
    apply(deployment, write_monitors(deployment.folder, {MODEL: reference}))
    killed = deployment.start_worker()
    with deployment.sending([records[at] for at in arrival], rate=500):
        deployment.wait_until(lambda: sum(deployment.stored().values()) > EVENTS // 4)
        assert _evicted(page(killed, "metrics")[1]) > 20
        killed.kill()
        deployment.start_worker()
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(events, reference))


def _evicted(metrics: str) -> float:
    line = next(line for line in metrics.splitlines() if line.startswith("driftline_evicted_panes_total"))
    return float(line.split()[1])
