"""By which stretches a window is calibrated: by those that ended before it began, whatever has ended since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from detectors.profile import build_reference
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.judge_window import Window
from stream.evaluate.live_panes import with_live
from stream.evaluate.merged import Merged
from stream.evaluate.unit import Unit
from stream.evaluate.windows import windows_of
from stream.state.packing import Partial
from tests.support.judged import DAY, HOUR, counted, monitor, watched, window

RANDOM = np.random.default_rng(20130109)
#: A file without time order: what its windows wander by is asked of the stream.
OF = watched(
    monitor(features={"temp": FeatureMonitor(type="numeric")}, budget=BudgetMonitor()),
    of=build_reference("m", {"temp": RANDOM.normal(50.0, 10.0, 4_000)}),
)
SPEC = windows_of(OF.monitor, "predictions")[0]
#: Twenty days of hours.
STRETCH = 20 * DAY


class Stored:
    """Quiet hours for ever, and the spans that were read."""

    def __init__(self) -> None:
        self.read: list[tuple[int, int]] = []
        self.asking = self

    async def rows(self, *_: Any, span: tuple[int, int]) -> dict[int, Partial]:
        self.read.append(span)
        hours = range(span[0], span[1], HOUR)
        return {at: counted(OF.layout, {"temp": RANDOM.normal(50.0, 10.0, 20)}) for at in hours}

    async def beside(self, work: Callable[[], Any]) -> Any:
        return work()


def days(first: int) -> Window:
    made = window(OF, {"temp": RANDOM.normal(50.0, 10.0, 480)}, end=(first + 1) * DAY)
    assert made.start_ms == first * DAY
    return made


def test_a_window_judged_again_late_is_calibrated_as_it_was_at_first() -> None:
    """The stretch of the first twenty days calibrates the window that begins as it ends, and none that began before."""
    stored = Stored()
    unit = SimpleNamespace(phase=SimpleNamespace(watched=OF, pane_ms=HOUR), begun=0, searches={})

    def of(first: int) -> Window:
        return asyncio.run(with_live(cast(Unit, unit), cast(Merged, stored), days(first), spec=SPEC))

    before = of(19).live
    assert (before.stretches, before.awaited_ms) == ((), STRETCH + DAY)
    assert [(one.start_ms, one.end_ms) for one in of(20).live.stretches] == [(0, STRETCH)]
    again = of(19).live
    assert (again.stretches, again.awaited_ms) == ((), STRETCH + DAY)
    assert set(stored.read) == {(0, STRETCH)}
