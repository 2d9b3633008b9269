"""What is open at an Alertmanager is posted again every five minutes: it remembers nothing over a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alerting.deliveries import Call, Receipt
from alerting.document import rendered
from alerting.inputs import Began, Failed
from alerting.messages.place import Place
from alerting.policy import Address
from alerting.receivers.alertmanager import Alertmanager
from tests.unit.alerting.world import MINUTE, T0, World, policy, route

MANAGER = Address("alertmanager:am:9093", "alertmanager")
POLICY = policy(route(receiver="prom", routes=(), open_wait_ms=0), {"prom": (MANAGER,)})


class Posting(World):
    """A world whose calls go to an Alertmanager: ``firing`` tells which alerts are open there, each by its model and severity."""

    def __init__(self, way: Any) -> None:
        super().__init__(policy(way, {"prom": (MANAGER,)}))
        self.firing: set[tuple[str, str]] = set()
        self.lost = False  # what comes is taken, and not answered
        place = Place("prod", "http://console:8789", "docs/runbooks")
        self.receiver = Alertmanager("http://am:9093", None, key="url", place=place, clock="live", now=self._now)
        setattr(self.receiver, "_post", self._posted)  # noqa: B010

    def _now(self) -> float:
        return self.now / 1000

    def _posted(self, alerts: list[dict[str, Any]], token: str) -> None:
        for alert in alerts:
            known = alert["labels"]["model"], alert["labels"]["driftline_severity"]
            (self.firing.add if alert["endsAt"][:10] > alert["startsAt"][:10] else self.firing.discard)(known)
        if self.lost:
            raise TimeoutError

    def lose_one(self) -> None:
        """The next call arrives, and its answer does not."""
        [call] = self.todo()
        self.lost = True
        self.give(Began(call.entry, call, self._registered(call)))
        self.give(Failed(call.entry, call, permanent=False, why=self._receipt(call).why))
        self.lost = False

    def _registered(self, call: Call) -> str | None:
        message = rendered(self.state, call, now=self.now)
        assert message is not None
        return self.receiver.registered(call, message)

    def _delivered(self, call: Call) -> tuple[str | None] | str:
        return (self._receipt(call).thread,)

    def _receipt(self, call: Call) -> Receipt:
        message = rendered(self.state, call, now=self.now)
        assert message is not None
        receipt = self.receiver.deliver(call, message)
        assert receipt.outcome == ("retry" if self.lost else "ok")
        return receipt


def test_what_is_open_is_posted_again_and_what_is_over_is_not() -> None:
    world = World(POLICY)
    world.fire("a/w0", severity="P1")
    world.send()
    world.reach(T0 + 5 * MINUTE - 1, models=())
    assert world.todo() == []
    for minutes in (5, 10, 15):
        world.reach(T0 + minutes * MINUTE, models=())
        [call] = world.todo()
        assert (call.kind, call.generation) == ("update", 1)
        world.send()
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.send()
    assert world.vendors.kinds(MANAGER.name)[-1] == "close"
    world.wait(60 * MINUTE)
    assert world.todo() == []


def test_in_a_replay_nothing_is_posted_again() -> None:
    world = World(replace(POLICY, clock="event"))
    world.fire("a/w0", severity="P1")
    world.send()
    world.reach(T0 + 60 * MINUTE, models=())
    assert world.todo() == []


def sent(world: Posting, how: str) -> None:
    """One call, that is answered, or whose answer is lost, or after which the owner is killed."""
    if how == "lost":
        world.lose_one()
    else:
        world.send(crash="after" if how == "killed" else None)


@pytest.mark.parametrize("how", ["answered", "lost", "killed"])
def test_what_a_remark_posted_is_ended_with_the_rest(how: str) -> None:
    """It carries the alert as it is by then: with the models that joined since it was shown last."""
    world = Posting(route(receiver="prom", routes=(), update_interval_ms=10 * MINUTE, repeat_interval_ms=6 * MINUTE))
    world.fire("b/w0")
    world.wait(MINUTE)
    world.send()
    world.wait(6 * MINUTE)
    world.fire("c/w1", onset=(T0 - 10 * MINUTE, T0))
    [remark] = world.todo()
    sent(world, how)
    assert (remark.kind, remark.why) == ("note", "still open")
    assert ("b, c", "P2") in world.firing
    [belief] = world.state.entries[remark.entry].believed.values()
    known = json.loads(belief.thread or "")
    assert len(known if isinstance(known, list) else [known]) == (1 if how == "answered" else 2)
    world.fire("a/w2", onset=(T0 - 10 * MINUTE, T0))
    world.wait(11 * MINUTE)
    world.send()
    assert world.firing == {("a, b, c", "P2")}
    for subject in ("b/w0", "c/w1", "a/w2"):
        world.clear(subject)
    world.wait(30 * MINUTE)
    world.send()
    assert world.firing == set()


@pytest.mark.parametrize("how", ["lost", "killed"])
@pytest.mark.parametrize("first", [True, False])
def test_what_may_have_been_posted_is_ended_whoever_sends_next(how: str, first: bool) -> None:
    """It is written down before it is posted: the one that posted it may never tell."""
    world = Posting(route(receiver="prom", routes=()))
    world.fire("b/w0")
    world.wait(MINUTE)
    if not first:
        world.send()
        world.fire("c/w1", onset=(T0 - 10 * MINUTE, T0))
        world.wait(10 * MINUTE)
    [call] = world.todo()
    assert call.kind == ("open" if first else "update")
    sent(world, how)
    assert world.firing == {("b", "P2") if first else ("b, c", "P2")}
    world.fire("a/w2", onset=(T0 - 10 * MINUTE, T0))
    world.wait(10 * MINUTE)
    world.send()
    assert world.firing == {("a, b", "P2") if first else ("a, b, c", "P2")}
    for subject in ("b/w0", "c/w1", "a/w2")[:: 2 if first else 1]:
        world.clear(subject)
    world.wait(30 * MINUTE)
    world.send()
    assert world.firing == set()
