"""The invariants 1 to 9 of the algorithm (reference/incidents.md, section 3), over random histories."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.incident import Incident
from alerting.records import restored
from alerting.register import entries
from alerting.state import State
from schemas.actions import Acknowledge
from tests.unit.alerting.histories import QUIET, SCHEDULES, Op, histories, play, settle
from tests.unit.alerting.world import DAY, HOUR, MINUTE, MODELS, T0, TICKETS, WEATHER, World, finding

SEEDS = st.integers(0, 10**9)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def fault(rng: random.Random, begun: int, subjects: list[str]) -> list[tuple[int, str, tuple[int, int]]]:
    """One fault as rules see it: (detected, subject, onset); every onset holds the truth, detection is slow and unordered."""
    seen = []
    for subject in subjects:
        true = begun + rng.randrange(HOUR if "/" not in subject else 10 * MINUTE)
        width = rng.randrange(MINUTE, 20 * MINUTE)
        onset = (true - rng.randrange(2 * width), true + rng.randrange(2 * width))
        seen.append((max(onset[1], true) + int(rng.expovariate(1 / (2 * HOUR))), subject, onset))
    return sorted(seen)


@QUICK
@given(SEEDS)
def test_1_one_fault_is_one_incident_and_one_page_whatever_the_order_of_detection(seed: int) -> None:
    rng, world = random.Random(seed), World()
    subjects = [f"{model}/{feature}" for model in MODELS for feature in WEATHER]
    rng.shuffle(subjects)
    for at, subject, onset in fault(rng, T0, subjects[: rng.randint(1, len(subjects))]):
        world.fire(subject, at, onset=onset)
        world.send()
    world.wait(HOUR)
    world.send()
    assert len(world.state.incidents) == 1
    assert world.vendors.rings == [("slack:#p2", f"{world.incident()}:1")]


@QUICK
@given(SEEDS)
def test_2_disjoint_feeds_never_join_though_they_share_a_model(seed: int) -> None:
    rng, world = random.Random(seed), World()
    begun = T0 + rng.randrange(HOUR)
    weather = fault(rng, T0, [f"{model}/{feature}" for model in "bc" for feature in WEATHER])
    tickets = fault(rng, begun, [f"{model}/{feature}" for model in "bc" for feature in TICKETS])
    models = [(T0 + 2 * HOUR + rng.randrange(3 * HOUR), model, (T0 - MINUTE, T0 + HOUR)) for model in "bc"]
    for at, subject, onset in sorted([*weather, *tickets, *models]):
        world.fire(subject, at, onset=onset, severity="P2" if "/" in subject else "P1")
    feeds = [{m.finding.source or "" for m in i.members.values()} - {""} for i in world.state.incidents.values()]
    assert sorted(sorted(feed) for feed in feeds) == [["tickets"], ["weather"]]


@QUICK
@given(SEEDS)
def test_3_a_p1_whose_onset_does_not_fit_is_never_swallowed(seed: int) -> None:
    rng, world = random.Random(seed), World()
    for number in range(5):
        world.fire(f"a/w{number}", T0 + number * MINUTE, onset=(T0 - HOUR, T0), severity=rng.choice(["P1", "P2"]))
    world.wait(HOUR)
    world.send()
    world.give(Acknowledge(incident=world.incident(), by="x", at=world.now))
    later = T0 + rng.randrange(2, 20) * DAY
    rings = len(world.vendors.rings)
    world.reach(later)
    world.fire("a/w5", severity=rng.choice(["P0", "P1"]), kind="missing", onset=(later - 2 * MINUTE, later))
    world.wait(MINUTE)
    world.send()
    assert len(world.state.incidents) == 2
    assert len(world.vendors.rings) > rings


def test_3_a_mild_one_is_an_update_of_the_old_incident() -> None:
    world = World()
    for number in range(3):
        world.fire(f"a/w{number}", T0 + number * MINUTE, onset=(T0 - HOUR, T0))
    world.reach(T0 + 14 * DAY)
    world.fire("b/w5", onset=(world.now - MINUTE, world.now))
    assert [m.joined_by for m in world.state.incidents[world.incident()].members.values()][-1] == "continuation"


def homes(state: State) -> dict[tuple[str, str], str]:
    """The incident of every finding that has one."""
    keys = ((model, key, known.home) for model, heard in state.models.items() for key, known in heard.keys.items())
    return {(model, key): home for model, key, home in keys if home is not None}


def shrinks(before: Incident, after: Incident) -> bool:
    """Every candidate was one before, in an interval at least as wide."""
    return all(
        node in before.anchor and before.anchor[node][0] <= lo <= hi <= before.anchor[node][1]
        for node, (lo, hi) in after.anchor.items()
    )


def check_step(before: State, after: State) -> None:
    """What has to hold between any state and the next."""
    now_homes = homes(after)
    for place, home in homes(before).items():
        member = before.incidents[home].members[place[1]]
        # 4: while it fires, a finding stays at home for as long as its incident lives.
        if member.active and after.incidents[home].live and after.incidents[home].members[place[1]].active:
            assert now_homes[place] == home
    for home in now_homes.values():
        assert after.incidents[home].live
    for entry in after.entries.values():  # 5: ended means nothing wanted.
        assert after.incidents[entry.incident].live or entry.want is None
    for name, incident in after.incidents.items():  # 7: the anchor only shrinks.
        assert name not in before.incidents or shrinks(before.incidents[name], incident)
        assert incident.live or incident.reason is not None


def run(world: World, history: list[Op]) -> int:
    """Play a history, check every step, and count the crashes."""
    crashes = 0
    for op, number in history:
        before = world.state
        play(world, op, number)
        check_step(before, world.state)
        assert restored(world.records, world.state.policy) == world.state
        crashes += op == "crash"
    return crashes


@settings(QUICK, max_examples=120)
@given(histories(), st.booleans())
@example(SCHEDULES[0], True)
@example(SCHEDULES[1], True)
@example(SCHEDULES[2], False)
@example(SCHEDULES[3], True)
@example(SCHEDULES[4], True)
def test_4_5_7_9_homes_hold_the_ended_want_nothing_anchors_shrink_and_everything_closes(
    history: list[Op], search: bool
) -> None:
    world = World(search=search)
    crashes = run(world, history)
    settle(world)
    assert world.vendors.still_open() == set()
    assert not any(incident.live for incident in world.state.incidents.values())
    assert list(entries(world.state)) == []
    pages = [ring for ring in world.vendors.rings if ring[0].startswith("pagerduty")]
    posts = [ring for ring in world.vendors.rings if not ring[0].startswith("pagerduty")]
    assert len(pages) == len(set(pages))
    resolves = Counter(c.dedup_key for c in world.vendors.calls if (c.kind, c.receiver_kind) == ("close", "pagerduty"))
    assert max(resolves.values(), default=2) <= 2 + crashes
    assert len(posts) - len(set(posts)) <= (0 if search else crashes)


@settings(QUICK, max_examples=80)
@given(histories(QUIET))
def test_6_whom_a_finding_would_reach_alone_is_told_of_its_incident(history: list[Op]) -> None:
    world = World()
    for op, number in history:
        play(world, op, number)
    world.wait(30_000)
    world.send()
    for incident in world.state.incidents.values():
        open_at = {address for address, key in world.vendors.still_open() if key.startswith(incident.id)}
        for member in incident.members.values() if incident.firing and incident.live else ():
            if member.active and member.silenced is None:
                assert {reach.address for reach in member.reach} <= open_at


@settings(QUICK, max_examples=60)
@given(histories(("fire", "fire", "clear", "blind", "wait")))
def test_8_the_replay_of_any_prefix_changes_nothing(history: list[Op]) -> None:
    world = World()
    for op, number in history:
        play(world, op, number)
    before = world.state
    for given_, _ in list(world.given):
        world.give(given_)
    assert world.state == before


def test_8_the_same_findings_give_the_same_ids_and_the_seed_decides() -> None:
    def ids(at: int) -> list[str]:
        world = World()
        world.give(finding("a/w0", at), at)
        return list(world.state.incidents)

    assert ids(T0) == ids(T0) == ["inc-" + ids(T0)[0][4:]]
    assert ids(T0) != ids(T0 + MINUTE)
