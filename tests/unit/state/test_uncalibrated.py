"""What `check-config` and `apply` say of a reference whose panes cannot calibrate what the budget is to decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reference import Reference
from stream.state.applying import warnings_of
from stream.state.uncalibrated import uncalibrated
from tests.support.judged import DAY, HOUR, monitor
from tests.support.models import monitors


def reference(pane_ms: int, *, panes: int = 100) -> Reference:
    times = np.arange(panes, dtype=np.int64) * pane_ms
    return build_reference("m", {"temp": np.arange(panes, dtype=np.float64)}, panes=panes_of(times, pane_ms=pane_ms))


def said(of: Reference, **changed: Any) -> list[str]:
    features = {"temp": FeatureMonitor(type="numeric", slow_window_ms=28 * DAY)}
    return list(uncalibrated(monitor(features=features, **{"budget": BudgetMonitor(), **changed}), of))


def test_without_time_order() -> None:
    (warning,) = said(replace(reference(HOUR), pane_ms=None, pane_starts=None))
    assert warning == (
        "budget: its reference has no time order, so the rule of thumb (psi 0.25) decides until live panes calibrate; "
        "`driftline reference build --time` names the column that gives one"
    )


def test_of_too_few_panes() -> None:
    (warning,) = said(reference(HOUR, panes=19))
    assert "has 19 panes of 1h, and 20 are needed" in warning
    assert said(reference(HOUR, panes=20)) == []


@pytest.mark.parametrize(
    ("pane_ms", "windows"), [(7 * HOUR, "day (1d)"), (5 * DAY, "day (1d), slow (4w)"), (HOUR, None), (DAY, None)]
)
def test_of_panes_that_do_not_make_up_a_window(pane_ms: int, windows: str | None) -> None:
    found = said(reference(pane_ms))
    assert [f"do not make up {windows}:" in one and one.endswith("`--pane 1h`") for one in found] == [True] * bool(
        windows
    )


def test_without_a_budget_there_is_nothing_to_say_and_with_one_a_file_is_warned_of() -> None:
    assert said(reference(7 * HOUR), budget=None) == []
    found = warnings_of(monitors(m=monitor(budget=BudgetMonitor())), {"m": reference(7 * HOUR)})
    assert [one for one in found if one.startswith("m: budget: panes of 7h")]
