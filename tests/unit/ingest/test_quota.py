"""A noisy model goes behind the others and never starves: buckets and orders, and a worker of a given speed that follows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.ingest.quota import BURST_S, DEBT_S, Bucket, Mix, Order, Reading, full, looked

LOOK_S = 0.25
NOISY, QUIET = "noisy", "quiet"


def place(number: int) -> TP:
    return TP("predictions", number)


@dataclass
class Line:
    """A worker that counts so many events a look, in turns over the partitions that it may read."""

    capacity: int
    #: The models of a partition's events, as long as it is.
    logs: dict[TP, list[str]]
    quotas: Mapping[str, float]
    order: Order = field(default_factory=Order)
    read: Counter[TP] = field(default_factory=Counter)
    ended: Counter[TP] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)

    def lag(self, tp: TP) -> int:
        return len(self.logs[tp]) - self.read[tp]

    def look(self) -> None:
        """Count for a quarter of a second, then look."""
        some = {tp: self._counts(tp, share) for tp, share in self._shares().items()}
        readings = {tp: Reading(self.read[tp], len(log), self.ended[tp]) for tp, log in self.logs.items()}
        self.ended = Counter({tp: len(log) for tp, log in self.logs.items()})
        self.order = looked(self.order, some, readings, quotas=self.quotas, seconds=LOOK_S)

    def _shares(self) -> dict[TP, int]:
        left, shares = self.capacity, Counter[TP]()
        open_ = [tp for tp in self.logs if tp not in self.order.behind and self.lag(tp)]
        while left and open_:
            for tp in open_[:left]:
                shares[tp] += 1
            left -= min(left, len(open_))
            open_ = [tp for tp in open_ if shares[tp] < self.lag(tp)]
        return dict(shares)

    def _counts(self, tp: TP, share: int) -> Counter[str | None]:
        events = self.logs[tp][self.read[tp] : self.read[tp] + share]
        self.read[tp] += share
        self.counted.update(events)
        return Counter(one if one in self.quotas else None for one in events)


def crowd(*, quotas: Mapping[str, float]) -> Line:
    """Eight partitions of quiet models, twenty-four of one noisy model; all that a worker can do is 1 000 events a look."""
    return Line(1_000, {place(number): [] for number in range(32)}, quotas)


def drive(line: Line, looks: int) -> list[int]:
    """Quiet models send 320 events a look, the noisy one 5 000, twenty times its quota; the quiet ones' greatest lag a look."""
    seen = []
    for _ in range(looks):
        for number in range(32):
            line.logs[place(number)] += [QUIET] * 40 if number < 8 else [NOISY] * 208
        line.look()
        seen.append(max(line.lag(place(number)) for number in range(8)))
    return seen


def test_without_a_quota_the_quiet_ones_fall_behind_with_the_noisy_one() -> None:
    assert drive(crowd(quotas={}), 100)[-1] == 100 * (40 - 32)


