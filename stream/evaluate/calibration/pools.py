"""The features of one source that are tested together: which they are, and the rule that their test is.  Pure.

Pooled are a source's numeric features that a window judges, where their middle can move at all: they have a value in most rows
of the reference, and no value (or decile) is nearly all of them.  Two make a pool.  The reference needs panes in time order.

The pooled test decides by the budget where the budget decides about each of them: nothing is fixed for the source, nor for any
feature of it.  Else it stands beside what decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from schemas.findings import finding_key
from stream.evaluate.columns.places import places_of
from stream.evaluate.columns.rules import POOLED_RULE, ColumnRules
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import NOT_HELD, Place

#: From this share on in one folded bin the middle of a column hardly moves.
CROWDED = 0.9
#: A column with a value in fewer rows of the reference says little of the rhythm that others have.
SPARSE = 0.5


@dataclass(frozen=True, slots=True)
class Pool:
    """Features of a source, two at least.  ``decides``: whether the budget decides by their test; ``key``: its finding's."""

    source: str
    places: tuple[Place, ...]
    decides: bool
    importance: float | None
    key: str

    @property
    def subject(self) -> str:
        """The source's node in the lineage."""
        return f"source:{self.source}"


def pools_of(watched: Watched, window: str, length_ms: int) -> tuple[Pool, ...]:
    """The pools of a window of that name and length, by source; worked out once."""
    known = watched.pools.get((window, length_ms))
    if known is None:
        known = watched.pools[window, length_ms] = tuple(_pools(watched, window, length_ms))
    found: tuple[Pool, ...] = known
    return found


def _pools(watched: Watched, window: str, length_ms: int) -> Iterator[Pool]:
    if watched.stream != "predictions" or watched.reference.pane_ms is None:
        return
    features = watched.monitor.features
    judged = ((place, rules) for _, place, rules in places_of(watched, window, length_ms) if not rules.rolling)
    able = [(place, rules) for place, rules in judged if _can_move(watched, place)]
    named = sorted(
        ((features[place.name].source or "", place, rules) for place, rules in able),
        key=lambda one: (one[0], one[1].first),
    )
    for source, group in groupby(named, key=lambda one: one[0]):
        members = [(place, rules) for _, place, rules in group]
        if source and len(members) > 1:
            yield _pool(watched, source, members, window=window)


def _pool(watched: Watched, source: str, members: list[tuple[Place, ColumnRules]], *, window: str) -> Pool:
    declared = [rules.importance for _, rules in members if rules.importance is not None]
    return Pool(
        source=source,
        places=tuple(place for place, _ in members),
        decides=watched.monitor.budget is not None and all(rules.budgeted for _, rules in members),
        importance=max(declared, default=None),
        key=finding_key(POOLED_RULE, f"source:{source}", segment=watched.model, window=window),
    )


def _can_move(watched: Watched, place: Place) -> bool:
    if place.room != "features" or place.number is None or place.held == NOT_HELD:
        return False
    in_values = watched.yardstick.values_of(place)
    return watched.largest_share(place) < CROWDED and in_values >= SPARSE * watched.reference.rows
