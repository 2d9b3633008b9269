"""The fixed thresholds that teams use, by name: ladders of severity.

They do not know how many rows a window has: PSI above 0.1 alarms on 39 % of driftless windows of 100 rows and on none of 10 000
with a real shift of 0.2 sd.  They are here so that a team can keep its own; the verdict is the calibrated test's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "low", "moderate", "high"]


@dataclass(frozen=True, slots=True)
class Ladder:
    """A rule: which number of which statistic, and from where on it is how severe; steps from the mildest to the worst.

    A value climbs by being greater, a p-value by being smaller; a step counts once it is passed, not where it is met.
    """

    name: str
    statistic: str
    of: Literal["value", "p_value"]
    steps: tuple[tuple[float, Level], ...]

    def of_number(self, value: float | None, p_value: float | None) -> Level:
        """The level of a statistic and its p-value, by the one that the rule is about."""
        return self.level(value if self.of == "value" else p_value)

    def level(self, number: float | None) -> Level:
        """How severe a number is; none where there is no number.

        >>> LADDERS["psi-0.1-0.25"].level(0.3), LADDERS["psi-0.1-0.25"].level(0.1), LADDERS["psi-0.1-0.25"].level(None)
        ('high', 'none', 'none')
        >>> LADDERS["chi2-p-0.05-0.01-0.001"].level(0.004)
        'moderate'
        """
        if number is None:
            return "none"
        passed = [level for limit, level in self.steps if (number > limit if self.of == "value" else number < limit)]
        return passed[-1] if passed else "none"


LADDERS = {
    ladder.name: ladder
    for ladder in (
        Ladder("psi-0.1-0.25", "psi", "value", ((0.1, "moderate"), (0.25, "high"))),
        Ladder("ks-p-0.01", "ks", "p_value", ((0.01, "high"),)),
        Ladder("chi2-p-0.05-0.01-0.001", "chi2", "p_value", ((0.05, "low"), (0.01, "moderate"), (0.001, "high"))),
    )
}
