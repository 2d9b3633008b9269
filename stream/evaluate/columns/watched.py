"""What a judgement needs to know of a model beside its counts: one value, made when a configuration comes into force.

Nothing here changes afterwards, so what the reference looks like in the layout's bins is worked out once and kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from schemas.findings import finding_key
from schemas.monitored import ModelMonitor, SourceMonitor
from schemas.reference import CategoricalProfile, Reference
from stream.evaluate.columns.charted import RULES, Charted, charted_of
from stream.evaluate.columns.quality_cells import Cells, cells_of
from stream.evaluate.columns.rules import ColumnRules, listed, rules_of, testable, until_calibrated
from stream.evaluate.columns.yardstick import NOT_HELD, Place, Yardstick, yardstick_of
from stream.evaluate.panes.totals import Summed
from stream.state.layout import Layout

#: A pane without events is not judged, and many models sleep at night: only a gap of three times so many panes makes what
#: fired unknown to the incident owner, which lets two judgements be missed.
PANES_OF_A_GAP = 4
#: What `Watched` keeps once it was asked for it.
_WORKED_OUT = ("yardstick", "rules", "charted", "summed", "quality")


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What a window's verdict is about: its key, the column, the column's rules and the one that judges."""

    key: str
    place: Place
    rules: ColumnRules
    rule: str


@dataclass(frozen=True, slots=True)
class Promise:
    """How old (ms) a feature's last value may be, and the key of the finding that it is older."""

    feature: str
    age_ms: int
    key: str


