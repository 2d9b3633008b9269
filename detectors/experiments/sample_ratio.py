"""Did each arm get the share of traffic it was meant to?  Where not, the experiment is broken and its differences mean nothing.

A canary's share changes, so counts come stage by stage, each with its own share. `sample_ratio` is Pearson's chi-squared for
one look (a degree of freedom a stage; A. Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments",
KDD 2019, ask for p < .0005). `look_at_ratio` may be looked at always: the product of each stage's beta mixture, which is the
Dirichlet-multinomial test of M. Lindon & A. Malek (NeurIPS 2022) for two arms.

Rows count as independent.  Where ids stick to their arm and come again, an id is drawn, not a row: give rows divided by
`detectors.experiments.overlap.effect` or the numbers of ids.  A stage whose share is 0 or 1 draws nothing and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from detectors.experiments.beta_mixture import log_e_of_share
from detectors.experiments.looks import Look, p_of
from detectors.experiments.samples import State


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows of both arms while the challenger's share was meant to be ``share``."""

    share: float
    champion: float
    challenger: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share is {self.share}: the part of the traffic that the challenger gets, 0 to 1")
        if not min(self.champion, self.challenger) >= 0 or not math.isfinite(self.rows):
            raise ValueError(f"rows are {self.champion} and {self.challenger}: numbers of 0 or more")

    @property
    def rows(self) -> float:
        return self.champion + self.challenger


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """``statistic`` is chi-squared with ``freedom`` degrees if the shares were as meant; None where too few rows say so."""

    state: State
    statistic: float | None = None
    freedom: int = 0
    p_value: float | None = None


def sample_ratio(stages: Sequence[Stage]) -> SampleRatio:
    """One look, at a time fixed beforehand; stages that expect fewer than five rows of an arm are left out.

    >>> found = sample_ratio([Stage(0.05, 9_500, 500), Stage(0.5, 1_000, 1_100)])
    >>> round(found.statistic, 3), found.freedom, round(found.p_value, 4)
    (4.762, 2, 0.0925)
    """
    if not sum(stage.rows for stage in stages):
        return SampleRatio("no_traffic")
    large = [stage for stage in stages if min(stage.share, 1.0 - stage.share) * stage.rows >= 5.0]
    if not large:
        return SampleRatio("not_enough_data")
    statistic = sum(_beyond(stage) ** 2 / (stage.share * (1.0 - stage.share) * stage.rows) for stage in large)
    return SampleRatio("ok", statistic, len(large), float(special.chdtrc(len(large), statistic)))


def look_at_ratio(stages: Sequence[Stage], *, before: float = 1.0) -> Look:
    """One of many looks; ``difference`` is the share of all rows that the challenger got too many.

    before: the p-value of the look before this one.

    >>> found = look_at_ratio([Stage(0.05, 94_000, 6_000)])
    >>> found.state, found.p_value < 1e-9, found.difference
    ('ok', True, 0.01)
    """
    drawn = [stage for stage in stages if 0.0 < stage.share < 1.0 and stage.rows]
    if not drawn:
        return Look("no_traffic" if not any(stage.rows for stage in stages) else "not_enough_data", before)
    log_e = sum(float(log_e_of_share(stage.rows, stage.challenger, stage.share)) for stage in drawn)
    difference = sum(map(_beyond, drawn)) / sum(stage.rows for stage in drawn)
    return Look("ok", p_of(log_e, before), difference, log_e)


def _beyond(stage: Stage) -> float:
    """Rows that the challenger got more than it should."""
    return stage.challenger - stage.share * stage.rows
