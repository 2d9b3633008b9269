"""Where the counts lie that data quality is judged by: worked out once a configuration, so that a judgement is a few look-ups.

Only features are looked at: what a prediction may hold is the contract's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.outside import KEYS_A_SIDE, values_of
from detectors.quality.stillness import allowed_panes
from schemas.monitored import FeatureMonitor
from schemas.reference import NumericProfile, Profile
from stream.evaluate.columns.yardstick import NOT_HELD, Place, Yardstick
from stream.state.layout import CATEGORY_TAIL, HASH_BUCKETS, OUTSIDE_KEYS, SPECIALS, WASTE, Layout, NumericColumn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NONFINITE = [SPECIALS.index(name) for name in ("nan", "positive_infinity", "negative_infinity")]


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Where the counts lie that data quality is judged by, by place; ``WASTE``, which counts nothing, where there is none.

    features: (places,) which are features.
    nonfinite, ends: (places, 3), (places, 2); wrong_type, unseen: (places,).
    minimum: (places,) of the numeric ones the place of its minimum among the extrema, its maximum behind it; -1 of names.
    ranged: places with a declared range; ``low``, ``high``: it; ``out``: (ranged, widest) cells that lie wholly outside it.
    absent: (places,) logarithm of the chance that a row of the reference has no value; 0 where it holds none.
    varies: (places,) whether the reference holds more than one value, and numbers.
    allowed: panes of one value that are not too many, by number of place; of features whose reference has panes in time order.
    still: (places,) the same, infinity of the others; ``able``: where the minima of those lie that have such a number.
    """

    features: NDArray[np.bool_]
    nonfinite: Ints
    wrong_type: Ints
    ends: Ints
    unseen: Ints
    minimum: Ints
    ranged: Ints
    low: Floats
    high: Floats
    out: Ints
    absent: Floats
    varies: NDArray[np.bool_]
    allowed: Mapping[int, int]
    still: Floats
    able: Ints


def cells_of(
    yardstick: Yardstick, layout: Layout, features: Mapping[str, FeatureMonitor], *, pane_ms: int | None
) -> Cells:
    """Worked out once a configuration; ``pane_ms`` is the length of the reference's panes."""
    places = yardstick.places
    ranged = [(at, ends) for at, place in enumerate(places) if (ends := _range(place, features)) is not None]
    out = [list(_out_of_range(places[at], layout, ends)) for at, ends in ranged]
    widest = max(map(len, out), default=0)
    profiles = [yardstick.profiles[place.held] if _held(place) else None for place in places]
    allowed = {
        at: allowed_panes(profile, panes=pane_ms / layout.pane_ms)
        for at, profile in enumerate(profiles)
        if pane_ms is not None and profile is not None and profile.pane_counts and _varies(profile)
    }
    minimum = _ints([-1 if place.number is None else 2 * place.number for place in places])
    return Cells(
        features=np.array([place.room == "features" for place in places], dtype=np.bool_),
        nonfinite=_ints([_nonfinite(place) for place in places], width=3),
        wrong_type=_ints([_wrong_type(place) for place in places]),
        ends=_ints([_ends(place) for place in places], width=2),
        unseen=_ints([_unseen(place) for place in places]),
        minimum=minimum,
        ranged=_ints([at for at, _ in ranged]),
        low=np.array([low for _, (low, _) in ranged], dtype=np.float64),
        high=np.array([high for _, (_, high) in ranged], dtype=np.float64),
        out=_ints([[*cells, *[WASTE] * (widest - len(cells))] for cells in out], width=widest),
        absent=np.array([_absent(profile) for profile in profiles], dtype=np.float64),
        varies=np.array([_varies(profile) for profile in profiles], dtype=np.bool_),
        allowed=allowed,
        still=np.array([allowed.get(at, math.inf) for at in range(len(places))], dtype=np.float64),
        able=minimum[_ints(list(allowed))],
    )


def _range(place: Place, features: Mapping[str, FeatureMonitor]) -> tuple[float, float] | None:
    return features[place.name].range if place.room == "features" and place.number is not None else None


def _held(place: Place) -> bool:
    return place.room == "features" and place.held != NOT_HELD


def _nonfinite(place: Place) -> list[int]:
    if place.room != "features" or place.number is None:
        return [WASTE] * 3
    return [place.first + place.bins + at for at in _NONFINITE]


def _wrong_type(place: Place) -> int:
    if place.room != "features":
        return WASTE
    tail = SPECIALS if place.number is not None else CATEGORY_TAIL
    return place.first + place.bins + tail.index("wrong_type")


def _ends(place: Place) -> list[int]:
    """The open outer bins, where the reference knows a range."""
    held = _held(place) and place.number is not None
    return [place.first, place.first + place.bins - 1] if held else [WASTE, WASTE]


def _unseen(place: Place) -> int:
    held = _held(place) and place.number is None
    return place.first + place.bins + CATEGORY_TAIL.index("unseen") if held else WASTE


def _out_of_range(place: Place, layout: Layout, allowed: tuple[float, float]) -> Iterable[int]:
    """Cells of values that are all outside a range: bins, or of an outer bin that is not wholly so its half-octaves."""
    column = layout.numeric[place.number or 0]
    low, high = allowed
    bins = [at for at in range(column.bins) if _upper(column, at) <= low or _lower(column, at) > high]
    yield from (place.first + at for at in bins)
    if column.detailed:
        keys = place.first + column.bins + len(SPECIALS) + HASH_BUCKETS
        for key in range(OUTSIDE_KEYS):
            if (0 if key < KEYS_A_SIDE else column.bins - 1) not in bins and _is_out(column, key, allowed):
                yield keys + key


def _is_out(column: NumericColumn, key: int, allowed: tuple[float, float]) -> bool:
    least, greatest = values_of(key, minimum=column.minimum, maximum=column.maximum, sd=column.sd)
    return greatest < allowed[0] or least > allowed[1]


def _upper(column: NumericColumn, at: int) -> float:
    return column.edges[at] if at < len(column.edges) else math.inf


def _lower(column: NumericColumn, at: int) -> float:
    return column.edges[at - 1] if at else -math.inf


def _absent(profile: Profile | None) -> float:
    values = 0 if profile is None else sum(profile.counts)
    return 0.0 if profile is None or not values else math.log1p(-min(values / profile.rows, 1.0 - 1e-9))


def _varies(profile: Profile | None) -> bool:
    return isinstance(profile, NumericProfile) and profile.minimum is not None and profile.minimum != profile.maximum


def _ints(values: Sequence[int] | Sequence[Sequence[int]], *, width: int | None = None) -> Ints:
    shape = (len(values),) if width is None else (len(values), width)
    return np.array(values, dtype=np.int64).reshape(shape)
