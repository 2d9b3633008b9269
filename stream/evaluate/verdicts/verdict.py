"""A verdict: what one rule says of one subject at one judgement, before anything is remembered about it.

Pure values.  A verdict knows no history: whether it is news, and since when the trouble lasts, is
:mod:`stream.evaluate.verdicts.standing`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import msgspec

from detectors.budget.limits import RELEASE
from schemas.findings import Effect, Kind, Onset, Severity, finding_key
from schemas.reports import Column, Measure

Judged = Literal["firing", "ok", "no_data"]
Evidence = dict[str, float | int | str | None]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, one subject, the span ``[start_ms, end of the judged pane or window)``.

    ``memory`` is how long (ms) it may go on firing after true recovery.  ``onset`` is given where the rule knows more of the
    beginning than the spans in which it was last clear (a chart knows its last zero).  ``every`` is the event time within
    which the next judgement is expected; None where a wall clock judges.  ``scope`` tells its key apart where models share
    the subject.  ``lasts``: it does not fire, and is no sign either that what was told is over.
    """

    rule: str
    kind: Kind
    subject: str
    state: Judged
    severity: Severity
    start_ms: int
    memory: int
    every: int | None = None
    value: float | None = None
    threshold: float | None = None
    n: int | None = None
    n_eff: float | None = None
    p: float | None = None
    window: str | None = None
    feature: str | None = None
    source: str | None = None
    scope: str | None = None
    owner: str | None = None
    lasts: bool = False
    onset: Onset | None = None
    effect: Effect = Effect()
    evidence: Evidence = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of the finding that it may become."""
        return finding_key(self.rule, self.subject, segment=self.scope, window=self.window)

    def whole(self) -> Verdict:
        """All of it."""
        return self


def judged_by_measure(measure: Measure | None) -> Judged:
    """What a measure says that a rule decides by."""
    if measure is None or measure.value is None:
        return "no_data"
    return "firing" if measure.exceeded else "ok"


def lasts_by_measure(measure: Measure | None) -> bool:
    """Whether a test of the budget that does not alarm is not clear either: an alarm that was told goes on."""
    if measure is None or measure.threshold is None or measure.p_value is None:
        return False
    return not measure.exceeded and measure.p_value <= RELEASE


class Clear(msgspec.Struct, frozen=True):
    """Verdicts of many keys that are all clear, of rules that know their onset themselves: nobody asks for one of a key that was
    never told firing, and so nothing stands of it."""

    keys: tuple[str, ...]
    start_ms: int
    whole: Callable[[str], Verdict]


class Fine(msgspec.Struct, frozen=True):
    """Verdicts of many keys that are all ``ok``, each of which stands."""

    keys: tuple[str, ...]
    start_ms: int
    whole: Callable[[str], Verdict]

    def each(self) -> Iterator[Quiet]:
        """One by one."""
        return (Quiet(key, "ok", self.start_ms, partial(self.whole, key)) for key in self.keys)


class Quiet(msgspec.Struct, frozen=True):
    """A verdict that does not fire, as far as anybody cares whom nothing was told before: nearly all are never asked for
    more, so ``whole`` makes the verdict only then."""

    key: str
    state: Judged
    start_ms: int
    whole: Callable[[], Verdict]


def evidence_of(column: Column, measure: Measure, **further: float | str | None) -> Evidence:
    """What every finding about a column says beside its value, and what else is known of it."""
    found: Evidence = {
        "convention": measure.convention,
        "expected": measure.expected,
        "mean": column.mean,
        "missing_ratio": column.missing_ratio,
        "n_reference": column.n_reference,
        **further,
    }
    return {name: value for name, value in found.items() if value is not None}
