"""The whole demo: the year arrives complete and on time, and its counts say what its rows say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from stream.local.flights import load_flights
from stream.local.model import scores_of
from stream.local.monthly import months
from tests.support.flights_psi import psi_from_rows

DEMO = [sys.executable, "-c", "from stream.command.main import main; main()", "demo", "--exit", "--json"]


@pytest.fixture(scope="module")
def summary() -> Any:
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_year_arrives_complete_and_nothing_late(summary: Any) -> None:
    assert (summary["predictions"], summary["labels"], summary["late"]) == (336_776, 327_346, 0)


@pytest.mark.slow
def test_the_replay_takes_less_than_ninety_seconds(summary: Any) -> None:
    assert summary["seconds"] < 90


@pytest.mark.slow
def test_the_worker_says_where_it_is(summary: Any) -> None:
    assert summary["worker"].startswith("http://127.0.0.1:87")


@pytest.mark.slow
def test_monthly_psi_from_the_stream_is_the_psi_of_the_rows(summary: Any) -> None:
    flights = load_flights()
    scores = scores_of(flights)
    for number, month in enumerate(months(), start=1):
        found = {name: value for name, value in summary["psi"][month.name].items() if value is not None}
        assert found == pytest.approx(psi_from_rows(flights, scores, month=number), rel=1e-9, abs=1e-9)
