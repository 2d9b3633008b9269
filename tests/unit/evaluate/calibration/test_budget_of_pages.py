"""A model that never drifts alarms no more often than its budget says, by all that evaluation judges it by (short form)."""

from __future__ import annotations

import pytest

from tests.support.paging import MONTH_HOURS, Model, told

#: A budget of sixty: so much happens in a month and a half that it is no luck to keep it.
HOURS, BUDGET = 46 * 24, 60.0
MONTHS = HOURS / MONTH_HOURS


def test_all_that_may_page_keeps_to_one_budget() -> None:
    """20 features, of them four of names, and the score: tests, checks, sources and charts by evaluation's own code."""
    found = told(Model(names=4, missing=0.02, budget=BUDGET, windows=(24,), seed=1), HOURS)
    assert 0.1 * BUDGET * MONTHS < sum(found.began.values()) <= BUDGET * MONTHS
    assert sum(found.pages.values()) <= found.counted == sum(found.began.values())
    assert found.expected == pytest.approx(BUDGET * MONTHS, rel=1e-3)


def test_calibrated_live_it_keeps_to_the_budget_too_and_nothing_pages_before() -> None:
    """The reference is a file of rows without times.  Until the twenty days are over the rule of thumb informs of many a day."""
    model = Model(names=4, missing=0.02, budget=BUDGET, windows=(24,), ordered=False, seed=1)
    first, found = told(model, 20 * 24), told(model, HOURS)
    assert sum(first.pages.values()) == first.counted == 0 < first.began["psi 24 h"]
    assert 0 < sum(found.pages.values()) <= found.expected <= BUDGET * MONTHS
