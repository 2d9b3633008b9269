"""Records that are no objects: what is sliced shares its text, and what is looked at is a copy."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from stream.records import Records, Taken

THREE = [Taken(4, 10, b"a", b"one"), Taken(7, 11, None, b""), Taken(8, 12, b"", None)]


def test_what_is_iterated_over_is_what_each_place_holds() -> None:
    found = Records.of(THREE)
    assert list(found) == [found[at] for at in range(3)] == THREE
    assert list(found[1:]) == THREE[1:]


def test_a_text_that_is_part_of_another_is_read_from_its_own_beginning() -> None:
    found = Records.of(THREE)
    around = np.frombuffer(b"..." + found.text.tobytes() + b"...", np.uint8)[3:-3]
    assert list(Records(around, found.offsets, found.timestamps, found.keys, found.values)) == THREE


@pytest.mark.parametrize(("offset", "left"), [(0, 3), (4, 3), (5, 2), (7, 2), (8, 1), (9, 0)])
def test_those_behind_an_offset(offset: int, left: int) -> None:
    found = Records.of(THREE).behind(offset)
    assert (len(found), bool(found)) == (left, left > 0)
    assert not left or found.next_offset == 9


def test_a_record_that_is_kept_does_not_keep_the_fetch() -> None:
    found = Records.of(THREE)
    gone, kept = weakref.ref(found.text), [found[0], *found]
    del found
    gc.collect()
    assert gone() is None
    assert kept[0] == THREE[0]