@dataclass(frozen=True, eq=False)
class Watched:
    """One stream of one model: where its counts lie, what is declared of it and what it is held against.

    ``reference`` is the one that ``layout`` was made from; ``generation`` numbers the configuration.
    """

    model: str
    stream: str
    layout: Layout
    monitor: ModelMonitor
    reference: Reference
    sources: Mapping[str, SourceMonitor]
    generation: int

    @cached_property
    def yardstick(self) -> Yardstick:
        """The reference in the layout's bins."""
        return yardstick_of(self.layout, self.reference)

    @cached_property
    def rules(self) -> tuple[ColumnRules, ...]:
        """The rules of each of the yardstick's places, in their order."""
        found = (
            testable(
                listed(
                    rules_of(place, self.monitor, stream=self.stream),
                    self.unlisted_share(place),
                    values=self.yardstick.values_of(place),
                ),
                self.largest_share(place),
            )
            for place in self.yardstick.places
        )
        return tuple(found) if self.reference.pane_ms is not None else tuple(map(until_calibrated, found))

    def largest_share(self, place: Place) -> float:
        """Of a held column, the share of its values in the fullest of the folded bins; 1 of another."""
        if place.held == NOT_HELD:
            return 1.0
        counts = self.yardstick.folded[self.yardstick.bins_in(place)]
        return float(counts.max() / counts.sum())

    def unlisted_share(self, place: Place) -> float:
        """Of a held column of names, the share of its values whose name is not listed; 0 of another."""
        profile = None if place.held == NOT_HELD else self.yardstick.profiles[place.held]
        if not isinstance(profile, CategoricalProfile):
            return 0.0
        return 1.0 - sum(profile.counts[: place.bins]) / (profile.rows - profile.missing)

    @cached_property
    def charted(self) -> Charted:
        """The columns that have charts."""
        return charted_of(self.yardstick, self.layout, self.reference)

    @cached_property
    def chart_keys(self) -> tuple[str, ...]:
        """The key of each chart of each column, chart by chart."""
        places = [self.yardstick.places[number] for number in self.charted.numbers.tolist()]
        return tuple(finding_key(rule, self.subject_at(place)) for rule in RULES for place in places)

    @cached_property
    def feature_names(self) -> tuple[str | None, ...]:
        """The feature of each place; None of a part of the prediction."""
        return tuple(place.name if place.room == "features" else None for place in self.yardstick.places)

    @cached_property
    def summed(self) -> Summed:
        """What its panes add to the model's sums."""
        return Summed(self.layout)

    @cached_property
    def quality(self) -> Cells:
        """Where the counts lie that data quality is judged by."""
        return cells_of(self.yardstick, self.layout, self.monitor.features, pane_ms=self.reference.pane_ms)

    @cached_property
    def judged(self) -> dict[tuple[str, int], list[tuple[int, Place, ColumnRules]]]:
        """What `stream.evaluate.columns.places.places_of` found, by a window's name and length."""
        return {}

    @cached_property
    def heads(self) -> dict[tuple[str, int], list[Head]]:
        """What `stream.evaluate.judging.window_verdicts.heads_of` found, by a window's name and length."""
        return {}

    @cached_property
    def promises(self) -> dict[str, list[Promise]]:
        """What `stream.evaluate.charts.freshness.promises_of` found, by the stream."""
        return {}

    @cached_property
    def calibrated(self) -> dict[Any, Any]:
        """What `stream.evaluate.calibration.calibrated.calibration_of` found, by its key."""
        return {}

    @cached_property
    def explicable(self) -> frozenset[tuple[str, str]]:
        """(room, name) of the columns held against the reference whose panes hold what signatures are made of."""
        pairs = zip(self.yardstick.places, self.rules, strict=True)
        places = [place for place, rules in pairs if not rules.rolling] if self.stream == "predictions" else []
        return frozenset(
            (place.room, place.name)
            for place in places
            if place.held != NOT_HELD and place.number is not None and self.layout.numeric[place.number].detailed
        )

    @cached_property
    def rates(self) -> dict[int, float]:
        """What `stream.evaluate.calibration.budget_share.rate_of` found, by the time between two judgements."""
        return {}

    @cached_property
    def pools(self) -> dict[tuple[str, int], Any]:
        """What `stream.evaluate.calibration.pools.pools_of` found, by a window's name and length."""
        return {}

    @cached_property
    def learned(self) -> dict[tuple[str, int], Mapping[str, Any]]:
        """What `stream.evaluate.calibration.learned.learned_in` found, by a window's name and length."""
        return {}

    @cached_property
    def pooled(self) -> dict[tuple[str, int], Any]:
        """What `stream.evaluate.calibration.pooled.known_pooled` made, by a window's name and length."""
        return {}

    @cached_property
    def chart_limits(self) -> dict[str, Any]:
        """What `stream.evaluate.charts.limits.limits_of` found."""
        return {}

    @cached_property
    def named_charts(self) -> dict[str, Any]:
        """What `stream.evaluate.charts.named.groups_of` found, and the keys of their findings."""
        return {}

    def prepare(self) -> None:
        """Work out all of this now: a dozen milliseconds, to be spent off the event loop."""
        for name in _WORKED_OUT:
            getattr(self, name)

    @property
    def prepared(self) -> bool:
        """Whether all of it is worked out."""
        return all(name in self.__dict__ for name in _WORKED_OUT)

    def again(self, sources: Mapping[str, SourceMonitor], generation: int) -> Watched:
        """The same under another generation; what was worked out is kept."""
        made = replace(self, sources=sources, generation=generation)
        kept = (*_WORKED_OUT, "calibrated", "pooled", "chart_limits")
        made.__dict__.update({name: known for name, known in self.__dict__.items() if name in kept})
        return made

    @property
    def pane_every_ms(self) -> int:
        """How long after a pane the next one that holds events is expected at the latest."""
        return PANES_OF_A_GAP * self.layout.pane_ms

    @property
    def subject(self) -> str:
        """The model's node in the lineage."""
        return f"model:{self.model}"

    def subject_of(self, feature: str) -> str:
        """A feature's node in the lineage."""
        return f"feature:{self.model}/{feature}"

    def rule_on(self, rule: str) -> str:
        """A rule's name on the stream: serving's side and the source's are judged, and told, apart."""
        return rule if self.stream == "predictions" else f"{rule}_upstream"

    def subject_at(self, place: Place) -> str:
        """The node that a column belongs to: its feature, or the model that predicts."""
        return self.subject_of(place.name) if place.room == "features" else self.subject

    def owner_of(self, feature: str | None) -> str | None:
        """Whose trouble it is: the feature's owner (often its source's), or else the model's."""
        own = self.monitor.features[feature].owner if feature is not None else None
        return own if own is not None else self.monitor.owner
