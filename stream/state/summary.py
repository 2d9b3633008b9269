"""Counters as people read them: a merged partial under the names of its layout, ready for JSON.

Pure.  What ``driftline counts`` prints, and what exactness is checked against: bins are listed whole, zeros included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from detectors.moments import mean_of, variance_of
from schemas.errors import StoreError
from stream.state.arms import ARMS, columns_of
from stream.state.layout import (
    CATEGORY_TAIL,
    EVENTS,
    HASH_BUCKETS,
    ID,
    LATE,
    OUTSIDE_KEYS,
    SPECIALS,
    UNKNOWN_FEATURES,
    UNKNOWN_KEYS,
    CategoricalColumn,
    Layout,
    NumericColumn,
)
from stream.state.packing import Ints, Partial

Summary = dict[str, Any]


def summary_of(layout: Layout, partial: Partial) -> Summary:
    """Events, and every column in its place: ``features``, ``prediction``, or by its own name beside them.

    A numeric column: edges, counts (one more), what was no finite number by kind, n (finite values), their mean, sd
    (divisor n), minimum and maximum (None where n is 0); ``buckets`` of a hash of the bits and ``outside`` (half-octaves
    beyond the reference's range, see ``detectors.outside``) where the layout keeps them.  A categorical one: count by
    name (``#0`` … where names are hashed; of ids only how many, ``n``), other, unseen, missing, wrong type.

    :raises StoreError: sums and counts do not fit each other.
    """
    found = _heads(partial)
    for column in _columns(layout, partial):
        room, name, counted = column
        (found.setdefault(room, {}) if room else found)[name] = counted
    return found


def arms_summary(layout: Layout, partial: Partial) -> Summary:
    """What was counted by version: of each arm its events and columns, and the events of other versions and of none.

    :param layout: one of :mod:`stream.state.arms`.
    :raises StoreError: sums and counts do not fit each other.
    """
    version, first = layout.categorical[0], layout.categorical_starts[0]
    champion, challenger, *tail = partial.cells[first : first + version.cells].tolist()
    others = dict(zip(CATEGORY_TAIL, tail, strict=True))
    found: Summary = {"layout": layout.hash, "events": int(partial.cells[EVENTS])}
    for arm, name, events in zip(ARMS, version.categories, (champion, challenger), strict=True):
        numeric, categorical = columns_of(layout, arm)
        found[arm] = {"version": name, "events": events}
        for plain, at in numeric.items():
            found[arm][plain] = _numeric(layout.numeric[at], partial, first=layout.numeric_starts[at], at=at)
        for plain, at in categorical.items():
            column, start = layout.categorical[at], layout.categorical_starts[at]
            found[arm][plain] = _categorical(column, partial.cells[start : start + column.cells])
    none = others.pop("missing")
    return found | {"other": sum(others.values()), "none": none}


def _heads(partial: Partial) -> Summary:
    cells = partial.cells
    return {
        "events": int(cells[EVENTS]),
        "late": int(cells[LATE]),
        "revisions": partial.revision,
        "unknown_features": int(cells[UNKNOWN_FEATURES]),
        "unknown_keys": int(cells[UNKNOWN_KEYS]),
        "features": {},
    }


def _columns(layout: Layout, partial: Partial) -> list[tuple[str, str, Summary]]:
    numeric = [
        (_room(column), column.name, _numeric(column, partial, first=first, at=at))
        for at, (column, first) in enumerate(zip(layout.numeric, layout.numeric_starts, strict=True))
    ]
    categorical = [
        (_room(column), column.name, _categorical(column, partial.cells[first : first + column.cells]))
        for column, first in zip(layout.categorical, layout.categorical_starts, strict=True)
    ]
    return numeric + categorical


def _room(column: NumericColumn | CategoricalColumn) -> str:
    """``features`` or ``prediction``; nothing for what stands at the top of an event."""
    return column.path.partition(".")[0] if "." in column.path else ""


def _numeric(column: NumericColumn, partial: Partial, *, first: int, at: int) -> Summary:
    cells = partial.cells[first : first + column.cells]
    counts, rest = cells[: column.bins].tolist(), cells[column.bins :]
    found: Summary = {"edges": list(column.edges), "counts": counts}
    found |= dict(zip(SPECIALS, rest[: len(SPECIALS)].tolist(), strict=True))
    found |= _moments(column, partial, n=sum(counts), at=at)
    return found | (_details(rest[len(SPECIALS) :]) if column.detailed else {})


def _moments(column: NumericColumn, partial: Partial, *, n: int, at: int) -> Summary:
    # Python's integers: sums of a long range may leave 64 bits although no pane's do.
    sum_q, sum_q2 = (int(q) for q in partial.sums[2 * at : 2 * at + 2])
    variance = variance_of(sum_q, sum_q2, n, sd=column.sd)
    if variance is not None and variance < 0:
        raise StoreError(f"the stored sums of {column.name} cannot be those of {n} values: a pane of it is damaged")
    low, high = partial.extrema[2 * at : 2 * at + 2].tolist()
    return {
        "n": n,
        "mean": mean_of(sum_q, n, mean=column.mean, sd=column.sd),
        "sd": None if variance is None else math.sqrt(variance),
        "minimum": low if n else None,
        "maximum": high if n else None,
    }


def _details(cells: Ints) -> Summary:
    outside = cells[HASH_BUCKETS : HASH_BUCKETS + OUTSIDE_KEYS].tolist()
    return {
        "buckets": cells[:HASH_BUCKETS].tolist(),
        "outside": {str(key): count for key, count in enumerate(outside) if count},
    }


def _categorical(column: CategoricalColumn, cells: Ints) -> Summary:
    tail: Mapping[str, int] = dict(zip(CATEGORY_TAIL, cells[column.bins :].tolist(), strict=True))
    if column.path == ID:
        return {"n": int(cells[: column.bins].sum()), **tail}
    names = [f"#{bucket}" for bucket in range(column.buckets)] if column.buckets else column.categories
    return {"categories": dict(zip(names, cells[: column.bins].tolist(), strict=True)), **tail}
