"""An incident owner in this process, without Kafka's consumer: fed by the test, with its turns on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec
import redis.asyncio as redis_async

from alerting.deliveries import Call, Message, Receipt, ReceiverKind
from alerting.lineage import Lineage
from alerting.policy import Address, Policy, Timings
from alerting.records import restored
from alerting.register import entries, plan
from schemas import findings
from schemas.actions import Action
from schemas.findings import Finding, Onset
from schemas.monitored import FeatureMonitor, ModelMonitor, RouteMonitor, SourceMonitor
from schemas.names import Names
from stream.incidents.inbox import Arrival, EventInbox
from stream.incidents.live_inbox import LiveInbox
from stream.incidents.owner import Owner
from stream.incidents.senders import Senders
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.incidents.tenure import Tenure
from stream.state.patience import Patience

HOUR = 3_600_000
DAY = 24 * HOUR
#: Event times of findings: not long ago on no clock but the test's.
T0 = 1_357_000_000_000 // DAY * DAY
MODEL = ModelMonitor(
    pane_ms=HOUR, windows={"day": DAY}, step_ms=HOUR, lateness_ms=0, revise_within_ms=DAY, reference="m.json",
    features={name: FeatureMonitor(type="numeric", source="weather") for name in ("temp", "dewp")},
)  # fmt: skip
ROUTE = RouteMonitor(
    receiver="team", open_wait_ms=0, routes=(RouteMonitor(match=('severity="P0"',), receiver="pager", open_wait_ms=0),)
)
POLICY = Policy.of(
    Lineage.of({"m": MODEL}, {"weather": SourceMonitor()}), ROUTE,
    {"team": (Address("slack:#ml", "slack"),), "pager": (Address("pagerduty:1", "pagerduty"), Address("slack:#ml", "slack"))},
    timings=Timings(late_after=100 * 365 * DAY),  # or findings of 2013 would be years late
)  # fmt: skip


def finding(
    feature: str = "temp", *, hours: int = 0, state: str = "firing", severity: str = "P1", onset_hours: int = 0
) -> Finding:
    """A verdict about a feature of the model ``m``; its onset is the hour before ``T0``, or before that many hours later."""
    at, onset = T0 + hours * HOUR, T0 + onset_hours * HOUR
    made = Finding(
        key=findings.finding_key("psi", f"m/{feature}", window="day"), rev=(at, 0), state="firing", model="m", rule="psi",
        kind="drift", subject=f"feature:m/{feature}", severity="P1", at=at, seen=at, onset=Onset(onset - HOUR, onset),
        memory=0, feature=feature, source="weather", window="day", value=0.4, threshold=0.25, n=1000,
    )  # fmt: skip
    changed: Finding = msgspec.structs.replace(made, state=state, severity=severity)
    return changed


@dataclass
class FakeReceiver:
    """Takes every call, unless a test says otherwise: ``receipts`` are given first; it hangs while it is not ``free``.

    ``pause_s`` is how long each answer takes.
    """

    address: str
    kind: ReceiverKind
    calls: list[tuple[Call, Message]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    pause_s: float = 0.0

    def __post_init__(self) -> None:
        self.free.set()

    def registered(self, call: Call, message: Message) -> str | None:
        return None

    def deliver(self, call: Call, message: Message) -> Receipt:
        self.calls.append((call, message))
        self.free.wait(30)
        time.sleep(self.pause_s)
        if self.receipts:
            return self.receipts.pop(0)
        return Receipt("ok", thread=f"ts-{len(self.calls)}" if self.kind == "slack" and call.kind == "open" else None)

    @property
    def kinds(self) -> list[str]:
        return [call.kind for call, _ in self.calls]


class NoBudget:
    """Every request may be made at once."""

    async def seconds_until(self, call: Call) -> float:
        return 0.0


@dataclass
class Running:
    """An owner with its tasks; ``feed`` hands it findings and actions at the next offsets."""

    owner: Owner
    senders: Senders
    receivers: dict[str, FakeReceiver]
    offsets: dict[str, int]

    @property
    def tenure(self) -> Tenure:
        assert self.owner.tenure is not None
        return self.owner.tenure

    def feed(self, *messages: Finding | findings.Progress | Action) -> None:
        for message in messages:
            topic = "findings" if isinstance(message, Finding | findings.Progress) else "actions"
            self.owner.add([Arrival(topic, 0, self.offsets[topic], message)])
            self.offsets[topic] += 1

    async def until(self, reached: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(timeout_s):
            while not reached():
                await asyncio.sleep(0.005)


def two_receivers() -> dict[str, FakeReceiver]:
    return {"slack:#ml": FakeReceiver("slack:#ml", "slack"), "pagerduty:1": FakeReceiver("pagerduty:1", "pagerduty")}


@contextlib.asynccontextmanager
async def running(
    url: str,
    names: Names,
    *,
    receivers: dict[str, FakeReceiver] | None = None,
    event_time: bool = False,
    in_doubt_s: float = 0.0,
) -> AsyncIterator[Running]:
    """An owner that has taken over what is stored, with its tasks running."""
    async with redis_async.Redis.from_url(url) as redis:
        store = IncidentStore(redis, names, clock="event" if event_time else "live")
        owner = Owner(store, lock_step=event_time, patience=Patience(), tally=OwnerTally())
        found = receivers if receivers is not None else two_receivers()
        senders = Senders(owner, NoBudget(), receivers=lambda: found, in_doubt_s=in_doubt_s)
        offsets = await take(owner)
        tasks = [asyncio.create_task(_for_ever(work)) for work in (owner.run, senders.run)]
        try:
            yield Running(owner, senders, found, offsets)
        finally:
            while not all(task.done() for task in tasks):
                for task in tasks:
                    task.cancel()  # again and again: ``wait_for`` of Python 3.11, in a library, may swallow one
                await asyncio.wait(tasks, timeout=0.1)
            for receiver in found.values():
                if isinstance(receiver, FakeReceiver):
                    receiver.free.set()
            senders.stop()
            for task in tasks:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    raise task.exception()  # type: ignore[misc]


async def take(owner: Owner) -> dict[str, int]:
    """Become the owner, as an assignment does."""
    begun = await owner.store.take(topics=("findings", "actions"), owner="test:1")
    offsets = {name: stored.next_offset or 0 for name, stored in begun.inputs.items()}
    await owner.store.place(begun.epoch, offsets=offsets, topic_ids={})
    state = restored(begun.records, replace(POLICY, clock="event" if owner.lock_step else "live"))
    calls = [plan(state, entry.id, state.now) for entry in entries(state)]
    inbox = (
        EventInbox(offsets, announced=[("m", "predictions")], marks=begun.marks)
        if owner.lock_step
        else LiveInbox(offsets)
    )
    loop_now = asyncio.get_running_loop().time()
    owner.begin(
        Tenure(
            begun.epoch,
            begun.turn,
            state,
            state.now,
            inbox,
            dict(offsets),
            loop_now,
            doubtful={call.entry for call in calls if call and call.doubt},
            marks=dict(begun.marks),
        )
    )
    return offsets


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
