"""What a value adds is what ``detectors`` says, to the last bit, and nothing beside the room of its pane is touched."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.binning import bins, padded, tree
from detectors.moments import quantise, scales_of
from detectors.outside import KEYS_A_SIDE, outside_keys
from detectors.value_buckets import HASH_BUCKETS, bucket_of
from stream.ingest import marks
from stream.ingest.arena import Arena
from stream.ingest.compiled.counts import bin_of, key_beyond, quantised_as, special_of
from stream.ingest.counting import Rows, count
from stream.ingest.shape import shape_of
from stream.ingest.tables import stream_tables
from stream.state.layout import EVENTS, OUTSIDE_KEYS, SPECIALS, Layout, NumericColumn


#: Every float there is, NaNs of any bits among them.
def _float(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


ANY = st.integers(0, (1 << 64) - 1).map(_float)
#: Of either sign, with any payload: small ones are marks.
NANS = st.integers(1, (1 << 51) - 1) | st.integers(0, 5)
NO_NUMBERS = st.builds(lambda payload, sign: _float(sign << 63 | 0x7FF8 << 48 | payload), NANS, st.integers(0, 1))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
EDGES = st.lists(st.floats(-10, 10), max_size=200, unique=True).map(sorted)
SCALES = st.floats(allow_nan=True, allow_infinity=True)
SIDES = pytest.mark.parametrize("room", [0, 1, 2])


@given(EDGES, FINITE, st.data())
def test_a_bin_is_how_many_edges_are_at_or_below(edges: list[float], value: float, data: st.DataObject) -> None:
    for at in (value, *([data.draw(st.sampled_from(edges))] if edges else [])):
        found = bin_of(at, tree(edges), np.uint64(0), len(edges).bit_length())
        assert found == bins(np.array([at]), padded([edges]), np.zeros(1, np.int64))[0]


@given(FINITE, FINITE, SCALES)
@example(1e308, -1e308, 1.0)
@example(5e-324, 0.0, 5e-324)
@example(0.5, 0.0, 4096.0)
@example(1.5, 0.0, 4096.0)
def test_moments_are_those_of_quantise(value: float, mean: float, sd: float) -> None:
    with np.errstate(over="ignore"):
        deviations = (np.float64(value) - mean) / float(scales_of(sd))
    assert quantised_as(float(deviations)) == quantise(np.array([value]), mean=mean, sd=sd)[0]


@given(st.floats(0, exclude_min=True))
@example(math.inf)
@example(2.0**-6)
@example(2.0**10)
@example(math.sqrt(0.5))
@example(0.7071067811865476)
def test_how_far_beyond_is_an_outside_key(distance: float) -> None:
    assert key_beyond(distance) + KEYS_A_SIDE == outside_keys(np.array([distance]), minimum=0.0, maximum=0.0, sd=1.0)[0]


@given(NO_NUMBERS)
@example(math.inf)
@example(-math.inf)
@example(marks.NAN_VALUE)
@example(marks.WRONG_VALUE)
@example(marks.ABSENT_VALUE)
@example(math.nan)
def test_what_is_no_number_is_told_by_its_bits(value: float) -> None:
    kinds = ("missing", "nan", "wrong_type", None)
    state = int(marks.states(np.array([value]))[0])
    said = {math.inf: "positive_infinity", -math.inf: "negative_infinity"}.get(value, kinds[state])
    assert special_of(value) == (-1 if said is None else SPECIALS.index(said))


def layout(edges: tuple[float, ...]) -> Layout:
    column = NumericColumn("n", "features.n", edges, 0.5, 2.0, minimum=edges[0], maximum=edges[-1], detailed=True)
    return Layout("m", "predictions", 1000, (column,), ())


@SIDES
@given(st.lists(ANY, min_size=1, max_size=50), st.lists(st.floats(-10, 10), min_size=1, max_size=130, unique=True))
@example([math.inf, -math.inf, math.nan, marks.WRONG_VALUE, marks.ABSENT_VALUE, 1e308, -1e308, 5e-324, -0.0], [0.0])
def test_only_the_room_of_its_pane_is_touched(room: int, values: list[float], edges: list[float]) -> None:
    of = layout(tuple(sorted(edges)))
    tables, arena = stream_tables([(of, shape_of([of]))]), Arena((np.uint8, np.uint16, np.uint32)[room])
    rooms = [arena.allocate(of) for _ in range(3)]
    at, rows = rooms[1], len(values)
    places = np.full(rows, at.cells), np.full(rows, at.sums)
    matrix, none = np.array(values)[:, None], np.empty((rows, 0))
    narrow, wide = (matrix, none) if tables.narrow.count else (none, matrix)
    found = Rows(
        np.zeros(rows, np.int64), *places, narrow, wide, np.zeros((rows, 0), np.int64), np.zeros(rows, np.bool_)
    )
    count(found, arena, order=np.arange(rows), narrow=tables.narrow, wide=tables.wide)
    held = arena.cells[at.of_cells].astype(np.int64)
    assert arena.cells.sum(dtype=np.int64) == held.sum()
    assert arena.sums[: at.sums].tolist() + arena.sums[at.of_sums.stop :].tolist() == [0] * (len(arena.sums) - 2)
    finite = np.array([value for value in values if math.isfinite(value)])
    first = of.numeric_starts[0] + of.numeric[0].bins + len(SPECIALS)
    assert held[EVENTS] == rows
    assert held[first : first + HASH_BUCKETS].tolist() == np.bincount(bucket_of(finite), minlength=16).tolist()
    keys = outside_keys(finite, minimum=of.numeric[0].minimum, maximum=of.numeric[0].maximum, sd=2.0)
    beyond = np.bincount(keys[keys >= 0], minlength=OUTSIDE_KEYS)
    assert held[first + HASH_BUCKETS :].tolist() == beyond.tolist()
