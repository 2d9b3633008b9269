"""The series of pane values: what is dated by it, what is rebuilt from it, and a pane that is corrected in it."""

from __future__ import annotations

import numpy as np

from stream.evaluate.charts import recent
from stream.evaluate.charts.recent import Recent
from tests.support.judged import HOUR


def series(*values: float | None, every: int = 1) -> Recent:
    """One column, a pane every so many hours; None where it has no value."""
    ends = [at * every * HOUR for at in range(1, len(values) + 1)]
    shown = np.array([[value or 0.0] for value in values])
    return recent.begun(1).thens(ends, shown, np.array([[value is not None] for value in values]))[-1]


RISEN = series(0.0, 0.0, 0.0, 0.0, 8.0, 8.0, 8.0, -9.0)


def test_an_onset_is_told_as_it_was_when_the_alarm_began() -> None:
    rise, then = (0.0, 0.0, 0.0, 0.0, 8.0), (4 * HOUR, 5 * HOUR)
    after = series(*rise, -9.0, -9.0, -9.0)
    assert series(*rise).onset(0, falling=False, pane_ms=HOUR) == then
    assert after.onset(0, falling=False, pane_ms=HOUR, since=4) == then
    assert after.onset(0, falling=False, pane_ms=HOUR) == (0, 8 * HOUR)


def test_a_span_ends_with_the_alarm_and_begins_behind_the_last_value_that_is_not_in_it() -> None:
    assert RISEN.span(0, since=4, back=1, pane_ms=HOUR) == (4 * HOUR, 5 * HOUR)
    assert RISEN.span(0, since=4, back=3, pane_ms=HOUR) == (2 * HOUR, 5 * HOUR)
    assert RISEN.span(0, since=1, back=8, pane_ms=HOUR) == (0, 8 * HOUR)
    assert RISEN.span(0, since=1, back=99, pane_ms=HOUR) == (0, 8 * HOUR)


def test_panes_without_a_value_are_part_of_a_span() -> None:
    holed = series(1.0, None, None, 4.0, every=2)
    assert holed.span(0, since=1, back=1, pane_ms=HOUR) == (2 * HOUR, 8 * HOUR)
    np.testing.assert_array_equal(holed.newest(3), [[np.nan], [np.nan], [4.0]])
    assert holed.newest(99).shape == (4, 1)
    assert holed.newest(0).shape == (0, 1)


def test_only_a_pane_of_the_series_can_be_corrected() -> None:
    value, filled = np.array([2.0]), np.array([True])
    for end in (0, HOUR // 2, 9 * HOUR):
        assert RISEN.revised(end, value, filled) is RISEN
    assert RISEN.revised(5 * HOUR, np.array([8.0]), filled) is RISEN
    after = RISEN.revised(5 * HOUR, value, filled)
    assert after.values(0)[1].tolist() == [0.0, 0.0, 0.0, 0.0, 2.0, 8.0, 8.0, -9.0]
    assert RISEN.values(0)[1][4] == 8.0
    assert after.revised(5 * HOUR, value, np.array([False])).values(0)[0].tolist() == [
        HOUR * at for at in (1, 2, 3, 4, 6, 7, 8)
    ]
