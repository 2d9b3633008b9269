"""What a calibrated test and its charts must exceed, so that a process alarms no more often than its share of the budget."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special

from detectors.budget.chart_limit import cusum_limit
from detectors.budget.sliding import p_threshold
from detectors.calibration.calibrate import Calibration
from detectors.calibration.judge import Verdict
from detectors.charts.baseline import Baseline

#: Thresholds are set for this share of a process's rate.  A calibration is an estimate from one reference, and its errors cost more
#: alarms than they save; simulated over 24 models, thresholds for all of it used .97 of the budget on average, some models thrice.
MARGIN = 0.6

#: An alarm of a test lasts until its p-value is above this.  Windows that overlap alarm in clusters, and within one the p-value
#: crosses its limit again and again: of windows judged 168 times in their length an alarm that ends at the limit comes 3 times a
#: cluster, one that ends at .01 up to 1.3 times, at .05 once (`tests/unit/detectors/budget/test_thresholds.py`).
RELEASE = 0.05

#: Slack of the charts, in long-run sd: one for shifts of 1 sd and more, one for small ones.
SLACKS = (0.5, 0.25)


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """p-values below which a window alarms; ``location`` None where bins have no order.

    :param errors: by how many standard errors the middle may be away: the same limit as ``location``.
    """

    omnibus: float
    location: float | None
    errors: float | None = None

    def exceeded(self, verdict: Verdict) -> bool:
        """Whether a window is in drift by the budget."""
        return verdict.p_omnibus < self.omnibus or self.shifted(verdict)

    def shifted(self, verdict: Verdict) -> bool:
        """Whether its middle moved by more than the budget allows."""
        return self.location is not None and verdict.p_location is not None and verdict.p_location < self.location


def window_limits(calibration: Calibration, rate: float, *, judgements: float) -> WindowLimits:
    """For a rate of alarms a judgement; ``judgements``: in the length of a window, 1 where windows do not overlap."""
    rate, freedom = MARGIN * rate, calibration.omnibus.shape_freedom
    omnibus = p_threshold(rate, judgements=judgements, freedom=freedom)
    if calibration.location is None:
        return WindowLimits(omnibus, None)
    location = p_threshold(rate, judgements=judgements, freedom=1.0)
    student = max(1.0, float(calibration.location.freedom[0]))
    return WindowLimits(omnibus, location, errors=-float(special.stdtrit(student, location / 2.0)))


def chart_limits(baseline: Baseline, rate: float) -> tuple[float, ...]:
    """The limit of a two-sided CUSUM for each of :data:`SLACKS`, for a rate of alarms a pane."""
    rate = MARGIN * rate
    return tuple(cusum_limit(rate, slack, panes=baseline.panes, blocks=baseline.blocks) for slack in SLACKS)
