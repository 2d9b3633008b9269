"""The features that are compared, and where either stream counts them.  Pure.

Both streams are counted over the bins of the model's reference, so a bin means the same on both sides.  Panes of two references
are never compared: where the columns are not the same, the feature is ``warming`` until they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detectors.quality.skew import SKEW
from detectors.quality.verdict import BY_CHANCE, LEVEL
from schemas.findings import finding_key
from stream.evaluate.closing.unit import Phase
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place
from stream.evaluate.panes.windows import WindowSpec, windows_of
from stream.state.layout import CategoricalColumn, Layout, NumericColumn

Ints = NDArray[np.int64]
Column = NumericColumn | CategoricalColumn
#: The rule, and what the comparison is called where streams are named.
RULE = "skew"


@dataclass(frozen=True, slots=True)
class Promise:
    """PSI up to which the two sides are one feature, and how likely a larger one may be by chance; ``agreed``: by the owner."""

    threshold: float
    level: float
    agreed: bool


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """A feature in one stream: its place, and the cells at which each of its bins begins, and behind the last one."""

    place: Place
    begins: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """One feature of both streams; ``alike``: its bins mean the same on both sides."""

    name: str
    served: Side
    stored: Side
    promise: Promise
    alike: bool

    @property
    def ordered(self) -> bool:
        """Whether its bins have an order: numbers."""
        return self.served.place.number is not None


@dataclass(frozen=True, eq=False)
class Both:
    """A model's predictions and the feature store's events of its features, as one configuration has them."""

    served: Phase
    stored: Phase

    @cached_property
    def columns(self) -> tuple[Compared, ...]:
        """What is compared, by name."""
        return tuple(_columns(self.served.watched, self.stored.watched))

    @cached_property
    def windows(self) -> tuple[WindowSpec, ...]:
        """The model's windows."""
        return windows_of(self.stored.watched.monitor, RULE)

    @property
    def until_ms(self) -> int | None:
        """The last event time of this configuration; None while there is no further one."""
        return self.stored.until_ms

    @property
    def step_ms(self) -> int:
        return self.stored.step_ms

    @property
    def layout(self) -> str:
        """What names the panes of both."""
        return f"{self.served.watched.layout.hash}:{self.stored.watched.layout.hash}"

    @property
    def judged_by(self) -> str:
        """What names the configuration by which they are compared."""
        return f"{self.stored.watched.generation}:{self.layout}"

    def key(self, feature: str, window: str) -> str:
        """The key of a finding."""
        return finding_key(RULE, self.stored.watched.subject_of(feature), window=window)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all that may be found."""
        return frozenset(self.key(each.name, spec.name) for each in self.columns for spec in self.windows)


def promise_of(watched: Watched, feature: str) -> Promise | None:
    """What is promised of a feature; None where it is not to be compared."""
    said = watched.monitor.features[feature].skew
    if said == "off":
        return None
    return Promise(SKEW, LEVEL, agreed=False) if said is None else Promise(said, BY_CHANCE, agreed=True)


def _columns(served: Watched, stored: Watched) -> Iterator[Compared]:
    known = {place.name: place for place in served.yardstick.places if place.room == "features"}
    columns = _counted(served.layout), _counted(stored.layout)
    same = served.layout.reference == stored.layout.reference
    for place in sorted(stored.yardstick.places, key=lambda one: one.name):
        name, other, promise = place.name, known.get(place.name), promise_of(stored, place.name)
        if other is not None and promise is not None and place.bins > 1:
            sides = Side(other, _begins(served, other)), Side(place, _begins(stored, place))
            yield Compared(name, *sides, promise, alike=same and columns[0][name] == columns[1][name])


def _counted(layout: Layout) -> dict[str, Column]:
    """Everything that decides what a bin of a feature means, by feature."""
    columns: tuple[Column, ...] = (*layout.numeric, *layout.categorical)
    return {column.name: column for column in columns if column.path == f"features.{column.name}"}


def _begins(watched: Watched, place: Place) -> Ints:
    """As the reference's bins are folded, where it holds the feature; else every bin as it is counted."""
    if place.held == NOT_HELD:
        return np.arange(place.first, place.values_end + 1, dtype=np.int64)
    return np.array(watched.yardstick.begins[place.held], dtype=np.int64)
