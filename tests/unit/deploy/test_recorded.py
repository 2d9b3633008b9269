"""What is recorded when a model, or a partition, moves from one worker to another: every event once, and nothing anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.promtool import LOST, NONE, Case, Minutes, differs, flat, rising

A, B = 'job="driftline",instance="a:8780"', 'job="driftline",instance="b:8780"'
pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus"
)


def requests(status: str, a: Minutes, b: Minutes) -> dict[str, Minutes]:
    name = f'model_requests_total{{model_name="m",status="{status}",'
    return {f"{name}{A}}}": a, f"{name}{B}}}": b}


def moved(minutes_between: int) -> Case:
    """Sixty requests a minute, of which six fail; worker a has the model for half an hour, b goes on from the same sums."""
    begin = 31 + minutes_between
    a, b = [*flat(1, 31), LOST], [*[NONE] * begin, *flat(1, 61 - begin)]
    scaled = {
        status: (
            [one if one == LOST else by * at for at, one in enumerate(a)],
            [one if one == NONE else by * at for at, one in enumerate(b)],
        )
        for status, by in (("success", 54), ("error", 6))
    }
    return Case({name: found for status, pair in scaled.items() for name, found in requests(status, *pair).items()})


@pytest.mark.parametrize("minutes_between", [-1, 0, 5])
def test_a_model_that_moves_keeps_its_rate_and_its_share_of_errors(minutes_between: int, tmp_path: Path) -> None:
    case = moved(minutes_between)  # -1: for a minute both export it
    assert differs(case, "model_name:model_requests:rate1h", 1.0, folder=tmp_path) == ""
    share = "round(model_name:model_request_errors_per_request:ratio_rate1h, 0.0001)"
    assert differs(case, share, 0.1, folder=tmp_path) == ""


def test_a_sum_over_the_workers_would_not(tmp_path: Path) -> None:
    rate = "sum by (model_name) (rate(model_requests_total[1h]))"
    assert differs(moved(5), rate, 1.0, folder=tmp_path) != ""


def test_a_partition_that_moves_lags_once(tmp_path: Path) -> None:
    lag = 'driftline_lag_records{topic="predictions",partition="0",'
    case = Case({f"{lag}{A}}}": [*flat(2000, 20), LOST], f"{lag}{B}}}": [*[NONE] * 20, *flat(2000, 2)]})
    assert differs(case, "topic:driftline_lag_records:sum", 2000, folder=tmp_path) == ""


def test_a_partition_whose_worker_is_gone_is_remembered_for_three_minutes(tmp_path: Path) -> None:
    lag = 'driftline_lag_records{topic="predictions",partition="0",'
    found: Minutes = [*flat(500, 20), LOST, LOST, LOST]
    assert differs(Case({f"{lag}{A}}}": found}), "topic:driftline_lag_records:sum", 500, folder=tmp_path) == ""


def test_counters_that_begin_anew_are_no_increase(tmp_path: Path) -> None:
    case = Case(requests("success", [*rising(60, 30), *rising(60, 31)], flat(0, 1)))
    assert differs(case, "round(model_name:model_requests:rate1h, 0.01)", 0.98, folder=tmp_path) == ""
