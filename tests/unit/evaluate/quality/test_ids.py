"""Predictions whose id came before: measured in every window where that was promised, told by the window, and taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.findings import finding_key
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.quality.ids import CONVENTION
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.evaluate.verdicts.verdict import Verdict
from stream.state.columns import ID_BUCKETS
from stream.state.layout import EVENTS, ID
from tests.support.judged import DAY, HOUR, monitor, watched, window

Ints = NDArray[np.int64]

KEY = finding_key("duplicates", "model:m", window="day")
ONCE = np.random.default_rng(1).integers(0, ID_BUCKETS, size=2_000)
TWICE = np.concatenate([ONCE, ONCE[:500]])


def promised(share: float | None = 0.01) -> Watched:
    return watched(monitor(duplicates=share, windows={"day": DAY, "hour": HOUR}))


def of_ids(of: Watched, ids: Ints, **told: Any) -> Window:
    """A window of events whose ids fell into these buckets."""
    made = window(of, {}, **told)
    starts = zip(of.layout.categorical, of.layout.categorical_starts, strict=True)
    first = next(first for column, first in starts if column.path == ID)
    made.total.cells[first : first + ID_BUCKETS] = np.bincount(ids, minlength=ID_BUCKETS)
    made.total.cells[EVENTS] = len(ids)
    return made


def told(of: Watched, ids: Ints, *, day: int = 1) -> tuple[Verdict, int]:
    report = judge_window(of, of_ids(of, ids, end=day * DAY), seen_ms=0)
    (verdict,) = [one for one in verdicts_of(report, of) if one.rule == "duplicates"]
    return verdict, report.events


def test_what_repeats_beyond_the_promise_and_chance_is_told() -> None:
    of = promised()
    report = judge_window(of, of_ids(of, TWICE), seen_ms=0)
    found = report.quality["duplicates"]
    assert found.value is not None
    assert found.threshold is not None
    assert abs(found.value - 0.2) < 0.033
    assert 0.06 < found.threshold < 0.07
    assert (found.convention, found.exceeded, report.state) == (CONVENTION, True, "drift")
    verdict, events = told(of, TWICE)
    assert (verdict.key, verdict.state, verdict.severity, verdict.n) == (KEY, "firing", "P2", events)
    assert (verdict.kind, verdict.memory, verdict.owner) == ("duplicates", DAY, "ml")


def test_what_is_within_the_promise_is_shown_and_not_told() -> None:
    for of, ids in ((promised(), ONCE), (promised(0.2), TWICE)):
        report = judge_window(of, of_ids(of, ids), seen_ms=0)
        assert not report.quality["duplicates"].exceeded
        assert report.state != "drift"
        assert told(of, ids)[0].state == "ok"


def test_too_few_ids_say_nothing_and_a_window_that_is_not_complete_neither() -> None:
    of = promised()
    assert told(of, ONCE[:99])[0].state == "no_data"
    assert told(of, ONCE[:0])[0].state == "no_data"
    assert judge_window(of, of_ids(of, TWICE, complete=False), seen_ms=0).quality == {}


def test_it_is_told_while_it_lasts_and_taken_back_once() -> None:
    of, standing = promised(), Standing()
    said = []
    for day, ids in enumerate((ONCE, TWICE, TWICE, ONCE, ONCE), start=1):
        verdict, events = told(of, ids, day=day)
        found, standing = conclude([verdict], standing, at_ms=day * DAY, revision=events, seen_ms=0, watched=of)
        said += [one.state for one in found]
    assert said == ["firing", "firing", "ok"]


def test_a_slow_window_of_some_features_does_not_say_it_again() -> None:
    of = promised()
    report = judge_window(of, of_ids(of, TWICE, name="slow"), seen_ms=0)
    assert report.quality["duplicates"].exceeded
    assert [one.rule for one in verdicts_of(report, of) if one.rule == "duplicates"] == []


def test_its_keys_are_judged_where_it_is_promised() -> None:
    assert {key for key in keys_of(promised()) if key.startswith("duplicates|")} == {
        KEY, finding_key("duplicates", "model:m", window="hour"),
    }  # fmt: skip
    of = promised(None)
    assert KEY not in keys_of(of)
    assert judge_window(of, window(of, {"temp": [1.0] * 200}), seen_ms=0).quality == {}
    assert KEY not in keys_of(watched(monitor(duplicates=0.01), stream="features"))
