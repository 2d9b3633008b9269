"""Rows of those who are told: a worker killed or asleep in the middle of a delivery, and the vendor hears of each fault once."""

from __future__ import annotations

import os
import signal
import time

import pytest

from stream.local.receivers.pagerduty import RecordingPagerDuty, recording_pagerduty
from tests.support.chaos import Row, Scene, rows
from tests.support.chaos_events import Record
from tests.support.generated import PANE_MS, START_MS

pytestmark = pytest.mark.chaos

RECORDS = 6_000
DOWN = (START_MS + 8 * PANE_MS, START_MS + 14 * PANE_MS)
END_MS = START_MS + 30 * PANE_MS


def killed_mid_delivery(scene: Scene) -> None:
    with recording_pagerduty(folder=scene.deployment.folder) as pager:
        for label in ("before-send", "after-send"):
            scene.start(test_kill_at=label, pagerduty_url=pager.url)
            if label == "before-send":
                scene.send(until(scene, DOWN[1]))
            wait_until_gone(scene)
        told_and_ended(scene, pager.vendor, url=pager.url)


def asleep_before_its_request(scene: Scene) -> None:
    """It wakes when another has told the vendor: Redis refuses what it holds, and it makes no request."""
    triggers = asleep(scene, "after-begin")
    assert triggers == 1


def asleep_in_its_request(scene: Scene) -> None:
    """Its request was under way: the vendor takes it for what it is, the same alert again."""
    triggers = asleep(scene, "before-send")
    assert triggers in (1, 2)


def asleep(scene: Scene, label: str) -> int:
    with recording_pagerduty(folder=scene.deployment.folder) as pager:
        [sleeper] = scene.start(test_kill_at=label, test_kill_by="SIGSTOP", pagerduty_url=pager.url)
        scene.send(until(scene, DOWN[1]))
        scene.deployment.wait_until(lambda: is_stopped(sleeper.pid))
        [awake] = [scene.deployment.start_worker(pagerduty_url=pager.url, session_timeout_s="2", in_doubt_s="0.5")]
        scene.deployment.wait_until_shared(awake)  # the session of the other is over
        scene.deployment.wait_until(lambda: pager.vendor.rings == 1)
        os.kill(sleeper.pid, signal.SIGCONT)
        time.sleep(1.0)
        told_and_ended(scene, pager.vendor, url="")
        assert sleeper.alive
        return sum(event["event_action"] == "trigger" for one in pager.vendor.incidents for event in one.events)


def told_and_ended(scene: Scene, vendor: RecordingPagerDuty, *, url: str) -> None:
    """The end of the fault comes, and is told; nobody was rung twice."""
    if url:
        scene.start(pagerduty_url=url)
    scene.send(rest(scene, DOWN[1]))
    scene.close(END_MS)
    scene.deployment.wait_until(lambda: bool(vendor.incidents) and not vendor.open_keys())
    assert (vendor.rings, vendor.lost) == (1, [])


def until(scene: Scene, end_ms: int) -> list[Record]:
    return [record for record in traffic(scene) if record.arrives_ms < end_ms]


def rest(scene: Scene, first_ms: int) -> list[Record]:
    return [record for record in traffic(scene) if record.arrives_ms >= first_ms]


def traffic(scene: Scene) -> list[Record]:
    return scene.traffic(models=("alpha",), down=DOWN).records(RECORDS)


def wait_until_gone(scene: Scene) -> None:
    scene.deployment.wait_until(lambda: not scene.living())


def is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] in "Tt"


@rows(
    Row("kill -9 mid-delivery", killed_mid_delivery, "rung once, its end told, every stored count exact", long=True),
    Row("SIGSTOP past the session, before a request", asleep_before_its_request, "refused: exactly one trigger", long=True),
    Row("SIGSTOP past the session, in a request", asleep_in_its_request, "exactly one ring, counts exact", long=True),
)  # fmt: skip
def test_a_fault_is_told_once_through(row: Row, scene: Scene) -> None:
    row.fault(scene)
    scene.assert_exact()
