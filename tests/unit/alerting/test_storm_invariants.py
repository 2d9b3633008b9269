"""What has to hold in a storm as well (reference/incidents.md, section 3), over random histories of many faults."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.entry import Entry
from alerting.inputs import Input, Tick
from alerting.records import restored
from alerting.register import entries
from alerting.state import State
from alerting.step import next_due
from schemas.findings import SEVERITIES
from tests.unit.alerting.histories import Op, play, rank, settle
from tests.unit.alerting.test_invariants import check_step
from tests.unit.alerting.world import DAY, MINUTE, T0, TICKETS, WEATHER, World, policy, route

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
SUBJECTS = [f"{model}/{feature}" for model in "abc" for feature in (*WEATHER[:2], *TICKETS[:2] * (model != "a"))]
OPS = ("apart", "apart", "apart", "apart", "well", "silence", "expire", "ack", "configure", "wait", "wait", "send",
       "crash")  # fmt: skip
#: Without what people and configurations do.
PLAIN = ("apart", "apart", "apart", "well", "wait", "wait", "send")
WINDOW = 10 * MINUTE
#: Nine faults at once, then time; the end of all of them inside the storm; one that gets worse inside it; a crash.
BURST: list[Op] = [("apart", number) for number in range(9)]
LONG: list[Op] = [*BURST, ("wait", 1), ("send", 3), *[("wait", 2)] * 12, ("send", 3)]
SHORT: list[Op] = [
    *BURST,
    ("wait", 1),
    ("send", 3),
    *[("well", number) for number in range(9)],
    ("wait", 3),
    ("wait", 3),
]
WORSE: list[Op] = [*BURST, ("wait", 1), ("send", 3), ("apart", 6 + 10 * 3), ("send", 3), ("wait", 2), ("send", 3)]
CRASH: list[Op] = [*BURST, ("wait", 1), ("send", 3), ("crash", 0), ("wait", 3), ("send", 3), ("crash", 1), ("wait", 3)]


class Watched(World):
    """A world that remembers every opening the register ever wanted: (when, address, entry)."""

    def __init__(self, storm: int) -> None:
        self.opened: list[tuple[int, Entry]] = []
        super().__init__(policy(route(receiver="oncall", routes=(), open_wait_ms=30_000), storm=storm))

    def give(self, given: Input, at: int | None = None) -> State:
        before = self.state
        after = super().give(given, at)
        for name, entry in after.entries.items():
            known = before.entries.get(name)
            if entry.want is not None and (known is None or known.want is None):
                self.opened.append((entry.rung or 0, entry))
        return after


def histories(ops: tuple[str, ...], size: int = 30) -> st.SearchStrategy[list[Op]]:
    return st.lists(st.tuples(st.sampled_from(ops), st.integers(0, 10**6)), min_size=8, max_size=size)


def act(world: World, op: str, number: int) -> None:
    """Do one operation; faults are apart from each other: none joins another."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    begun = T0 - (number % len(SUBJECTS) + 1) * 5 * DAY
    severity = SEVERITIES[3 - (number // len(SUBJECTS)) % 4]
    if op == "apart":
        onset = (begun, begun + MINUTE)
        world.fire(subject, severity=severity, onset=onset, rev=(world.now, rank(world)))
    elif op == "well":
        world.clear(subject, rev=(world.now, rank(world)))
    else:
        play(world, op, number)


def is_rollup(world: World, entry: Entry) -> bool:
    """Whether an entry is a roll-up's; those that are long over are told by what they were about."""
    incident = world.state.incidents.get(entry.incident)
    return incident is not None and incident.rollup is not None


@QUICK
@given(histories(OPS), st.sampled_from([1, 2, 3]))
@example(LONG, 2)
@example(SHORT, 2)
@example(WORSE, 2)
@example(CRASH, 1)
def test_5_8_9_everything_closes_the_ended_want_nothing_and_records_are_the_state(
    history: list[Op], storm: int
) -> None:
    world = Watched(storm)
    for op, number in history:
        before = world.state
        act(world, op, number)
        check_step(before, world.state)
        assert restored(world.records, world.state.policy) == world.state
    for subject in SUBJECTS:
        world.clear(subject, rev=(world.now, rank(world)))
    settle(world)
    assert world.vendors.still_open() == set()
    assert list(entries(world.state)) == []
    assert not any(incident.live for incident in world.state.incidents.values())
    assert all(known.rollup is None and not known.waiting for known in world.state.storms.values())


@QUICK
@given(histories(PLAIN), st.sampled_from([1, 2, 3]))
@example(LONG, 2)
@example(SHORT, 1)
@example(WORSE, 2)
def test_13_nobody_is_rung_more_often_than_an_address_takes(history: list[Op], storm: int) -> None:
    """In any window so many openings, P0 aside; and a roll-up rings once, and once for each worsening."""
    world = Watched(storm)
    for op, number in history:
        act(world, op, number)
        world.send()
        for incident in world.state.incidents.values():
            if incident.rollup is not None:
                rung = [ring for ring in world.vendors.rings if ring[1].startswith(f"{incident.id}:")]
                assert len(rung) <= 2 * (1 + len(incident.worsenings)), "two addresses have a storm each"
    for address in ("pagerduty:key", "slack:#p0"):
        times = sorted(
            at
            for at, entry in world.opened
            if entry.address == address and entry.severity != "P0" and not is_rollup(world, entry)
        )
        for first, last in zip(times, times[storm:], strict=False):
            assert last - first >= WINDOW


@QUICK
@given(histories((*PLAIN, "silence", "expire", "crash")), st.sampled_from([1, 2]))
@example(LONG, 1)
@example(WORSE, 1)
def test_6_10_what_fires_is_told_by_itself_or_by_a_storm_that_is_told(history: list[Op], storm: int) -> None:
    world = Watched(storm)
    for op, number in history:
        act(world, op, number)
        world.send()
        _heard(world)
    world.wait(31_000)
    world.send()
    _heard(world)


def _heard(world: World) -> None:
    """Every finding that fires, is not silenced and has waited long enough is told at each of its addresses."""
    open_at = {(address, key.rpartition(":")[0]) for address, key in world.vendors.still_open()}
    for entry in world.state.entries.values():
        incident = world.state.incidents[entry.incident]
        waited = incident.opened + 30_000 <= world.now
        if waited and incident.live and incident.rollup is None and incident.firing and not entry.held:
            assert (entry.address, entry.rolled or entry.incident) in open_at or entry.want is not None
            assert (entry.address, entry.incident) in open_at or (entry.address, entry.rolled) in open_at


@QUICK
@given(histories(PLAIN), st.sampled_from([1, 2]))
@example(SHORT, 2)
@example(LONG, 1)
def test_10_nothing_is_closed_that_was_not_opened(history: list[Op], storm: int) -> None:
    world = Watched(storm)
    for op, number in history:
        act(world, op, number)
    settle(world)
    opened = set()
    for call in world.vendors.calls:
        if call.kind == "close":
            assert (call.address, call.dedup_key) in opened
        opened.add((call.address, call.dedup_key))


@QUICK
@given(histories(PLAIN), st.sampled_from([1, 2]))
@example(LONG, 2)
def test_p0_is_never_rolled_up_and_a_rollup_ends_once_it_speaks_for_nothing(history: list[Op], storm: int) -> None:
    world = Watched(storm)
    for op, number in history:
        act(world, op, number)
        for entry in world.state.entries.values():
            assert entry.rolled is None or entry.severity != "P0" or entry.want is not None
            assert entry.rolled is None or world.state.incidents[entry.rolled].live
        for incident in world.state.incidents.values():
            if incident.rollup is not None and incident.live:
                assert world.state.storms[incident.rollup.reach.address].waiting


def drive(history: list[Op], *, every: int | None) -> list[tuple[str, str]]:
    """The rings of a history, with steps at due times only or also at a rate."""
    world = Watched(2)
    for op, number in history:
        if op == "wait":
            _pass(world, world.now + (MINUTE, 7 * MINUTE, 3 * WINDOW)[number % 3], every=every)
        else:
            act(world, op, number)
        world.send()
    return world.vendors.rings


def _pass(world: World, until: int, *, every: int | None) -> None:
    while world.now < until:
        stops = [until, next_due(world.state) or until, until if every is None else world.now + every]
        world.give(Tick(), min(max(stop, world.now + 1) for stop in stops))
        world.send()


@settings(QUICK, max_examples=8)
@given(histories(("apart", "apart", "apart", "well", "wait", "wait"), 16))
@example([*BURST, ("wait", 0), ("wait", 2), ("wait", 2), ("wait", 1)])
def test_15_how_often_anybody_ticks_makes_no_difference(history: list[Op]) -> None:
    assert drive(history, every=None) == drive(history, every=47_000)
