"""Python's collector: it is called, looks at what is new while that is little, and never again at what it has seen twice."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import deque
from collections.abc import Iterator

import pytest

from stream import collector
from stream.collector import Collector, look_at_all, look_at_few, spare_the_collector
from stream.state.patience import Patience

MUCH = 3_000


class Ring:
    """Holds itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With limits that a test reaches in no time, and everybody's settings as they were afterwards."""
    monkeypatch.setattr(collector, "MOST", MUCH)
    monkeypatch.setattr(collector, "SURVIVORS", 1_000)
    monkeypatch.setattr(collector, "TRIES", 3)
    spare_the_collector()
    yield
    gc.unfreeze()
    gc.enable()


def dead_ring() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def some(number: int) -> list[list[object]]:
    """Objects that live."""
    return [[object()] for _ in range(number)]


def test_it_never_runs_by_itself() -> None:
    ring, kept = dead_ring(), some(10 * gc.get_threshold()[0])
    assert kept
    assert ring() is not None


def test_a_dead_cycle_among_what_is_new_is_freed() -> None:
    ring = dead_ring()
    Collector().look()
    assert ring() is None


def test_what_is_much_just_now_is_looked_at_once_it_is_gone() -> None:
    called, ring, rows = Collector(), dead_ring(), some(MUCH + 1)
    called.look()
    assert ring() is not None
    rows.clear()
    called.look()
    assert ring() is None


def test_much_that_stands_where_as_much_was_freed_is_seen_as_well() -> None:
    """The interpreter's own count falls with whatever is freed, and be it old."""
    old = some(2 * MUCH)
    look_at_all()
    ring, rows = dead_ring(), some(MUCH + 1)
    old.clear()
    assert gc.get_count()[0] < MUCH < len(rows)
    Collector().look()
    assert ring() is not None


def test_survivors_are_set_aside_once_they_are_many_and_are_freed_all_the_same() -> None:
    called, before = Collector(), gc.get_freeze_count()
    few = some(500)
    called.look()
    assert gc.get_freeze_count() <= before, "they are looked at a second time"
    many = some(1_000)
    called.look()
    assert gc.get_freeze_count() > before + 1_400
    held = weakref.ref(one := Ring())
    one.itself = None  # type: ignore[assignment]
    gc.freeze()
    del one
    assert held() is None
    assert few
    assert many


def test_a_cycle_that_survived_its_first_look_is_freed_by_the_second() -> None:
    called, ring = Collector(), Ring()
    seen = weakref.ref(ring)
    called.look()
    del ring
    called.look()
    assert seen() is not None, "only what is new was looked at"
    kept = some(1_200)
    called.look()
    assert seen() is None
    assert kept


def test_what_is_much_for_long_is_set_aside_unseen_and_its_cycles_are_freed_at_an_assignment() -> None:
    called, ring, kept = Collector(), dead_ring(), some(MUCH + 1)
    for _ in range(2):
        called.look()
    before = gc.get_freeze_count()
    called.look()
    assert gc.get_freeze_count() > before + MUCH
    later = dead_ring()
    called.look()
    assert (ring() is None, later() is None) == (False, True)
    look_at_all()
    assert ring() is None
    assert kept


def test_much_now_and_then_is_never_set_aside() -> None:
    called, before = Collector(), gc.get_freeze_count()
    for _ in range(5):
        for rows in (some(MUCH + 1), some(MUCH + 1), []):
            called.look()
            rows.clear()
    assert gc.get_freeze_count() <= before


def test_an_answer_of_redis_leaves_nothing_to_the_collector() -> None:
    """Tenacity's own call leaves a hundred objects in cycles; it was nine tenths of all that the collector ever found."""

    async def asked() -> int:
        async def answer() -> int:
            return 7

        patience = Patience()
        gc.collect()
        for _ in range(100):
            assert await patience(answer) == 7
        return gc.collect()

    assert asyncio.run(asked()) == 0


@pytest.mark.parametrize("a_look", [MUCH + 1_000, 2_000])
def test_two_hundred_thousand_dead_cycles_are_freed_within_the_bound(
    monkeypatch: pytest.MonkeyPatch, a_look: int
) -> None:
    """Made in storms that are never looked at, or by living on until they have been set aside."""
    monkeypatch.setattr(collector, "ASIDE", 60_000)
    called, kept = Collector(), deque[Ring](maxlen=a_look)
    before, most = gc.get_freeze_count(), 0
    for _ in range(200_000 // a_look):
        kept.extend(Ring() for _ in range(a_look))
        called.look()
        most = max(most, gc.get_freeze_count() - before)
    assert 40_000 < most < 62_000


def test_what_lives_brings_the_long_look_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector, "ASIDE", 5_000)
    called, live = Collector(), list[list[list[object]]]()
    for _ in range(12):
        live.append(some(1_100))
        called.look()
    assert len(caplog.records) == 2
    assert live
    for _ in range(12):
        passing = some(1_100)
        called.look()
        del passing
    assert len(caplog.records) == 2, "it is known to live"


def test_of_many_as_many_again_may_come_before_the_long_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector, "ASIDE", 5_000)
    monkeypatch.setattr(collector, "FEW", gc.get_freeze_count() - 20_000)
    called, live = Collector(), list[list[list[object]]]()
    for _ in range(12):
        live.append(some(1_100))
        called.look()
    assert len(caplog.records) == 0


def test_what_was_set_aside_and_is_freed_by_its_counts_does_not_bring_the_long_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector, "ASIDE", 5_000)
    called = Collector()
    for _ in range(12):
        kept = some(1_100)
        called.look()
        del kept
    assert not caplog.records


def test_at_an_assignment_all_are_looked_at_only_where_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    aside, collecting = dead_ring(), Collector()
    collecting.look()
    collecting._set_aside()
    many = dead_ring()
    monkeypatch.setattr(collector, "FEW", gc.get_freeze_count() - 1)
    look_at_few()
    assert many() is not None
    monkeypatch.setattr(collector, "FEW", 10 * gc.get_freeze_count())
    look_at_few()
    assert (aside(), many()) == (None, None)
