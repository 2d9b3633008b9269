"""Rows whose name the rest of a reference would not list: exact, however rows are ordered and wherever they are cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors import profile as built
from detectors import unlisted
from detectors.profile import build_reference, coded, panes_of
from detectors.unlisted import Names, blocks_in, lengths_for, unlisted_rows
from schemas.reference import BadReference, CategoricalProfile, Reference

Ints = NDArray[np.int64]
HOUR, MINUTE = 3_600_000, 60_000

#: (code of a name or -1, pane) of each row.
tables = st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 11)), min_size=1, max_size=60)


def plainly(rows: list[tuple[int, int]], *, panes: int, length: int, top: int) -> tuple[int, ...]:
    """The names of all other blocks, listed anew for each block; a name is the code's word, so 10 comes before 9."""
    blocks = blocks_in(panes, length)
    of = [(f"{9 - code}", min(pane // length, blocks - 1)) for code, pane in rows if code >= 0]
    found = []
    for block in range(blocks):
        seen = Counter(name for name, at in of if at != block)
        listed = sorted(seen, key=lambda name: (-seen[name], name))[:top]
        found.append(sum(at == block and name not in listed for name, at in of))
    return tuple(found)


def counted(rows: list[tuple[int, int]], *, length: int, top: int) -> tuple[int, ...]:
    codes, pane = np.array(rows, dtype=np.int64).T
    names = Names(np.bincount(codes[codes >= 0], minlength=10), np.arange(10)[::-1].copy())
    return unlisted_rows(codes, pane, names, panes=12, length=length, top=top)


@given(tables, st.integers(1, 12), st.integers(1, 9), st.integers(1, 40))
def test_it_is_what_listing_the_rest_anew_would_say(
    rows: list[tuple[int, int]], length: int, top: int, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unlisted, "ROWS_AT_ONCE", at_once)
        patch.setattr(unlisted, "chunks", lambda size: (slice(at, at + 7) for at in range(0, size, 7)))
        assert counted(rows, length=length, top=top) == plainly(rows, panes=12, length=length, top=top)


def test_where_all_are_listed_it_is_good_turing_by_blocks() -> None:
    rows = [(0, 0), (0, 0), (1, 0), (1, 4), (2, 5), (-1, 5), (3, 11)]
    assert counted(rows, length=4, top=9) == (2, 1, 1)
    # Of one name the rest lists the most frequent: the first block's own two rows gone, 1, 2 and 3 are level, and 1 comes last.
    assert counted(rows, length=4, top=1) == (3, 2, 1)


def test_a_name_may_be_listed_because_the_block_is_not_there() -> None:
    """Of 0 the first block has all three rows; without them 1 is the most frequent, by the row of the second block."""
    assert counted([(0, 0), (0, 0), (0, 0), (1, 0), (1, 6)], length=6, top=1) == (3, 1)


def test_blocks_are_those_of_usual_windows() -> None:
    assert lengths_for(8_760, HOUR) == (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 672)
    assert lengths_for(30 * 1440, MINUTE)[-4:] == (2880, 4320, 10_080, 20_160)  # of a month not of four weeks
    assert lengths_for(100, 7 * HOUR) == (5, 24, 48)  # a week and two are of such panes
    assert all(low < high for low, high in pairwise(lengths_for(1_000_000, MINUTE)))


def reference(*, further: bool) -> Reference:
    names = [f"often{at}" for at in range(built.TOP)] * 2 + [f"once{at}" for at in range(100 if further else 0)]
    panes = panes_of(np.arange(len(names)) * HOUR // 100, pane_ms=HOUR)
    return build_reference("m", {"id": coded(names)}, panes=panes)


def test_only_a_reference_of_further_names_holds_it_and_has_another_shape() -> None:
    plain, further = reference(further=False), reference(further=True)
    assert (plain.schema, further.schema) == (1, 2)
    assert b"unlisted" not in plain.to_json()
    for one in (plain, further):
        assert Reference.from_json(one.to_json()) == one
    held = further.features["id"]
    assert isinstance(held, CategoricalProfile)
    assert held.other == 100
    assert [known[0] for known in held.unlisted] == [1, 2, 3, 4, 6, 8, 12]
    # A hundred names once in the last pane; the first 4 000 rows hold each name twice, twenty panes apart, and every one of them is
    # alone with its other row, listed or not by the place of its name.
    assert held.unlisted[0][1 + 40] == 100
    assert sum(held.unlisted[0][1:]) > sum(held.unlisted[1][1:]) / 2 > 0


def test_a_reference_that_was_stored_without_it_reads_as_before() -> None:
    further = reference(further=True)
    held = further.features["id"]
    assert isinstance(held, CategoricalProfile)
    before = replace(further, schema=1, features={"id": replace(held, unlisted=())})
    assert Reference.from_json(before.to_json()).hash == before.hash != further.hash
    newer = further.to_json().replace(b'"schema":2', b'"schema":3')
    with pytest.raises(BadReference, match="schema: 3 is newer than what is read here"):
        Reference.from_json(newer)


def test_neither_the_order_of_rows_nor_of_names_shows() -> None:
    random = np.random.default_rng(3)
    names = np.array([f"n{at}" for at in random.integers(0, 5_000, 12_000)])
    times = random.integers(0, 40 * HOUR, 12_000)
    order = random.permutation(12_000)
    first, second = (
        build_reference("m", {"id": coded(names[of].tolist())}, panes=panes_of(times[of], pane_ms=HOUR)).hash
        for of in (np.arange(12_000), order)
    )
    assert first == second
