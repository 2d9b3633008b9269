"""What was counted of each version while a model has a release: plain data, that statistics of experiments take.  Pure.

Windows are sums of panes in the layout of :mod:`stream.state.arms`; any sum of such panes is read the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.moments import STEPS, scale_of
from stream.state.arms import ARMS, IDS, ArmName, columns_of, is_of_arms
from stream.state.columns import STATUSES
from stream.state.layout import CATEGORY_TAIL, EVENTS, SPECIALS, Layout
from stream.state.packing import Partial

Ints = npt.NDArray[np.int64]

#: Columns of numbers that an arm may have, by stream.
QUANTITIES: Final = ("latency_s", "input_tokens", "output_tokens", "rating", "score")


@dataclass(frozen=True, eq=False, slots=True)
class Quantity:
    """A number that the events of an arm carry: so many finite values, their sum and the sum of their squares, in its own unit.

    ``counts`` are of the bins that ``edges`` cut, one more than edges; ``missing`` events carried none, ``odd`` ones no number.
    Values are rounded to 1/4096 of the column's unit before they are summed, so sums are the same in whatever order they came.
    """

    edges: tuple[float, ...]
    counts: Ints
    n: int
    total: float
    squares: float
    missing: int
    odd: int


@dataclass(frozen=True, eq=False, slots=True)
class Arm:
    """What one version answered.  ``ids``: by bucket of a hash, rows of one sign less those of the other; ``with_id``: in all.

    ``requests`` are its events; one that states no status was answered.  What a stream does not carry has no values.
    """

    version: str
    requests: int
    errors: int
    latency_s: Quantity
    input_tokens: Quantity
    output_tokens: Quantity
    rating: Quantity
    score: Quantity
    with_id: int
    ids: Ints


@dataclass(frozen=True, slots=True)
class Versions:
    """Events by version: of the two arms, of any other, and of none."""

    champion: int
    challenger: int
    other: int
    none: int


def arm_of(layout: Layout, partial: Partial, arm: ArmName) -> Arm:
    """One arm of a pane or window; ``layout`` is the arms' (:func:`stream.state.arms.arms_layout`).

    :raises ValueError: it is the layout of a stream.
    """
    _check(layout)
    numeric, categorical = columns_of(layout, arm)
    quantities = {name: _quantity(layout, partial, at) for name, at in numeric.items()}
    at = ARMS.index(arm)
    ids = _buckets(layout, partial, categorical.get(IDS))
    return Arm(
        version=layout.categorical[0].categories[at],
        requests=int(_cells(layout, partial, 0)[at]),
        errors=_errors(layout, partial, categorical.get("status")),
        **{name: quantities.get(name, _NOTHING) for name in QUANTITIES},
        with_id=int(ids.sum()),
        ids=ids[0::2] - ids[1::2],
    )


def versions_of(layout: Layout, partial: Partial) -> Versions:
    """How the events of a pane or window fall on versions.

    :raises ValueError: it is the layout of a stream.
    """
    _check(layout)
    champion, challenger, *tail = _cells(layout, partial, 0).tolist()
    by_kind = dict(zip(CATEGORY_TAIL, tail, strict=True))
    none = by_kind.pop("missing")
    return Versions(champion, challenger, sum(by_kind.values()), none)


def events_of(partial: Partial) -> int:
    """All events of the stream in the panes, of whichever version."""
    return int(partial.cells[EVENTS])


def _check(layout: Layout) -> None:
    if not is_of_arms(layout):
        raise ValueError(f"layout {layout.hash} of {layout.model} counts no versions")


def _cells(layout: Layout, partial: Partial, at: int) -> Ints:
    first = layout.categorical_starts[at]
    return partial.cells[first : first + layout.categorical[at].cells]


def _errors(layout: Layout, partial: Partial, at: int | None) -> int:
    return 0 if at is None else int(_cells(layout, partial, at)[STATUSES.index("error")])


def _buckets(layout: Layout, partial: Partial, at: int | None) -> Ints:
    """Empty where no ids are counted."""
    return np.zeros(0, np.int64) if at is None else _cells(layout, partial, at)[: layout.categorical[at].bins]


def _quantity(layout: Layout, partial: Partial, at: int) -> Quantity:
    column, first = layout.numeric[at], layout.numeric_starts[at]
    counts = partial.cells[first : first + column.bins]
    special = dict(zip(SPECIALS, partial.cells[first + column.bins :].tolist(), strict=False))
    n, q, q2 = int(counts.sum()), int(partial.sums[2 * at]), int(partial.sums[2 * at + 1])
    unit, mean = scale_of(column.sd) / STEPS, column.mean
    total = n * mean + q * unit
    squares = n * mean * mean + 2 * mean * q * unit + q2 * unit * unit
    missing = special.pop("missing")
    return Quantity(column.edges, counts, n, total, squares, missing, sum(special.values()))


_NOTHING = Quantity((), np.zeros(1, np.int64), 0, 0.0, 0.0, 0, 0)
