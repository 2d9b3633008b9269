"""A worker that no longer does its work ends by itself, with a line and an exit code of its own."""

from __future__ import annotations

import pytest

from stream.tasks import EXIT_STUCK
from tests.support.observed import printed
from tests.support.worker import Deployment

#: A worker in which something breaks as soon as it has partitions.
BROKEN = """
import time
from stream.command.main import main
from stream.expose import liveness
from stream.fetching import FetchThread
from stream.ingest.intake import Intake
liveness.ENDED_FOR_S = 1.0

async def broken(self):
    thread = FetchThread.running
    {}

Intake.reclaim = broken
main()
"""


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("time.sleep(3600)", "the event loop has not answered for 2 s; this worker ends"),
        (
            "thread.thread_loop.call_soon_threadsafe(thread.thread_loop.stop)",
            "the thread that reads from Kafka has ended",
        ),
        ("await self.consumer.app.crash(RuntimeError('lost'))", "RuntimeError('lost')"),
    ],
)
def test_what_only_a_restart_mends_ends_the_worker(deployment: Deployment, broken: str, said: str) -> None:
    deployment.program = ("-c", BROKEN.format(broken))
    worker = deployment.start_worker(stuck_after_s="1", flush_interval_s="0.5", flush_at_latest_s="0.5")

    deployment.wait_until(lambda: not worker.alive, timeout_s=30)
    assert worker.stop() == EXIT_STUCK
    assert printed(worker, said) > 0
