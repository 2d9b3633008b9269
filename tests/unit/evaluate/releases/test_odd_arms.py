"""Windows of which an arm is empty, or says odd things: a decision each, never a crash, and never a promotion without requests."""

from __future__ import annotations

import pytest

from stream.evaluate.releases.step import step
from stream.evaluate.releases.window import Arm, Arms, Sums
from tests.support.released import arm, monitor, running, window

ODD = [
    Arm(),
    arm(1, errors=1),
    Arm(latencies=5, slow=5, latency=Sums(5, 5.0, 5.0)),
    Arm(rating=Sums(100, 100.0, 100.0)),
    Arm(scores=(100,) * 40, ids=(1,) * 1024, with_id=1024),
    arm(500, rating=Sums(1, 5.0, 25.0), scores=(0,) * 40),
    arm(500, ids=(500,) + (0,) * 1023, with_id=500),
    arm(500, ids=(0,) * 1024, with_id=500, errors=500, slow=500),
]


@pytest.mark.parametrize("odd", ODD)
def test_no_arm_is_too_odd_for_a_decision(odd: Arm) -> None:
    for arms in (Arms(arm(9_500), odd), Arms(odd, arm(500)), Arms(odd, odd)):
        _, decision, _ = step(running(), window(1, arms), monitor())
        assert decision is not None
        if not (arms.champion.requests and arms.challenger.requests):
            assert decision.decision != "promote"
