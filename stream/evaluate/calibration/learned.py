"""Which learned checks of data quality may page: each feature's are one process of the budget in each window.  Pure.

A limit that was learned has a level, so by chance it is passed.  Where the budget decides about a feature it decides about these
checks too: together they have the rate of one process, and each of them its part of it.  All others inform (P3).
"""

from __future__ import annotations

from collections.abc import Mapping

from detectors.calibration.blocks import LEAST_BLOCKS
from detectors.quality.limits import Learned
from stream.evaluate.columns.places import places_of
from stream.evaluate.columns.rules import ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.verdicts.severity import MATTERS

#: Of a column of numbers and of one of names.
_OF_NUMBERS: tuple[Learned, ...] = ("missing", "nonfinite", "outside")
_OF_NAMES: tuple[Learned, ...] = ("missing", "unseen")


def checks_of(watched: Watched, place: Place, rules: ColumnRules, *, length_ms: int) -> tuple[Learned, ...]:
    """The learned checks of a column that may page, in windows of a length; a promised share of missing rows is no learned one."""
    pane_ms, panes = watched.reference.pane_ms, len(watched.reference.pane_starts or ())
    taught = pane_ms is not None and length_ms % pane_ms == 0 and panes >= LEAST_BLOCKS
    matters = rules.importance is None or rules.importance >= MATTERS
    if not (rules.budgeted and taught and matters) or place.room != "features" or place.held == NOT_HELD:
        return ()
    able = _OF_NAMES if place.number is None else _OF_NUMBERS
    return tuple(check for check in able if check != "missing" or rules.missing is None)


def learned_in(watched: Watched, window: str, length_ms: int) -> Mapping[str, tuple[Learned, ...]]:
    """By feature the checks that may page in a window of that name and length; worked out once."""
    known = watched.learned.get((window, length_ms))
    if known is None:
        found = (
            (place.name, checks_of(watched, place, rules, length_ms=length_ms))
            for _, place, rules in places_of(watched, window, length_ms)
        )
        known = watched.learned[window, length_ms] = {name: checks for name, checks in found if checks}
    return known
