"""Rows of workers: however they end, sleep, come and go, every stored count is what was sent."""

from __future__ import annotations

import pytest

from tests.support.chaos import Row, Scene, rows
from tests.support.generated import PANE_MS, START_MS

pytestmark = pytest.mark.chaos

RECORDS, RATE = 8_000, 1_500
EXACT = "every stored count is exact"


def killed_mid_pane(scene: Scene) -> None:
    records = scene.traffic().records(RECORDS)
    [worker] = scene.start()
    with scene.sending(records, rate=RATE):
        scene.wait_for(0.3, records)
        worker.kill()
        scene.start()
    scene.close(START_MS + 30 * PANE_MS)


@rows(
    Row("kill -9 mid-pane", killed_mid_pane, EXACT),
)
def test_counts_are_exact_through(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.assert_exact()
