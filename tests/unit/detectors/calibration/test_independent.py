"""The test of two samples of independent rows, where they are of very different sizes."""

from __future__ import annotations

import numpy as np

from detectors.calibration.independent import named_p_value, ordered_p_value


def test_a_small_sample_of_which_nothing_is_in_a_large_one_is_not_the_same() -> None:
    # 200 000 rows crowd out 500: whatever those hold is rare in both together, so all bins fold into one.
    spread, elsewhere = np.full(10, 50), np.eye(10, dtype=np.int64)[3] * 200_000

    for p_value in (
        ordered_p_value(spread, elsewhere),
        ordered_p_value(elsewhere, spread),
        named_p_value(spread, elsewhere),
    ):
        assert p_value is not None
        assert p_value < 1e-100
    assert ordered_p_value(elsewhere // 400, elsewhere) == named_p_value(elsewhere // 400, elsewhere) == 1.0


def test_rare_names_that_fold_away_do_not_alarm_more_often_than_they_say() -> None:
    draw = np.random.default_rng(11)
    shares = np.array([0.992, *np.full(40, 0.0002)])
    found = [named_p_value(draw.multinomial(500, shares), draw.multinomial(100_000, shares)) for _ in range(2_000)]

    assert sum(p <= 0.05 for p in found if p is not None) / len(found) <= 0.05


def test_two_values_that_split_a_small_sample_do_not_hide_in_folded_bins() -> None:
    # Thirty rows at both ends of five thousand: halves of the folded bins, and wholly different.
    ends, middle = np.array([15, 0, 0, 15]), np.array([0, 2_500, 2_500, 0])
    for then, now in ((ends, middle), (middle, ends), (ends, middle * 200)):
        p = ordered_p_value(then, now)
        assert p is not None
        assert p < 1e-30
    named = named_p_value(np.array([15, 0, 15]), np.array([2_500, 2_500, 0]))
    assert named is not None
    assert named < 1e-20


def test_folded_bins_do_not_alarm_more_often_than_they_say() -> None:
    draw = np.random.default_rng(12)
    shares = np.array([0.02, 0.08, 0.2, 0.3, 0.3, 0.08, 0.02])
    for rows in (12, 30, 60):
        pairs = zip(draw.multinomial(rows, shares, 2_000), draw.multinomial(3_000, shares, 2_000), strict=True)
        found = np.array([p for then, now in pairs if (p := ordered_p_value(then, now)) is not None])
        assert len(found) == 2_000
        assert (found <= 0.05).mean() <= 0.05 + 3 * (0.05 * 0.95 / 2_000) ** 0.5
