"""An address that leads to several servers: each is counted by itself, and no jump from one to another is taken for requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import pytest

from stream.scraping import counters as counting
from stream.scraping import instances
from stream.scraping.broken import Broken
from stream.scraping.counters import Counters
from stream.scraping.fetch import Page
from stream.scraping.instances import BESIDE_S, KEPT, MOST_INSTANCES
from stream.scraping.meters import Meter, Owner, Reading, Series
from stream.scraping.watch import Watch
from tests.support.exporter import TEXT, nowhere, parts, target

OWNER = Owner("m")
REQUESTS = Series(OWNER, "requests", frozenset())
EVERY_MS = 15_000
NOON_S = 1_763_800_000


def reading(requests: float, started: float | None = None) -> Reading:
    return Reading({REQUESTS: Meter(float(requests))}, started)


def counted(readings: Iterable[Reading]) -> Counters:
    counters = Counters()
    for number, each in enumerate(readings):
        counters.see(each, at_ms=NOON_S * 1000 + number * EVERY_MS)
    return counters


def alternating(begins: Sequence[int], *, grow: int, turns: Iterable[int]) -> list[Reading]:
    """Servers that all grow by so much between two scrapes, of which each scrape meets one."""
    return [reading(begins[turn] + number * grow) for number, turn in enumerate(turns)]


def test_two_servers_that_tell_their_start_are_counted_each_by_itself() -> None:
    old, young = NOON_S - 90_000.0, NOON_S - 4_000.0
    values = [(1_000_000, old), (400, young), (1_000_030, old), (430, young), (1_000_060, old), (460, young)]
    assert counted(reading(*each) for each in values).waiting == 4 * 30


def test_a_process_that_began_before_the_last_one_was_is_no_restart_of_it() -> None:
    for before in (100.0, 5_000.0):
        assert counted([reading(50, NOON_S - 50.0), reading(9_000, NOON_S - before)]).waiting == 0


def test_a_process_that_began_long_before_the_last_one_was_seen_is_beside_it() -> None:
    last = NOON_S - 9_000.0
    assert counted([reading(50, last), reading(9, NOON_S - BESIDE_S - 1)]).waiting == 0
    assert counted([reading(50, last), reading(9, NOON_S - BESIDE_S + 1)]).waiting == 9


def test_two_servers_that_tell_no_start_are_known_by_their_counters() -> None:
    """The fall is taken for a restart; from then on each is counted by itself."""
    found = counted(alternating([50_000, 500], grow=15, turns=islice(cycle([0, 1]), 50)))
    assert found.waiting == 515 + 48 * 30
    assert found.several


@pytest.mark.parametrize("seed", range(10))
def test_of_servers_met_at_random_only_the_first_jumps_count(seed: int) -> None:
    turns = np.random.default_rng(seed).integers(0, 3, 400)
    begins = [200_000, 4_000, 70_000]
    grown, jumps = 3 * 400 * 15, 2 * max(begins)  # taken for one they would be some 400 jumps of 60 000
    assert 0.95 * grown < counted(alternating(begins, grow=15, turns=turns)).waiting < grown + jumps


def test_small_servers_are_told_apart_from_the_third_fall_on() -> None:
    found = counted(alternating([300, 20], grow=1, turns=islice(cycle([0, 1]), 60)))
    assert found.waiting < 5 * 300 + 60 * 2


def test_one_that_restarts_and_passes_its_old_value_is_one_server() -> None:
    assert counted(reading(each) for each in (100, 400, 30, 330, 630, 930)).waiting == 300 + 930


def test_servers_that_were_not_seen_for_long_are_forgotten() -> None:
    def back(after: int) -> int:
        return counted([*alternating([9_000, 10], grow=0, turns=[0, 1] + [1] * after), reading(9_020)]).waiting

    assert (back(KEPT - 2), back(KEPT - 1)) == (10 + 20, 10 + 9_010)


def test_of_more_servers_than_are_kept_the_first_are_forgotten() -> None:
    def back(servers: int) -> int:
        begun = [reading(100.0, NOON_S + 100.0 * number) for number in range(servers)]
        return counted([*begun, reading(105.0, NOON_S)]).waiting - 100 * (servers - 1)

    assert (back(MOST_INSTANCES), back(MOST_INSTANCES + 1)) == (5, 0)


def test_what_is_begun_anew_has_not_a_hundred_times_what_the_target_ever_had() -> None:
    slow = [reading(5_000_000), reading(5_000_150), reading(5_000_300)]
    with pytest.raises(Broken, match="1000000 requests in 15 s; at most 2000 a second are believed"):
        counted([*slow, reading(1_000_000)])
    assert counted([*slow, reading(20_000)]).waiting == 300 + 20_000


def test_nor_a_hundred_times_what_it_had_when_it_was_begun_anew_before() -> None:
    slow = [reading(5_000_000), reading(5_000_150)]
    once = [*slow, reading(20_000, started=NOON_S + 20.0)]
    assert counted(once).waiting == 150 + 20_000
    with pytest.raises(Broken, match="at most 2000 a second are believed"):
        counted([*once, reading(40_000, started=NOON_S + 40.0)])


def test_series_that_are_ever_new_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "MOST_SERIES", 10)
    found = counted(
        Reading({Series(Owner(f"m{number}"), "requests", frozenset()): Meter(1.0)}) for number in range(90)
    ).left[0]
    assert found is not None
    assert len(found.meters) <= 21


def test_a_clock_set_back_does_not_make_a_busy_server_implausible() -> None:
    counters = Counters()
    for at_ms, requests in ((0, 0), (15_000, 150_000), (0, 300_000)):
        counters.see(reading(requests), at_ms=3_600_000 + at_ms)
    assert counters.waiting == 300_000


def test_owners_that_are_ever_new_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_SERIES", 10)

    def left(requests: float) -> int:
        counters = Counters()
        for number in range(50):
            series = Series(Owner(f"m{number}"), "requests", frozenset())
            counters.see(Reading({series: Meter(requests)}), at_ms=number * EVERY_MS)
            parts(counters)
        return len(counters.left[1])

    assert left(1.0) == 0
    assert left(0.5) <= 20, "parts of a request, of whom no other ever comes"


def test_thousands_of_models_are_sent_together() -> None:
    def page(requests: int) -> Reading:
        return Reading({Series(Owner(f"m{n}"), "requests", frozenset()): Meter(float(requests)) for n in range(3_000)})

    counters = counted([page(0), page(5), page(10)])
    assert [len(counters.next_parts(20_000)) for _ in range(3)] == [2_000, 1_000, 0]


def test_several_servers_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    answers = [f'nv_inference_request_success{{model="m"}} {n}\n'.encode() for n in (50_000, 500, 50_015, 530, 50_030)]

    async def fetch(_: Any) -> Page:
        return Page(answers.pop(0), TEXT)

    async def run() -> None:
        watch = Watch(target("triton"), fetch=fetch, publish=nowhere)
        for _ in range(5):
            await watch.scrape()

    with caplog.at_level(logging.WARNING, "stream.scraping"):
        asyncio.run(run())
    assert [record.getMessage()[:40] for record in caplog.records] == ["target triton answers as several servers"]
