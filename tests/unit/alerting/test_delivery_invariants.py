"""The invariants 10 to 17 (reference/incidents.md, section 3): what receivers are told, and when."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.inputs import Tick
from alerting.step import next_due, step
from schemas.actions import Acknowledge
from schemas.findings import SEVERITIES
from tests.unit.alerting.histories import QUIET, SCHEDULES, Op, histories, play
from tests.unit.alerting.world import DAY, HOUR, MINUTE, SECOND, T0, World, policy, progress, route

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
WALKS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20)


@QUICK
@given(WALKS, st.integers(0, 10**6))
def test_10_make_before_break_there_is_no_instant_with_nobody_told(walk: list[tuple[int, int, int]], seed: int) -> None:
    rng, world, told = random.Random(seed), World(), False
    for number, (severity, length, sends) in enumerate(walk):
        world.fire("a/w0", severity=SEVERITIES[severity], onset=(T0 - HOUR, T0), rev=(world.now, number))
        for _ in range(sends):
            world.send(1, rng=rng)
            told = told or bool(world.vendors.still_open())
            assert bool(world.vendors.still_open()) == told
        world.wait((SECOND, 31 * SECOND, 12 * MINUTE, 2 * HOUR)[length])
        assert bool(world.vendors.still_open()) == told
    world.send()
    assert 1 <= len({address for address, _ in world.vendors.still_open()}) <= 2 or not told


def test_10_a_new_generation_is_confirmed_before_the_old_one_is_resolved() -> None:
    world = World(policy(route(receiver="oncall", routes=())))
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    world.fire("a/w0", severity="P0")
    world.send()
    name = world.incident()
    pages = [(call.kind, call.dedup_key) for call in world.vendors.calls if call.receiver_kind == "pagerduty"]
    assert pages == [("open", f"{name}:1"), ("open", f"{name}:2"), ("close", f"{name}:1")]
    assert world.vendors.open_at("pagerduty:key") == {f"{name}:2"}


def test_11_a_worsening_into_a_paging_tier_rings_although_it_is_acknowledged() -> None:
    world = World(policy(route(receiver="oncall", routes=())))
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    world.give(Acknowledge(incident=world.incident(), by="ann", at=world.now))
    world.send()
    rings = len(world.vendors.rings)
    world.fire("a/w1", severity="P0", onset=(T0 - HOUR, T0))
    world.send()
    assert world.vendors.rings[rings:] == [("pagerduty:key", f"{world.incident()}:2")]
    slack = [call for call in world.vendors.calls if call.receiver_kind == "slack"][-1]
    assert (slack.kind, slack.why) == ("update", "was P1, is P0")


@QUICK
@given(histories(("fire", "clear", "silence", "wait", "wait"), 25))
@example(SCHEDULES[0])
@example(SCHEDULES[1])
def test_12_a_close_passes_every_mute_at_once(history: list[Op]) -> None:
    world = World()
    for op, number in history:
        play(world, op, number)
        world.send()
        told = {key.split(":")[0] for _, key in world.vendors.still_open()}
        assert all(world.state.incidents[name].live for name in told)


@QUICK
@given(histories(("silence", "expire", "wait", "wobble", "wobble"), 25))
def test_13_mutes_wobble_inside_the_hold_and_waiting_ring_nobody(history: list[Op]) -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    before = list(world.vendors.rings)
    for op, number in history:
        if op == "wobble":
            world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
            world.wait(2 * MINUTE)
            world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
        else:
            play(world, op, number)
        world.send()
    assert world.vendors.rings == before


@QUICK
@given(histories(("fire", "fire", "clear", "wait", "wait", "send"), 25))
def test_13_rings_are_at_most_openings_worsenings_and_returns(history: list[Op]) -> None:
    """Without acks, silences and other configurations an address rings once, and again only for worse or a new routing."""
    world = World()
    for op, number in history:
        play(world, op, number)
    world.wait(HOUR)
    world.send()
    for entry in world.state.entries.values():
        incident = world.state.incidents[entry.incident]
        rings = [
            ring for ring in world.vendors.rings if ring[0] == entry.address and ring[1].startswith(entry.incident)
        ]
        # An address is left only when its severity has been better for a hold, so it returns only by a worsening.
        assert len(rings) <= 1 + len(incident.worsenings) + sum(
            m.worsened is not None for m in incident.members.values()
        ) + (incident.outlived is not None) + sum("P" in line.text and "→" in line.text for line in incident.lines)


def outliving(*, also_clears: bool) -> World:
    """A feature recovers; its model, judged over a day, fires on."""
    world = World(policy(route(receiver="oncall", routes=())))
    world.fire("a/w0", severity="P1", kind="stale", onset=(T0 - HOUR, T0))
    world.fire("a", severity="P1", onset=(T0 - HOUR, T0), memory=DAY)
    world.wait(HOUR)
    world.send()
    world.give(Acknowledge(incident=world.incident(), by="ann", at=world.now))
    world.clear("a/w0")
    for number in range(60):
        if also_clears and number == 20:
            world.clear("a")
        world.wait(HOUR)
        world.send()
        if number < 23:
            assert len(world.vendors.rings) == 2
    return world


def test_14_what_outlives_its_cause_rings_once_and_only_after_its_memory() -> None:
    world = outliving(also_clears=False)
    assert world.vendors.rings[2:] == [("pagerduty:key", f"{world.incident()}:2")]
    assert world.vendors.notes == [("slack:#p0", "still open although its likely cause recovered")]
    assert world.state.incidents[world.incident()].acknowledged is None


def test_14_what_recovers_within_its_memory_never_rings_again() -> None:
    world = outliving(also_clears=True)
    assert (len(world.vendors.rings), world.vendors.still_open()) == (2, set())


def drive(history: list[Op], every: int | None) -> tuple[list[tuple[str, str]], list[tuple[str, str, int | None]]]:
    """Rings and ends of a history, with ticks at due times only or also at a rate."""
    world = World(policy(route(repeat_interval_ms=HOUR)))
    for op, number in history:
        if op != "wait":
            play(world, op, number)
        else:
            _pass(world, (SECOND, 31 * SECOND, 5 * MINUTE, HOUR // 2, 3 * HOUR)[number % 5], every)
        world.send()
    _pass(world, DAY, every and 10 * MINUTE)
    ends = sorted((i.id, str(i.state), i.ended) for i in world.state.incidents.values())
    return [*world.vendors.rings, *world.vendors.notes], ends


def _pass(world: World, length: int, every: int | None) -> None:
    until = world.now + length
    while world.now < until:
        stops = [until, next_due(world.state) or until, world.now + every if every else until]
        world.give(Tick(), min(max(stop, world.now + 1) for stop in stops))
        world.send()
    for model in "abc":
        world.give(progress(model, until), until)


@settings(QUICK, max_examples=40)
@given(histories(("fire", "fire", "clear", "silence", "ack", "wait", "wait"), 12))
@example([("fire", 16), ("wait", 1), ("silence", 16 + 32 * 600), ("clear", 0), ("wait", 4), ("fire", 16), ("wait", 4)])
def test_15_how_often_anybody_ticks_makes_no_difference(history: list[Op]) -> None:
    assert drive(history, None) == drive(history, 47 * SECOND)


@QUICK
@given(histories(QUIET))
def test_15_overdue_timers_fire_at_their_own_times(history: list[Op]) -> None:
    """One late step leaves the same state as a step at each due time."""
    world = World()
    for op, number in history:
        play(world, op, number)
    late = world.now + 3 * DAY
    by_and_by = world.state
    due = next_due(by_and_by)
    while due is not None and due <= late:
        by_and_by = step(by_and_by, Tick(), due)
        due = next_due(by_and_by)
    assert step(world.state, Tick(), late) == step(by_and_by, Tick(), late)


@QUICK
@given(histories())
def test_16_the_stated_reason_is_true(history: list[Op]) -> None:
    world = World()
    for op, number in history:
        play(world, op, number)
        for incident in world.state.incidents.values():
            states = [member.state for member in incident.members.values()]
            match incident.reason:
                case "recovered" | "removed":
                    assert set(states) == {"clear"}
                case "no_data":
                    assert "blind" in states
                    assert "firing" not in states
                case "operator":
                    assert op == "resolve" or any("resolved by" in line.text for line in incident.lines)


@QUICK
@given(st.sampled_from(["before", "after"]), st.booleans())
def test_17_after_a_take_over_an_entry_in_doubt_is_asserted_again(moment: str, search: bool) -> None:
    world = World(search=search)
    world.fire("a/w0", severity="P0")
    world.send(1, crash=moment)
    [again] = [call for call in world.todo() if call.doubt]
    assert (again.kind, again.generation) == ("open", 1)
    world.send()
    assert {key for _, key in world.vendors.still_open()} == {f"{world.incident()}:1"}
