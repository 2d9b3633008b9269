"""Many partials at once: the same bits as one by one, and damage is refused in the same words."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StoreError
from stream.state.bulk import FEW, Added, added_singly, pack_all, portions, sum_of
from stream.state.packing import HEAD, Partial, empty, pack, pack_shorter, unpack
from tests.unit.state.test_packing import content, partials

CELLS, COLUMNS = 40, 3


def added(stored: list[tuple[int, bytes]], *, cells: int = CELLS, columns: int = COLUMNS) -> dict[int, Partial]:
    found = Added(sorted({start for start, _ in stored}), cells=cells, columns=columns)
    found.add(stored)
    return found.partials()


def one_by_one(stored: list[tuple[int, bytes]]) -> dict[int, Partial]:
    found: dict[int, Partial] = {}
    for start, packed in stored:
        each = unpack(packed, CELLS)
        found[start] = found[start] + each if start in found else each
    return dict(sorted(found.items()))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 4), partials()), min_size=1, max_size=9))
def test_sums_by_pane_are_those_of_one_after_the_other(made: list[tuple[int, Partial]]) -> None:
    stored = [(start, pack(partial)) for start, partial in made]
    assert {s: content(p) for s, p in added(stored).items()} == {s: content(p) for s, p in one_by_one(stored).items()}


def test_panes_of_both_formats_add_up() -> None:
    full = empty(CELLS, COLUMNS)
    full.cells[:] = 7
    stored = [(0, pack(full)), (0, pack_shorter(full))]
    assert stored[0][1][0] != stored[1][1][0]
    assert added(stored)[0].cells.tolist() == [14] * CELLS


@settings(max_examples=25)
@given(st.lists(partials(), max_size=6))
def test_what_is_packed_together_is_what_is_packed_alone(made: list[Partial]) -> None:
    assert pack_all(made) == [pack(partial) for partial in made]


@pytest.mark.parametrize("cells", [255, 256, 65_535, 65_536, 300_000])
def test_every_width_of_index_and_count_is_packed_and_added_alike(cells: int) -> None:
    made = []
    for largest in (0, 1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**50):
        partial = empty(cells, 1)
        partial.cells[cells - 1] = largest
        made.append(partial)
    packed = pack_all(made)
    assert packed == [pack(partial) for partial in made]
    found = added([(at // 2, each) for at, each in enumerate(packed)], cells=cells, columns=1)
    assert [int(found[at].cells[cells - 1]) for at in found] == [1, 255 + 256, 65_535 + 65_536, 2**33 - 1, 2**50]


def test_layouts_without_numbers_have_no_sums() -> None:
    one = empty(9, 0)
    one.cells[3] = 7
    assert added([(0, pack(one)), (0, pack(one))], cells=9, columns=0)[0].cells.tolist() == [0, 0, 0, 14, 0, 0, 0, 0, 0]


def test_portions_hold_64_kilobytes_and_are_added_to_the_same_rows() -> None:
    one = empty(20_000, 1)
    one.cells[:] = 1
    stored = [(at % 2, pack(one)) for at in range(5)]  # 60 052 bytes each
    pieces = list(portions(stored))
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    found = Added([0, 1], cells=20_000, columns=1)
    for piece in pieces:
        found.add(piece)
    assert [int(found.partials()[at].cells[-1]) for at in (0, 1)] == [3, 2]


def test_a_pane_that_nothing_was_added_for_is_not_told() -> None:
    found = Added([0, 1, 2], cells=CELLS, columns=COLUMNS)
    found.add([])
    found.add([(1, pack(empty(CELLS, COLUMNS)))])
    assert list(found.partials()) == [1]


def damaged(packed: bytes) -> dict[str, bytes]:
    one = HEAD.unpack_from(packed)
    beyond = bytearray(packed)
    beyond[HEAD.size] = CELLS  # the first index
    return {
        "has format 07": b"\x07" + packed[1:],
        "has format none": b"",
        "damaged: unpack_from": packed[:9],
        "the head promises": packed[:-1],
        "integers of 3 bytes": struct.pack("<BB", 1, 0x31) + packed[2:],
        "out of bounds": bytes(beyond),
        "the head promises ": HEAD.pack(one[0], one[1], one[2], one[3] + 1, *one[4:]) + packed[HEAD.size :],
    }


@pytest.mark.parametrize("why", list(damaged(b"\x01\x11" + bytes(40))))
def test_damage_is_refused_as_it_is_alone(why: str) -> None:
    good = empty(CELLS, COLUMNS)
    good.cells[2:5], good.sums[1] = 9, 4
    bad = damaged(pack(good))[why]
    with pytest.raises(StoreError, match=why.strip()):
        unpack(bad, CELLS)
    with pytest.raises(StoreError, match=why.strip()):
        added([(0, pack(good)), (0, bad)])


def test_an_index_that_damage_made_come_twice_is_added_as_alone() -> None:
    one = empty(20, 1)
    one.cells[[1, 2, 3]] = 1, 2, 3
    packed = bytearray(pack(one))
    packed[HEAD.size + 1] = 1  # now the indices are 1, 1, 3
    stored = [(0, bytes(packed)), (0, pack(one))]
    wanted = unpack(bytes(packed), 20) + one
    assert added(stored, cells=20, columns=1)[0].cells.tolist() == wanted.cells.tolist()


@settings(max_examples=25)
@given(st.lists(partials(cells=20, columns=2, largest=300), min_size=1, max_size=4), st.data())
def test_flipped_bytes_are_added_as_one_by_one_or_refused(made: list[Partial], data: st.DataObject) -> None:
    stored = [(0, pack(partial)) for partial in made]
    at = data.draw(st.integers(0, len(stored) - 1))
    packed = bytearray(stored[at][1])
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    stored[at] = 0, bytes(packed)
    with np.errstate(all="ignore"):
        try:
            wanted = [unpack(each, 20) for _, each in stored]
            total = wanted[0]
            for each in wanted[1:]:
                total = total + each
        except (StoreError, ValueError):
            with pytest.raises((StoreError, ValueError)):
                added(stored, cells=20, columns=2)
            return
        if total.extrema.shape != (4,):
            return  # numbers of another layout: one alone is not told
        found = added(stored, cells=20, columns=2)[0]
    assert found.cells.tobytes() == total.cells.tobytes()
    assert found.sums.tobytes() == total.sums.tobytes()


@settings(max_examples=25)
@given(st.lists(partials(), min_size=1, max_size=5))
def test_the_sum_of_some_is_that_of_one_after_the_other(made: list[Partial]) -> None:
    total = made[0]
    for each in made[1:]:
        total = total + each
    assert content(sum_of(made)) == content(total)


@settings(max_examples=25)
@given(st.lists(partials(), min_size=2, max_size=5))
def test_one_with_wider_places_than_it_needs_is_added_as_it_is_alone(made: list[Partial]) -> None:
    """Nobody writes one; what can be read counts all the same, and so do those beside it."""
    wide = Partial(np.concatenate((made[0].cells, np.zeros(260, np.int64))), *_rest(made[0]))
    stored = [(0, pack(wide)), *((at % 2, pack(each)) for at, each in enumerate(made[1:]))]
    assert {s: content(p) for s, p in added(stored).items()} == {s: content(p) for s, p in one_by_one(stored).items()}


def test_a_sum_of_a_column_that_the_layout_has_not_is_refused_and_counted_nowhere() -> None:
    """It would be added to the pane behind it."""
    more = empty(CELLS, COLUMNS + 1)
    more.sums[-1] = 7
    head = list(HEAD.unpack_from(pack(more)))
    head[4] = COLUMNS
    short = HEAD.pack(*head) + pack(more)[HEAD.size : -16]
    with pytest.raises((StoreError, IndexError)):
        unpack(short, CELLS)
    with pytest.raises((StoreError, IndexError)):
        added([(0, short), (1, pack(empty(CELLS, COLUMNS)))])


def _rest(one: Partial) -> tuple[np.ndarray, np.ndarray, int]:
    return one.sums, one.extrema, one.revision


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 4), partials()), max_size=9))
def test_a_few_are_added_one_by_one_as_many_are_together(made: list[tuple[int, Partial]]) -> None:
    stored = [(start, pack(partial)) for start, partial in made]
    singly = added_singly(stored, cells=CELLS, columns=COLUMNS)
    assert list(singly) == list(added(stored))
    assert {s: content(p) for s, p in singly.items()} == {s: content(p) for s, p in added(stored).items()}


def test_one_of_other_columns_than_its_layout_is_refused_alone_too() -> None:
    stored = [(0, pack(empty(CELLS, COLUMNS + 1)))]
    with pytest.raises(StoreError, match="it has 4 numeric columns, its layout 3"):
        added_singly(stored, cells=CELLS, columns=COLUMNS)
    with pytest.raises(StoreError, match="it has 4 numeric columns, its layout 3"):
        added(stored)


def test_few_and_many_are_packed_alike() -> None:
    made = [empty(CELLS, COLUMNS) for _ in range(FEW + 1)]
    for at, each in enumerate(made):
        each.cells[at], each.sums[at % 6], each.extrema[0] = 300 * at, -at, at
    assert pack_all(made) == pack_all(made[:FEW]) + pack_all(made[FEW:])
