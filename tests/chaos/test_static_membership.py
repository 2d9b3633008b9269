"""Workers that keep their name: a restart moves no partition, and no name is had twice."""

from __future__ import annotations

import pytest

from tests.support.chaos import row
from tests.support.generated import assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, epochs, printed
from tests.support.worker import Deployment

pytestmark = [pytest.mark.chaos, pytest.mark.long]

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
EVENTS = generate(MODEL, 4_000, seed=2, features=2)
RECORDS = list(EVENTS.records())


@row("rolling restart of workers that keep their name", "no partition moves; exact")
def test_a_rolling_restart_moves_no_partition_and_a_name_is_had_once(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    # A start on a busy machine fits in it, and nothing waits for its end.
    deployment.more |= {"DRIFTLINE_SESSION_TIMEOUT_S": "60", "DRIFTLINE_REQUEST_TIMEOUT_S": "60"}
    first, stays = deployment.start_worker(instance_id="a"), deployment.start_worker(instance_id="b")
    deployment.wait_until_shared(first, stays)
    deployment.send(RECORDS[:2_000])
    deployment.wait_until_stored()
    held, taken = deployment.owners(), epochs(deployment)
    others = {number for number, pid in held.items() if pid == stays.pid}

    assert first.stop() == 0
    again = deployment.start_worker(instance_id="a")
    deployment.wait_until_shared(again, stays)
    assert deployment.owners() == {number: stays.pid if number in others else again.pid for number in held}
    assert {number for number, epoch in epochs(deployment).items() if epoch == taken[number]} == others

    second = deployment.start_worker(instance_id="b")
    deployment.send(RECORDS[2_000:])
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(EVENTS, REFERENCE))
    deployment.wait_until(lambda: not second.alive)
    assert (second.stop(), printed(second, f":{stays.pid} runs under it: each worker needs one of its own")) == (2, 1)
    assert (again.alive, stays.alive) == (True, True)
    assert {number for number, epoch in epochs(deployment).items() if epoch == taken[number]} == others
