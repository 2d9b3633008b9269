"""By which stretches a window is calibrated: by those that ended before it began, whatever has ended since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from detectors.profile import build_reference
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.calibration.calibrated import known_calibration
from stream.evaluate.closing.live_panes import with_live
from stream.evaluate.closing.unit import Unit
from stream.evaluate.judging.judge_window import Window
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.panes.windows import windows_of
from stream.evaluate.storing.merged import Merged
from stream.state.packing import Partial
from tests.support.judged import DAY, HOUR, counted, monitor, watched, window

RANDOM = np.random.default_rng(20130109)
#: A file without time order: what its windows wander by is asked of the stream.
OF = watched(
    monitor(features={"temp": FeatureMonitor(type="numeric")}, budget=BudgetMonitor()),
    of=build_reference("m", {"temp": RANDOM.normal(50.0, 10.0, 4_000)}),
)
SPEC = windows_of(OF.monitor, "predictions")[0]
#: Judged each day, so its rows are days: twenty of them.
STRETCH = 20 * DAY


class Stored:
    """Quiet days for ever, around ``middle``, but where the stream is ``away``; and the spans that were read."""

    def __init__(
        self, *, away: Callable[[int], bool] = lambda at: False, middle: Callable[[int], float] = lambda at: 50.0
    ) -> None:
        self.read: list[tuple[int, int]] = []
        self.away, self.middle = away, middle
        self.asking = self

    async def rows(self, _: Any, tier: Tier, *, span: tuple[int, int]) -> dict[int, Partial]:
        self.read.append(span)
        there = [at for at in range(*span, tier.length_ms) if not self.away(at)]
        return {at: counted(OF.layout, {"temp": RANDOM.normal(self.middle(at), 10.0, 480)}) for at in there}

    async def beside(self, work: Callable[[], Any]) -> Any:
        return work()


def days(first: int) -> Window:
    made = window(OF, {"temp": RANDOM.normal(50.0, 10.0, 480)}, end=(first + 1) * DAY)
    assert made.start_ms == first * DAY
    return made


def asking(stored: Stored) -> Callable[[int], Window]:
    """The window of a day, by its first, with what calibrates it."""
    unit = SimpleNamespace(phase=SimpleNamespace(watched=OF, pane_ms=HOUR), begun=0, searches={})
    return lambda first: asyncio.run(with_live(cast(Unit, unit), cast(Merged, stored), days(first), spec=SPEC))


def spans(made: Window) -> list[tuple[int, int, bool]]:
    """First and last day of each stretch of use, and whether it calibrates the column."""
    return [(one.start_ms // DAY, one.end_ms // DAY, bool(one.held)) for one in made.live.stretches]


def test_a_stretch_goes_on_until_it_holds_twenty_days_with_events() -> None:
    """Five days without any, and a stream that rests at weekends: neither may keep a model from its budget for half a year."""
    outage = asking(Stored(away=lambda at: 3 * DAY <= at < 8 * DAY))
    assert (spans(outage(20)), outage(20).live.awaited_ms) == ([], 2 * STRETCH + DAY)
    weekends = asking(Stored(away=lambda at: at // DAY % 7 in (5, 6)))
    for of in (outage, weekends):
        assert spans(of(40)) == [(0, 40, True)]
        tests = known_calibration(OF, of(40).size, of(40).live)
        assert (tests.held, tests.live, tests.enough) == ((0,), (True,), (True,))


def test_a_stream_that_was_hardly_there_calibrates_nothing_until_it_is() -> None:
    of = asking(Stored(away=lambda at: 15 * DAY <= at < 45 * DAY))
    assert [spans(of(day)) for day in (20, 40, 60)] == [[], [], [(0, 60, True)]]


def test_a_drift_that_begins_in_the_stretch_is_not_learned_from_and_the_next_stretch_says_that_it_is_far_off() -> None:
    """From the eighth day on 1.5 sd too warm: no quiet stretch, then one that lies far off as a whole."""
    of = asking(Stored(middle=lambda at: 65.0 if at >= 7 * DAY else 50.0))
    first, second = of(20).live, of(40).live
    assert not any(one.held for one in (*first.stretches, *second.stretches))
    assert second.far == {0}


def test_a_window_judged_again_late_is_calibrated_as_it_was_at_first() -> None:
    """The stretch of the first twenty days calibrates the window that begins as it ends, and none that began before."""
    stored = Stored()
    of = asking(stored)
    before = of(19).live
    assert (before.stretches, before.awaited_ms) == ((), STRETCH + DAY)
    assert [(one.start_ms, one.end_ms) for one in of(20).live.stretches] == [(0, STRETCH)]
    again = of(19).live
    assert (again.stretches, again.awaited_ms) == ((), STRETCH + DAY)
    assert set(stored.read) == {(0, STRETCH)}
