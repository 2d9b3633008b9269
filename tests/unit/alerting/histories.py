"""Random histories for the incident core, weighted towards the rare paths, and the schedules that reach them for sure."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st

from alerting.inputs import Configure
from schemas.actions import Acknowledge, AddSilence, ExpireSilence, Matcher, Resolve
from schemas.findings import SEVERITIES
from schemas.monitored import RouteMonitor
from tests.unit.alerting.world import HOUR, MINUTE, P1, P2, PD, RECEIVERS, SECOND, World, policy, route

KEYS = ("a/w0", "a/w1", "b/w0", "b/w1", "b/t0", "c/w0", "c/t0", "a", "b")
STEPS = (SECOND, 31 * SECOND, 5 * MINUTE, HOUR // 2, 6 * HOUR)
Op = tuple[str, int]

OPS = ("fire", "fire", "fire", "clear", "clear", "blind", "gone", "silence", "expire", "ack", "resolve", "configure",
       "wait", "wait", "wait", "send", "send", "crash")  # fmt: skip
#: Without crashes and other configurations, for what holds only while nobody touches the routes.
QUIET = ("fire", "fire", "clear", "silence", "expire", "ack", "wait", "wait", "wait", "send")


def histories(ops: tuple[str, ...] = OPS, size: int = 30) -> st.SearchStrategy[list[Op]]:
    """Lists of (operation, number); the number chooses everything else."""
    return st.lists(st.tuples(st.sampled_from(ops), st.integers(0, 10**6)), min_size=3, max_size=size)


#: Wait, silence, clear, end: silenced before anybody was told, and after; and what ends inside a silence.
SCHEDULES: tuple[list[Op], ...] = (
    [("fire", 16), ("wait", 1), ("send", 0), ("silence", 0), ("clear", 0), ("wait", 3), ("wait", 3), ("send", 0)],
    [("fire", 16), ("silence", 0), ("wait", 1), ("send", 0), ("clear", 0), ("wait", 4), ("send", 0)],
    [("fire", 16), ("wait", 1), ("crash", 1), ("clear", 0), ("wait", 4), ("crash", 0), ("send", 0)],
    [("fire", 0), ("send", 0), ("ack", 0), ("configure", 1), ("send", 0), ("clear", 0), ("wait", 4), ("send", 0)],
    [("fire", 16), ("wait", 1), ("send", 0), ("fire", 0), ("send", 0), ("resolve", 0), ("fire", 0), ("wait", 4)],
)

CONFIGURATIONS: tuple[Callable[[], Configure], ...] = (
    lambda: Configure(policy()),
    lambda: Configure(policy(receivers=RECEIVERS | {"oncall": (P2, P1), "team": (PD,)})),
    lambda: Configure(policy(RouteMonitor(receiver="team", open_wait_ms=0))),
    lambda: Configure(policy(route(repeat_interval_ms=HOUR))),
    lambda: Configure(policy(receivers={"console": ()})),
)


def play(world: World, op: str, number: int) -> None:
    """Do one operation."""
    key = KEYS[number % len(KEYS)]
    rng = random.Random(number)
    match op:
        case "fire":
            severity = SEVERITIES[(number >> 4) % 4]
            lo = world.now - (number >> 6) % (2 * HOUR) - MINUTE
            world.fire(key, severity=severity, onset=(lo, world.now), rev=(world.now, rank(world)))
        case "clear" | "blind" | "gone":
            state = {"clear": "ok", "blind": "no_data", "gone": "removed"}[op]
            world.fire(key, state=state, rev=(world.now, rank(world)))
        case "silence":
            ends = world.now + (number >> 5) % (3 * HOUR) + SECOND
            matchers = (Matcher("model", "=~", "[abc]"), Matcher("model", "=", key[0]))[(number >> 4) & 1]
            name = str(number % 3)
            world.give(
                AddSilence(silence=name, matchers=(matchers,), starts=world.now, ends=ends, by="x", at=world.now)
            )
        case "expire":
            world.give(ExpireSilence(silence=str(number % 3), by="x", at=world.now))
        case "ack" | "resolve":
            names = sorted(world.state.incidents) or ["none"]
            kind = Acknowledge if op == "ack" else Resolve
            world.give(kind(incident=names[number % len(names)], by="x", at=world.now))
        case "configure":
            world.give(CONFIGURATIONS[number % len(CONFIGURATIONS)]())
        case "wait":
            world.wait(STEPS[number % len(STEPS)])
        case "send":
            world.send(1 + number % 4, rng=rng)
        case "crash":
            world.send(1, rng=rng, crash=("before", "after")[number & 1])


def rank(world: World) -> int:
    """Revisions of one history only grow."""
    return len(world.given)


def settle(world: World) -> None:
    """Everything is well again, time passes, and the senders finish."""
    for key in KEYS:
        world.fire(key, state="ok", rev=(world.now, rank(world)))
    for _ in range(4):
        world.wait(24 * HOUR)
        world.send()
