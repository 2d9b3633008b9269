"""All checks of one feature in one window, as panes count it. Freshness, and thresholds of a report, are judged elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.quality import rows as of_rows
from detectors.quality.presence import vanished
from detectors.quality.stillness import constant
from detectors.quality.unseen import blocks_of, limit_of
from detectors.quality.verdict import Verdict
from detectors.signatures.cells import Window
from schemas.monitored import FeatureMonitor
from schemas.reference import CategoricalProfile, NumericProfile


@dataclass(frozen=True, eq=False, slots=True)
class Numbers:
    """A numeric feature: its finite values, and rows that hold none by kind."""

    window: Window
    missing: int = 0
    nonfinite: int = 0
    wrong_type: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Names:
    """A feature of names: rows of listed ones, of others that the reference held, of unseen ones, and without a name."""

    counts: Sequence[int]
    other: int = 0
    unseen: int = 0
    missing: int = 0
    wrong_type: int = 0


def numeric_checks(
    monitor: FeatureMonitor, profile: NumericProfile, found: Numbers, *, length: int | None = None
) -> tuple[Verdict, ...]:
    """The verdicts of a numeric feature.

    :param length: panes in the window, where the reference's panes are as long; None: rows count as independent.
    """
    values = int(np.sum(found.window.counts))
    unusable = found.missing + found.nonfinite + found.wrong_type
    rows, length = values + unusable, length if profile.pane_counts else None
    verdicts = [
        _missing(monitor, profile, unusable, rows=rows, length=length),
        of_rows.nonfinite(profile, found.nonfinite, rows, length=length),
        of_rows.wrong_type(found.wrong_type, rows),
        of_rows.outside(profile, found.window.counts, length=length),
        constant(profile, values, ends=(found.window.minimum, found.window.maximum)),
        vanished(profile, values, rows),
    ]
    if monitor.range is not None:
        verdicts.append(of_rows.declared_range(profile, found.window, allowed=monitor.range))
    return tuple(verdicts)


def named_checks(
    monitor: FeatureMonitor, profile: CategoricalProfile, found: Names, *, length: int | None = None
) -> tuple[Verdict, ...]:
    """The verdicts of a feature of names; without the reference's panes nothing is known of how many are unseen."""
    values = sum(found.counts) + found.other + found.unseen
    unusable = found.missing + found.wrong_type
    rows, length = values + unusable, length if profile.pane_counts else None
    limit = limit_of(blocks_of(profile, length)) if length is not None else None
    return (
        _missing(monitor, profile, unusable, rows=rows, length=length),
        of_rows.wrong_type(found.wrong_type, rows),
        of_rows.unseen(limit, found.unseen, values),
        vanished(profile, values, rows),
    )


def _missing(
    monitor: FeatureMonitor,
    profile: NumericProfile | CategoricalProfile,
    unusable: int,
    *,
    rows: int,
    length: int | None,
) -> Verdict:
    """What was promised stands above what was learned."""
    if monitor.null_threshold is not None:
        return of_rows.missing_promised(unusable, rows, threshold=monitor.null_threshold)
    return of_rows.missing(profile, unusable, rows, length=length)
