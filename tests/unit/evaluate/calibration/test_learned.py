"""Which learned checks of data quality may page, at what rate, and how that is counted; what nobody counts informs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.budget.limits import MARGIN
from detectors.calibration.blocks import block_length
from detectors.calibration.calibrate import Window
from detectors.profile import build_reference, categorical_profile, coded, panes_of
from detectors.quality.limits import learned_limits
from detectors.quality.unseen import blocks_of, limit_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.calibration import alarms
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.learned import learned_in
from stream.evaluate.calibration.quality_limits import quality_limits
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.quality.verdicts import quality_verdicts
from stream.evaluate.verdicts.standing import Standing, conclude
from tests.support.judged import DAY, DEST, HOUR, PANES, TEMP, monitor, watched, window, with_temp

#: With rows enough in each hour for tests that the budget decides by.
REFERENCE = build_reference(
    "m", {"temp": np.tile(TEMP, 10), "dest": coded(DEST * 20)},
    panes=panes_of(np.arange(20_000, dtype=np.int64) * (PANES * HOUR // 20_000), pane_ms=HOUR),
)  # fmt: skip


def test_what_was_learned_pages_only_where_a_budget_counts_it() -> None:
    """A limit that was learned is passed by chance: a third of the rows without a value inform, however many they are."""
    rows = {"temp": [*TEMP[:350], *[None] * 162], "dest": [*(DEST * 2)[:1400:4], *["x"] * 150]}
    budget = BudgetMonitor()
    unimportant = {"temp": FeatureMonitor(type="numeric", importance=0.09), "dest": FeatureMonitor(type="categorical")}

    def told(**changed: Any) -> dict[str, str]:
        of = watched(monitor(**changed), of=REFERENCE)
        report = judge_window(of, window(of, rows), seen_ms=0)
        verdicts = quality_verdicts(report, of, Standing())
        return {f"{one.feature} {one.rule}": one.severity for one in verdicts}

    both = ("temp missing", "dest unseen")
    assert told() == dict.fromkeys(both, "P3")
    assert told(budget=budget) == dict.fromkeys(both, "P2")
    assert told(budget=budget, fixed={"psi": 0.25}) == dict.fromkeys(both, "P3")
    assert told(budget=budget, features=unimportant) == {"temp missing": "P3", "dest unseen": "P2"}


def test_by_the_budget_the_checks_of_a_feature_share_the_rate_of_one_process() -> None:
    """Three numeric checks, one process: each has a third of its rate."""
    of = watched(monitor(budget=BudgetMonitor(false_pages_per_month=0.001)), of=REFERENCE)
    level = MARGIN * rate_of(of, every_ms=DAY) / 3
    profile, span = REFERENCE.features["temp"], Window(24, 512, day=24)
    limits = {name: one.limit for name, one in learned_limits(profile, span, level=level).items()}
    found = quality_limits(of, DAY, 512)
    at = next(at for at, place in enumerate(of.yardstick.places) if place.name == "temp")
    assert {name: found.limit[name][at] for name in limits} == limits
    assert limits["outside"] > learned_limits(profile, span)["outside"].limit
    promised = with_temp(null_threshold=0.05).model_copy(update={"budget": BudgetMonitor()})
    assert learned_in(watched(promised, of=REFERENCE), "day", DAY)["temp"] == ("nonfinite", "outside")
    assert learned_in(watched(of=REFERENCE), "day", DAY) == {}


def test_an_alarm_of_a_check_is_the_budgets_where_it_may_page() -> None:
    rows = {"temp": [*TEMP[:350], *[None] * 162], "dest": (DEST * 2)[:2048:4]}
    for changed, begun in (
        ({"budget": BudgetMonitor()}, 1),
        ({}, 0),
        ({"budget": BudgetMonitor(), "fixed": {"psi": 9.0}}, 0),
    ):
        of = watched(monitor(**changed), of=REFERENCE)
        report = judge_window(of, window(of, rows), seen_ms=0)
        checks = quality_verdicts(report, of, Standing())
        found, after = conclude(checks, Standing(), at_ms=DAY, revision=1, seen_ms=0, watched=of)
        assert [one.rule for one in found] == ["missing"]
        assert (alarms.begun(found, Standing(), of), alarms.begun(found, after, of)) == (begun, 0)


def test_names_that_a_profile_does_not_list_are_allowed_for() -> None:
    """2 000 names twice and 500 once: live, those 500 rows of 4 500 are taken for names never held."""
    names = [f"a{at % 2_000}" for at in range(4_000)] + [f"b{at}" for at in range(500)]
    order = np.random.default_rng(1).permutation(len(names))
    panes = panes_of(np.arange(len(names), dtype=np.int64) * HOUR // 100, pane_ms=HOUR)
    profile = categorical_profile(coded([names[at] for at in order]), panes)
    assert (profile.other, sum(profile.counts)) == (500, 4_000)
    # A reference that was built before they were counted allows their share on top of a bound that has it in it.
    for of, on_top in ((profile, 0.0), (replace(profile, unlisted=()), 500 / 4_500)):
        found = learned_limits(of, Window(2, 200))["unseen"]
        alone = limit_of(blocks_of(of, block_length(45, 2)), window_blocks=1.0)
        assert alone is not None
        assert found.limit == pytest.approx(alone.limit + on_top)
        assert found.expected == pytest.approx(alone.mean + on_top)
