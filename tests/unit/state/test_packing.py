"""The stored form of a partial: nothing is lost on the way, damage is refused, and merging is exact in any order."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StoreError
from stream.state.packing import FULL, Partial, empty, pack, pack_shorter, unpack


@st.composite
def partials(draw: st.DrawFn, cells: int = 40, columns: int = 3, largest: int = 2**40) -> Partial:
    counts = draw(st.dictionaries(st.integers(1, cells - 1), st.integers(1, largest)))
    made = empty(cells, columns)
    for at, count in counts.items():
        made.cells[at] = count
    made.sums[:] = draw(st.lists(st.integers(-(2**60), 2**60) | st.just(0), min_size=2 * columns, max_size=2 * columns))
    ends = st.floats(allow_nan=False)
    made.extrema[:] = draw(st.lists(ends, min_size=2 * columns, max_size=2 * columns))
    return Partial(made.cells, made.sums, made.extrema, draw(st.integers(0, 2**32 - 1)))


def content(partial: Partial) -> tuple[bytes, bytes, list[float], int]:
    return partial.cells.tobytes(), partial.sums.tobytes(), partial.extrema.tolist(), partial.revision


@given(partials())
def test_what_is_packed_comes_back_bit_for_bit(partial: Partial) -> None:
    assert content(unpack(pack(partial), 40)) == content(partial)


@pytest.mark.parametrize(("cells", "columns"), [(5, 0), (255, 1), (256, 1), (65_535, 2), (65_536, 2), (70_000, 0)])
def test_every_width_of_index_and_count_comes_back(cells: int, columns: int) -> None:
    for largest in (0, 1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**50):
        partial = empty(cells, columns)
        partial.cells[cells - 1] = largest
        assert content(unpack(pack(partial), cells)) == content(partial)


@given(partials(cells=33))
def test_the_shorter_form_comes_back_bit_for_bit_and_is_never_longer(partial: Partial) -> None:
    assert content(unpack(pack_shorter(partial), 33)) == content(partial)
    assert len(pack_shorter(partial)) <= len(pack(partial))


@pytest.mark.parametrize("cells", [5, 8, 9, 4267, 65_537])
@pytest.mark.parametrize("largest", [1, 254, 255, 256, 65_536, 2**40])
def test_where_most_cells_are_filled_a_bit_stands_for_an_index(cells: int, largest: int) -> None:
    partial = empty(cells, 1)
    partial.cells[1:] = 3
    partial.cells[cells - 1] = largest
    stored = pack_shorter(partial)
    assert stored[0] == FULL
    apart = {1: 0, 254: 0, 255: 1, 256: 2, 65_536: 4, 2**40: 8}[largest]
    assert len(stored) == 18 + -(-cells // 8) + cells - 1 + apart + 16
    assert content(unpack(stored, cells)) == content(partial)


def test_a_pane_of_few_cells_stays_in_the_format_of_before() -> None:
    assert pack_shorter(_some()) == pack(_some())


def test_a_full_pane_of_another_layout_is_damaged() -> None:
    partial = empty(40, 0)
    partial.cells[:] = 1
    for cells in (7, 33, 39, 41, 400):
        with pytest.raises(StoreError, match="damaged"):
            unpack(pack_shorter(partial), cells)


def test_a_pane_that_counted_nothing_is_18_bytes_and_16_a_numeric_column() -> None:
    assert len(pack(empty(1000, 0))) == 18
    assert len(pack(empty(1000, 20))) == 18 + 20 * 16


def test_twenty_filled_features_take_less_than_a_kilobyte_each() -> None:
    partial = empty(5 + 20 * 136, 20)
    partial.cells[:] = 70_000
    partial.sums[:] = 1 << 40
    assert len(pack(partial)) < 20 * 1024


@settings(max_examples=300)
@given(partials(cells=20, columns=2, largest=300), st.sampled_from([pack, pack_shorter]), st.data())
def test_damage_is_refused_or_harmless_but_never_raises_anything_else(
    partial: Partial, form: Callable[[Partial], bytes], data: st.DataObject
) -> None:
    stored = bytearray(form(partial))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] = data.draw(st.integers(0, 255))
    try:
        found = unpack(bytes(stored[: data.draw(st.integers(0, len(stored)) | st.just(len(stored)))]), 20)
    except StoreError:
        return
    assert (len(found.cells), len(found.sums)) == (20, 4)


@pytest.mark.parametrize("cut", [1, 17, 18, 30, -1])
def test_a_pane_cut_short_is_damaged(cut: int) -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(pack(_some())[:cut], 40)


def test_a_pane_with_something_behind_it_is_damaged() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(pack(_some()) + b"\0", 40)


def test_a_head_that_promises_gigabytes_is_refused_before_they_are_taken() -> None:
    for form in (struct.pack("<BB", 1, 0x11), struct.pack("<BB", 2, 0x01)):
        head = form + struct.pack("<IIII", 0, 0, 2**32 - 1, 0)
        with pytest.raises(StoreError, match="promises"):
            unpack(head + bytes(5) * (form[0] - 1), 40)


def test_a_cell_beyond_the_layout_is_damage() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(pack(_some()), 7)


@pytest.mark.parametrize(("stored", "said"), [(b"\x03rest", "format 03"), (b"", "format none")])
def test_another_format_is_refused_with_what_to_do(stored: bytes, said: str) -> None:
    with pytest.raises(StoreError, match=f"{said}, this release reads 01 and 02: use the release that wrote it"):
        unpack(stored, 40)


@given(partials(largest=1000), partials(largest=1000), partials(largest=1000))
def test_merging_is_exact_in_any_order(a: Partial, b: Partial, c: Partial) -> None:
    small = [Partial(p.cells, p.sums // 4, p.extrema, p.revision // 4) for p in (a, b, c)]
    a, b, c = small
    assert content((a + b) + c) == content(a + (b + c)) == content((c + b) + a)


@given(partials())
def test_the_empty_partial_changes_nothing(partial: Partial) -> None:
    made = Partial(partial.cells, partial.sums, partial.extrema, partial.revision)
    assert content(made + empty(40, 3)) == content(made) == content(empty(40, 3) + made)


def test_the_sum_of_many_parts_is_what_one_would_have_counted() -> None:
    chance = Random(1)
    whole, parts = empty(40, 1), [empty(40, 1) for _ in range(9)]
    for _ in range(1000):
        part, cell, value = chance.choice(parts), chance.randrange(40), chance.gauss(0, 1)
        for into in (whole, part):
            into.cells[cell] += 1
            into.sums[0] += int(value * 4096)
            into.extrema[:] = [min(into.extrema[0], value), max(into.extrema[1], value)]
    assert content(sum(parts, empty(40, 1))) == content(whole)


def _some() -> Partial:
    partial = empty(40, 2)
    partial.cells[[1, 9, 39]] = 3
    partial.sums[1] = 12
    return Partial(partial.cells, partial.sums, np.array([1.0, 2.0, 3.0, 4.0]), 2)
