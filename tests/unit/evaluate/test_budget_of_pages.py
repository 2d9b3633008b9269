"""A model that never drifts alarms no more often than its budget says, by all that evaluation judges it by (short form)."""

from __future__ import annotations

import pytest

from tests.support.paging import MONTH_HOURS, Model, told

HOURS, BUDGET = 46 * 24, 60.0
MONTHS = HOURS / MONTH_HOURS


def test_all_that_may_page_keeps_to_one_budget() -> None:
    """20 features, of them four of names, and the score: tests, checks, sources and charts by evaluation's own code."""
    found = told(Model(names=4, missing=0.02, budget=BUDGET, windows=(24,), seed=1), HOURS)
    assert 0.1 * BUDGET * MONTHS < sum(found.began.values()) <= BUDGET * MONTHS
    assert sum(found.pages.values()) <= found.counted == sum(found.began.values())
    assert found.expected == pytest.approx(BUDGET * MONTHS, rel=1e-3)
