"""Event time that stands still is said: of whom it waits, after half a minute, once, and others at most once a minute."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.config import Generation, InForce
from schemas.findings import Progress
from schemas.monitored import ServingMonitor
from stream.incidents.awaited import Awaited, announced, unheard
from stream.incidents.inbox import Arrival, EventInbox, Pair
from stream.incidents.live_inbox import LiveInbox
from stream.incidents.owner import Owner
from stream.incidents.tally import OwnerTally
from tests.support import models
from tests.support.incident_owner import finding

PAIRS = [("m", "predictions"), ("n", "predictions"), ("o", "serving")]


@dataclass
class Scene:
    """An inbox that is looked at when the test says that it is so late."""

    inbox: Any = field(default_factory=lambda: EventInbox({"findings": 0}, announced=PAIRS, marks={}))
    tally: OwnerTally = field(default_factory=OwnerTally)
    now_s: float = 1000.0
    offset: int = 0

    def __post_init__(self) -> None:
        owner = SimpleNamespace(tenure=SimpleNamespace(inbox=self.inbox), tally=self.tally)
        self.awaited = Awaited(cast(Owner, owner), monotonic=lambda: self.now_s)

    def add(self, message: Any) -> None:
        self.inbox.add(Arrival("findings", 0, self.offset, message))
        self.offset += 1

    def mark(self, model: str, at: int, stream: str = "predictions") -> None:
        self.add(Progress(model=model, stream=stream, at=at, seen=at))

    def look(self, after_s: float) -> int:
        self.now_s += after_s
        asyncio.run(self.awaited.run())
        return self.tally.awaited


def test_it_is_said_after_half_a_minute_and_once(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.add(finding())
    scene.mark("m", finding().at)
    assert [scene.look(after_s) for after_s in (0, 29.9, 0.1, 500)] == [0, 0, 2, 2]
    assert caplog.messages == [
        "event time waits for predictions of n, serving of o, and 1 findings with it: send their events to the end, or take the "
        "models out of the monitors file"
    ]


def test_others_are_said_too_but_not_within_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.add(finding())
    scene.mark("m", 1)
    assert [scene.look(0), scene.look(30)] == [0, 2]
    scene.mark("n", 2)
    assert [scene.look(0), scene.look(30), scene.look(29)] == [0, 1, 1]
    assert len(caplog.messages) == 1
    assert scene.look(1) == 1
    assert [message.partition(", and")[0] for message in caplog.messages] == [
        "event time waits for predictions of n, serving of o", "event time waits for serving of o",
    ]  # fmt: skip


def test_time_that_moves_however_slowly_waits_for_nobody(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.add(finding())
    for at in range(20):
        for model, stream in PAIRS:
            scene.mark(model, at, stream)
        assert scene.look(29) == 0
    assert caplog.messages == []


@pytest.mark.parametrize("inbox", [LiveInbox({"findings": 0}), EventInbox({"findings": 0}, announced=PAIRS, marks={})])
def test_live_and_where_nothing_is_held_back_nobody_is_awaited(inbox: Any, caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(inbox)
    if isinstance(inbox, LiveInbox):
        scene.add(finding())
    assert [scene.look(0), scene.look(100)] == [0, 0]
    assert caplog.messages == []


@pytest.mark.parametrize(("hosts", "more"), [((), []), (("n7",), [("gpus", "serving")])])
def test_gpus_are_waited_for_where_a_model_is_served_on_some(hosts: tuple[str, ...], more: list[Pair]) -> None:
    served = models.monitor().model_copy(update={"serving": ServingMonitor(stream="serving", gpus=hosts)})
    force = {"m": InForce(reference="0" * 64, monitor=served)}
    generation = Generation(number=1, applied_ms=1, file_sha256="0" * 64, models=force)
    assert announced(generation) == [("m", "predictions"), ("m", "serving"), *more]
    assert unheard(generation, ["m\x1fpredictions", "m\x1fserving"]) == more
