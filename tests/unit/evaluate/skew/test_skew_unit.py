"""How far a comparison is judged: behind the slower side, step by step, from one configuration to the next."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schemas.monitored import ModelMonitor
from schemas.names import Stream
from stream.evaluate.closing.unit import Phase, Unit, phase_of
from stream.evaluate.panes.touched import Touched
from stream.evaluate.skew.unit import FIELDS, Skew
from stream.evaluate.verdicts.standing import Standing
from tests.support.judged import DAY, HOUR, monitor, watched

NOTHING: Sequence[bytes | None] = [None] * len(FIELDS)


def phases(stream: Stream, *, until: int | None = None) -> list[Phase]:
    """The monitor in hours, and before ``until`` one without the last feature."""
    now = monitor(windows={"day": DAY}, step_ms=6 * HOUR)
    left = {name: one for name, one in now.features.items() if name != "tail"}
    earlier: list[tuple[ModelMonitor, int | None]] = (
        [] if until is None else [(now.model_copy(update={"features": left}), until)]
    )
    return [
        phase_of(watched(each, stream=stream), until_ms=None if end is None else end * HOUR)
        for each, end in [*earlier, (now, None)]
    ]


def unit(stream: Stream, *, begun: int, last: int, until: int | None = None, since: int | None = None) -> Unit:
    """A stream that is closed and stored up to an hour."""
    made = Unit(
        "m", stream, phases(stream, until=until), last * HOUR, last * HOUR, begun * HOUR,
        touched=Touched(since=None if since is None else since * HOUR), loaded=True,
    )  # fmt: skip
    made.layout = made.phase.watched.layout.hash
    return made


def skew(served: Unit, events: Unit) -> Skew:
    made = Skew(served, events)
    made.restore(NOTHING)
    return made


def hours(found: Skew) -> list[int]:
    return [end // HOUR for end in found.ends()]


def test_windows_end_where_the_slower_side_is_closed() -> None:
    found = skew(unit("predictions", begun=7, last=40), unit("features", begun=9, last=31, since=9))
    assert found.change_over()
    assert (found.last, found.begun) == (6 * HOUR, 9 * HOUR)
    assert hours(found) == [12, 18, 24, 30]
    assert found.next_end == 12 * HOUR
    found.last = 30 * HOUR
    assert (hours(found), found.told_to) == ([], 36 * HOUR - 1)


def test_it_begins_with_the_side_that_begins_last() -> None:
    found = skew(unit("predictions", begun=20, last=40), unit("features", begun=3, last=31, since=3))
    assert found.change_over()
    assert (found.last, found.begun, hours(found)) == (18 * HOUR, 20 * HOUR, [24, 30])


def test_a_store_that_was_closed_before_anybody_compared_is_compared_from_now_on() -> None:
    events = unit("features", begun=3, last=31)
    events.touched = Touched().by([5 * HOUR])
    found = skew(unit("predictions", begun=2, last=40), events)
    assert (found.last, found.revised(events)) == (30 * HOUR, [])
    assert found.change_over()
    assert (found.begun, hours(found)) == (3 * HOUR, [])


def test_what_is_stored_is_taken_up() -> None:
    served, events = unit("predictions", begun=0, last=40), unit("features", begun=0, last=31, since=0)
    before = skew(served, events)
    assert before.change_over()
    before.last, before.seen, before.judged_by = 24 * HOUR, {"features": 3}, before.both.judged_by
    fields = {
        name: value if isinstance(value, bytes) else str(value).encode() for name, value in before.fields().items()
    }
    after = Skew(served, events)
    after.restore([fields.get(name) for name in FIELDS])
    assert (after.last, after.stored, after.begun, after.seen) == (24 * HOUR, 24 * HOUR, 0, {"features": 3})
    assert (after.layout, after.standing, after.expected) == (before.layout, Standing(), str(24 * HOUR))
    due = [after.is_due]
    after.last = after.stored = 30 * HOUR
    due.append(after.is_due)
    events.touched = Touched(3).by([HOUR])
    due.append(after.is_due)
    assert (due, after.revised(events)) == ([True, False, True], [HOUR])


def test_windows_of_two_layouts_are_never_one() -> None:
    """Both sides have gone over at 20; what ends there is judged by the old panes, and the next windows begin anew."""
    old = skew(
        unit("predictions", begun=0, last=16, until=20), unit("features", begun=0, last=15, until=20, since=0)
    )  # fmt: skip
    assert old.change_over()
    old.last = 12 * HOUR
    for side, last in ((old.served, 40), (old.events, 31)):
        side.last = side.stored = last * HOUR
        side.begun, side.layout = 20 * HOUR, side.phase.watched.layout.hash
    assert hours(old) == [18]
    before = old.both
    assert old.leave(before)
    assert (old.last, old.begun) == (20 * HOUR, 0)
    assert old.change_over()
    assert (old.both is before, old.begun, hours(old)) == (False, 20 * HOUR, [24, 30])
    assert not old.leave(old.both)


def test_a_layout_that_comes_into_force_again_begins_anew() -> None:
    """It held before another one that nobody compared by: what lies between is not of it."""
    found = skew(unit("predictions", begun=25, last=40), unit("features", begun=26, last=31, since=0))
    found.layout, found.begun, found.last = found.both.layout, 3 * HOUR, 24 * HOUR
    assert found.change_over()
    assert (found.begun, found.compared) == (26 * HOUR, (found.both.layout, "", 26 * HOUR))


@pytest.mark.parametrize("gone_over", ["predictions", "features"])
def test_it_waits_for_the_side_that_has_not_gone_over_yet(gone_over: str) -> None:
    found = skew(unit("predictions", begun=0, last=20, until=20), unit("features", begun=0, last=20, until=20, since=0))
    for side in found.sides:
        side.layout = side.phases[0].watched.layout.hash
    found.layout, found.last = found.phases[0].layout, 20 * HOUR
    assert not found.change_over()
    side = next(side for side in found.sides if side.stream == gone_over)
    side.layout = side.phase.watched.layout.hash
    assert not found.change_over()


def test_what_was_judged_again_is_kept_no_longer() -> None:
    touched = Touched(since=3).by([HOUR, 2 * HOUR]).by([2 * HOUR])
    assert (touched.after(0), touched.after(1), touched.after(2)) == ([HOUR, 2 * HOUR], [2 * HOUR], [])
    assert touched.without(1) == Touched(2, 3, {2 * HOUR: 2})
    assert Touched.from_json(touched.to_json()) == touched
