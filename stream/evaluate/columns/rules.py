"""Which rules decide about a column, and by what thresholds: the feature's own, the model's, or the rule of thumb.

A rule is named like the key of ``fixed`` that sets it, and like the measure in a report that it judges:

==========  =========================  ================================================================================
rule        of                         fires where
==========  =========================  ================================================================================
``psi``     every column               PSI (convention ``driftline``) is above the threshold
``ks``      numeric ones               D on the stored bins is above the threshold
``ks_p``    numeric ones               the p-value of that D is below the threshold
``chi2_p``  columns of names           the p-value of the 2 x k table is below the threshold
``drift``   every column, by budget    the calibrated test: the p-value of the shares is below what the budget allows
``shift``   numeric ones, by budget    the calibrated test: the middle moved by more than the budget allows
``missing`` features with a threshold  the share of rows without a usable value is above ``null_threshold``
==========  =========================  ================================================================================

Other keys of ``fixed`` decide nothing yet (`undecided` names them).  Where none of the keys that are set can decide about a
column, the next level's do, then the model's ``budget``, and at last ``psi: 0.25``: a watched column is never without a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.monitored import FeatureMonitor, ModelMonitor
from stream.evaluate.columns.yardstick import NOT_HELD, Place

Thresholds = Mapping[str, float]

RULE_OF_THUMB: Thresholds = {"psi": 0.25}
NUMERIC_RULES = ("psi", "ks", "ks_p")
NAME_RULES = ("psi", "chi2_p")
#: Rules of the calibrated test; their thresholds follow from the budget, window by window.
BUDGET_RULES = ("drift", "shift")
#: The rule of a source's features together, by the budget too (:mod:`stream.evaluate.calibration.pools`).
POOLED_RULE = "shift_of_source"
#: Rules whose measure is a p-value: small is bad, and says nothing of how strong.
P_VALUES = ("ks_p", "chi2_p", "drift")
#: Fewer rows (for PSI, missing) or values (for KS, chi-squared) than these decide nothing.
LEAST_ROWS = 100
#: From this share on in one bin a column counts as constant.
CONSTANT = 0.995
#: Fewer requests than these say nothing of errors or latency.
LEAST_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """The rules of one column; ``thresholds`` are of its distribution, ``missing`` of its share of missing rows.

    ``budgeted`` are the rules of the calibrated test that decide about it; where there are both, the thresholds decide until it
    can.  ``rolling``: it is held against an earlier window, and PSI decides.  ``describes``: its reference is such that no
    distribution decides unless that was fixed.
    """

    thresholds: Thresholds
    missing: float | None = None
    importance: float | None = None
    slow_window_ms: int | None = None
    budgeted: tuple[str, ...] = ()
    rolling: bool = False
    describes: bool = False

    @property
    def awaits(self) -> bool:
        """Whether thresholds stand in for the calibrated test until the stream has calibrated it."""
        return bool(self.thresholds and self.budgeted)

    @property
    def names(self) -> tuple[str, ...]:
        """Every rule, in the order of a report."""
        return (*self.thresholds, *self.budgeted, *(() if self.missing is None else ("missing",)))


def undecided(fixed: Iterable[str]) -> tuple[str, ...]:
    """The statistics in ``fixed`` that no rule decides by yet, in their order.

    >>> undecided({"psi": 0.25, "js": 0.1, "z": 3.0})
    ('js', 'z')
    """
    return tuple(name for name in fixed if name not in NUMERIC_RULES and name not in NAME_RULES)


def rules_of(place: Place, monitor: ModelMonitor, *, stream: str) -> ColumnRules:
    """The rules of a column of a stream: distributions decide on predictions only, upstream they describe."""
    feature = monitor.features.get(place.name) if place.room == "features" else None
    if feature is not None and feature.reference == "rolling" and stream == "predictions" and place.bins > 1:
        return _rolling(place, feature, monitor)
    judged = place.held != NOT_HELD and stream == "predictions"
    thresholds = _fixed(place, feature, monitor) if judged else {}
    budgeted: tuple[str, ...] = ()
    if judged and not thresholds:
        thresholds, budgeted = _unfixed(place, monitor)
    if feature is None:
        return ColumnRules(thresholds, budgeted=budgeted)
    return ColumnRules(
        thresholds, feature.null_threshold, feature.importance, feature.slow_window_ms, budgeted=budgeted
    )


def _rolling(place: Place, feature: FeatureMonitor, monitor: ModelMonitor) -> ColumnRules:
    """The rules of a column that is held against an earlier window: no reference tells how far those wander."""
    fixed = _fixed(place, feature, monitor)
    limits = {"psi": fixed["psi"]} if "psi" in fixed else RULE_OF_THUMB
    return ColumnRules(limits, feature.null_threshold, feature.importance, feature.slow_window_ms, rolling=True)


def testable(rules: ColumnRules, largest_share: float) -> ColumnRules:
    """The rules of a column of which the reference's fullest bin holds such a share of the values.

    Where hardly anything lies elsewhere the calibrated test has one bin left and would never say anything, however the column
    changes: there the rule of thumb decides.
    """
    if not rules.budgeted or largest_share < CONSTANT:
        return rules
    return replace(rules, thresholds=RULE_OF_THUMB, budgeted=())


def listed(rules: ColumnRules, rest: float, *, values: int) -> ColumnRules:
    """The rules of a column of whose ``values`` in the reference such a share has a name that is not listed.

    Where nearly all has, the listed names come once in a million rows, and PSI of them is chance; one value is no distribution,
    and any other would be drift: only what was fixed decides.
    """
    stands_in = bool(rules.budgeted) or rules.thresholds is RULE_OF_THUMB
    if (rest < CONSTANT and values != 1) or not stands_in or rules.rolling:
        return rules
    return replace(rules, thresholds={}, budgeted=(), describes=True)


def until_calibrated(rules: ColumnRules) -> ColumnRules:
    """The rules of a column whose reference has no panes in time order: the rule of thumb decides until live panes calibrate."""
    return replace(rules, thresholds=RULE_OF_THUMB) if rules.budgeted else rules


def exceeds(rule: str, value: float | None, threshold: float) -> bool:
    """Whether a measure is beyond its threshold; one without a value is not.

    >>> exceeds("psi", 0.25, 0.25), exceeds("ks_p", 0.001, 0.01)
    (False, True)
    """
    if value is None:
        return False
    return value < threshold if rule in P_VALUES else value > threshold


def _unfixed(place: Place, monitor: ModelMonitor) -> tuple[Thresholds, tuple[str, ...]]:
    """What decides where nothing is fixed: the budget, or where none is stated the rule of thumb."""
    if monitor.budget is None:
        return RULE_OF_THUMB, ()
    return {}, BUDGET_RULES[:1] if place.number is None else BUDGET_RULES


def _fixed(place: Place, feature: FeatureMonitor | None, monitor: ModelMonitor) -> Thresholds:
    able = NAME_RULES if place.number is None else NUMERIC_RULES
    for said in (feature.fixed if feature else {}, monitor.fixed):
        chosen = {rule: said[rule] for rule in able if rule in said}
        if chosen:
            return chosen
    return {}