def test_a_noisy_model_at_twenty_times_its_quota_keeps_nobody_waiting_and_loses_nothing() -> None:
    line = crowd(quotas={NOISY: 1_000})
    lags = drive(line, 100)
    assert max(lags) <= 2 * 40  # what two looks bring
    sent = 100 * 24 * 208
    assert line.counted[NOISY] >= 100 * LOOK_S * 1_000  # its quota, and what was free
    for _ in range(sent // 1_000 + 100):
        line.look()
    assert line.counted == {QUIET: 100 * 8 * 40, NOISY: sent}


def test_with_nobody_else_waiting_a_noisy_model_has_the_whole_worker() -> None:
    line = Line(1_000, {place(0): [NOISY] * 50_000, place(1): []}, {NOISY: 10})
    for _ in range(50):
        line.logs[place(1)] += [QUIET] * 5
        line.look()
    assert line.counted[NOISY] == 50 * 995
    assert line.order.behind == frozenset()


def test_where_all_are_noisy_nobody_goes_behind() -> None:
    line = Line(
        1_000, {place(number): [f"m{number}"] * 20_000 for number in range(8)}, {f"m{at}": 10 for at in range(8)}
    )
    for _ in range(100):
        line.look()
        assert line.order.behind == frozenset()
    assert line.counted.total() == 100_000


def test_a_partition_that_others_share_is_not_put_behind() -> None:
    mixed = [NOISY] * 8 + [QUIET] * 2
    line = Line(1_000, {place(0): mixed * 5_000, place(1): [QUIET] * 50_000}, {NOISY: 10})
    for _ in range(20):
        line.look()
    assert line.order.behind == frozenset()
    assert line.read[place(0)] == line.read[place(1)]


def test_a_quota_that_is_taken_away_lets_its_model_read_on_at_once() -> None:
    line = crowd(quotas={NOISY: 1_000})
    drive(line, 20)
    while not line.order.behind:
        drive(line, 1)
    line.quotas = {}
    line.look()
    assert (line.order.behind, line.order.models) == (frozenset(), frozenset())


def test_of_a_thousand_models_in_a_partition_none_is_kept() -> None:
    many = {f"m{number}": 5 for number in range(1_000)}
    assert Mix().and_then(5_000, many) == Mix(5_000, {})
    assert Mix().and_then(5_100, many | {NOISY: 100}).models == {NOISY: 100}


def test_a_bucket_holds_no_more_than_a_burst_and_owes_no_more_than_a_minute() -> None:
    assert full(100).after(1_000, quota=100, counted=0) == Bucket(100 * BURST_S)
    assert full(100).after(1, quota=100, counted=10**9) == Bucket(-100 * DEBT_S)
    assert not Bucket(0.0).is_over
    assert Bucket(-0.5).is_over


def test_a_greater_quota_counts_from_the_next_look_on() -> None:
    one = Order({NOISY: Bucket(-50.0)})
    found = looked(one, {}, {place(0): Reading(0, 9, 9)}, quotas={NOISY: 400.0}, seconds=0.25)
    assert found.buckets[NOISY] == Bucket(50.0)


def test_a_partition_that_moved_away_is_forgotten_and_one_that_is_not_read_stays_what_it_is() -> None:
    known = Order({}, {place(0): Mix(100, {NOISY: 100}), place(1): Mix(5)})
    found = looked(known, {}, {place(0): Reading(0, 0, 0)}, quotas={NOISY: 1.0}, seconds=9.0)
    assert found.mixes == {place(0): Mix(100, {NOISY: 100})}


def test_a_partition_whose_traffic_changes_is_another_ones_soon() -> None:
    mix = Mix().and_then(100_000, {NOISY: 100_000})
    assert mix.and_then(5_000, {}).is_of({NOISY})
    assert not mix.and_then(10_000, {}).is_of({NOISY})


@settings(max_examples=25, deadline=None)
@given(
    logs=st.lists(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=60), min_size=1, max_size=5),
    quotas=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(1, 1e6)),
    capacity=st.integers(1, 30),
)
def test_whatever_comes_everything_is_counted_in_the_end(
    logs: list[list[str]], quotas: dict[str, float], capacity: int
) -> None:
    line = Line(capacity, {place(at): list(log) for at, log in enumerate(logs)}, quotas)
    for _ in range(5 * 60 + 3 * int(DEBT_S / LOOK_S)):
        if line.counted.total() == sum(map(len, logs)):
            break
        line.look()
    assert line.counted == Counter(event for log in logs for event in log)


@pytest.mark.parametrize(
    ("read", "end", "ended", "waits"), [(5, 9, 9, True), (9, 9, 9, False), (9, 20, 9, False), (3, 3, 9, False)]
)
def test_what_waits_is_what_was_there_at_the_look_before(read: int, end: int, ended: int, waits: bool) -> None:
    """The last: a topic that was made anew, or cut."""
    assert Reading(read, end, ended).waits == waits
