"""What holds a healthy challenger: each reason where it begins to hold."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from detectors.experiments.overlap import Overlap
from stream.evaluate.releases.holding import holds
from stream.evaluate.releases.window import Arm, Arms, HealthWindow
from tests.support.released import HOUR, arm, monitor, running, window


def held(of: HealthWindow, *, share: float = 0.5) -> list[str]:
    state = replace(running(), share=share)
    found = holds(state, of, monitor(), checks=(), shared=Overlap("not_enough_data"))
    return [reason.code for reason in found]


@pytest.mark.parametrize(("each", "codes"), [(1, ["sample_ratio"]), (50, [])])
def test_a_share_that_is_far_off_is_another_one_by_as_many_draws_as_there_are_ids(each: int, codes: list[str]) -> None:
    """600 and 400 of a thousand requests: by a thousand ids that is no chance, by twenty it is."""
    assert held(window(1, Arms(arm(600, **ids(600 // each, each)), arm(400, **ids(400 // each, each))))) == codes


def ids(alone: int, each: int) -> dict[str, Any]:
    """So many ids of so many requests each, each in a bucket of its own version."""
    first = 0 if alone * each == 600 else 600
    cells = [0] * 1200
    for at in range(alone):
        cells[first + at] = each * (-1) ** at
    return {"ids": tuple(cells), "with_id": alone * each}


@pytest.mark.parametrize(
    ("whole", "settled", "codes"),
    [(100, 99, ["settling"]), (99, 99, ["not_enough_requests"]), (100, 100, []), (99, 0, ["not_enough_requests"])],
)
def test_a_window_settles_only_where_it_had_enough_requests_at_all(whole: int, settled: int, codes: list[str]) -> None:
    of = window(1, Arms(arm(whole), arm(whole)), settled=Arms(arm(settled), arm(settled)), settled_ms=HOUR // 2)
    assert held(of) == codes


def test_a_champion_is_asked_for_only_while_it_is_to_be_sent_something() -> None:
    alone = window(1, Arms(Arm(), arm(500)))
    assert held(alone, share=0.5) == ["champion_no_traffic"]
    assert held(alone, share=1.0) == []
