"""A small world for the incident core: two feeds, three models, three receivers; and senders that can crash.

Times are ms; the owner's clock runs with event time unless a test says otherwise.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec

from alerting.deliveries import Call, Message
from alerting.document import rendered
from alerting.inputs import Began, Confirmed, Failed, Input, Tick
from alerting.lineage import Lineage
from alerting.policy import Address, Policy, Timings
from alerting.records import changed, restored
from alerting.register import calls
from alerting.state import State, new_state
from alerting.step import next_due, step
from schemas.findings import Finding, FindingState, Kind, Onset, Progress, Severity, finding_key
from schemas.monitored import FeatureMonitor, ModelMonitor, RouteMonitor, SourceMonitor
from tests.unit.alerting.vendors import Vendors

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
T0 = 100 * DAY
MODELS = ("a", "b", "c")
WEATHER = tuple(f"w{number}" for number in range(6))
TICKETS = tuple(f"t{number}" for number in range(4))
SOURCES = {
    "noaa": SourceMonitor(),
    "weather": SourceMonitor(upstream=("noaa",), owner="data"),
    "tickets": SourceMonitor(),
}

PD, P0, P1, P2 = (
    Address("pagerduty:key", "pagerduty"),
    Address("slack:#p0", "slack"),
    Address("slack:#p1", "slack"),
    Address("slack:#p2", "slack"),
)
RECEIVERS = {"console": (), "oncall": (PD, P0), "team": (P1,), "quiet": (P2,)}


def route(**said: Any) -> RouteMonitor:
    """A route by severity, as in the example file; ``said`` is the root's."""
    children = (
        RouteMonitor(match=('severity="P0"',), receiver="oncall", open_wait_ms=0),
        RouteMonitor(match=('severity="P1"',), receiver="team"),
        RouteMonitor(match=('severity="P2"',), receiver="quiet"),
    )
    return RouteMonitor(**({"receiver": "console", "open_wait_ms": 30 * SECOND, "routes": children} | said))


def monitor(features: dict[str, str]) -> ModelMonitor:
    """A model with features by their source."""
    shapes = {name: FeatureMonitor(type="numeric", source=source) for name, source in features.items()}
    return ModelMonitor(
        pane_ms=MINUTE, windows={"hour": HOUR}, step_ms=MINUTE, lateness_ms=MINUTE, revise_within_ms=DAY,
        reference=Path("r.json"), features=shapes,
    )  # fmt: skip


def lineage() -> Lineage:
    """Three models on two feeds; model a knows no tickets."""
    weather, tickets = dict.fromkeys(WEATHER, "weather"), dict.fromkeys(TICKETS, "tickets")
    return Lineage.of({name: monitor(weather if name == "a" else weather | tickets) for name in MODELS}, SOURCES)


LINEAGE = lineage()


def policy(
    way: RouteMonitor | None = None, receivers: dict[str, tuple[Address, ...]] | None = None, **timings: int
) -> Policy:
    """The policy of most tests."""
    receivers = RECEIVERS if receivers is None else receivers
    return Policy.of(LINEAGE, way or route(), receivers, timings=Timings(**timings))


def finding(
    subject: str,
    at: int,
    *,
    state: FindingState = "firing",
    severity: Severity = "P2",
    kind: Kind | None = None,
    onset: tuple[int, int] | None = None,
    **more: Any,
) -> Finding:
    """A finding on ``a/w0`` or on the model ``a``; seldom more than subject, time and severity matter."""
    model, _, feature = subject.partition("/")
    node = f"feature:{subject}" if feature else f"model:{model}"
    lo, hi = onset or (at - 10 * MINUTE, at)
    rule = more.pop("rule", "psi")
    fields: dict[str, Any] = {
        "rev": (at, 0),
        "seen": at,
        "key": finding_key(rule, node, window=more.get("window")),
        "feature": feature or None,
        "source": ("weather" if feature.startswith("w") else "tickets") if feature else None,
        "value": 0.4,
        "threshold": 0.25,
        "n": 1_000,
    }
    kind = kind or ("drift" if feature else "prediction_drift")
    return Finding(
        state=state, model=model, rule=rule, kind=kind, subject=node, severity=severity, at=at, onset=Onset(lo, hi),
        **(fields | more),
    )  # fmt: skip


def progress(model: str, at: int) -> Progress:
    """A model is judged up to ``at``."""
    return Progress(model=model, stream="predictions", at=at, seen=at)


class World:
    """A state, its records as Redis would hold them, vendors, and a clock."""

    def __init__(self, policy_: Policy | None = None, *, search: bool = True) -> None:
        self.policy = policy_ or policy()
        self.state: State = new_state(self.policy)
        self.now = T0
        self.vendors = Vendors(search=search)
        self.records: dict[str, bytes] = {}
        self.given: list[tuple[Input, int]] = []
        #: What digests said, by the channel.
        self.digests: list[tuple[str, Message]] = []

    def give(self, given: Input, at: int | None = None) -> State:
        """One input; its records are written as the owner would."""
        self.now = max(self.now, self.now if at is None else at)
        before, self.state = self.state, step(self.state, given, self.now)
        self.given.append((given, self.now))
        self.store(before)
        return self.state

    def store(self, before: State) -> None:
        """Write what has changed as the owner would."""
        for field, value in changed(before, self.state).items():
            if value is None:
                del self.records[field]
            else:
                self.records[field] = value

    def fire(self, subject: str, at: int | None = None, **more: Any) -> State:
        """A finding whose event time is the clock's."""
        at = self.now if at is None else at
        return self.give(finding(subject, at, **more), at)

    def clear(self, subject: str, at: int | None = None, **more: Any) -> State:
        """It is ok again."""
        return self.fire(subject, at, state="ok", **more)

    def reach(self, at: int, *, models: tuple[str, ...] = MODELS) -> State:
        """Time passes on both clocks, through every due time."""
        due = next_due(self.state)
        while due is not None and due < at:
            self.give(Tick(), due)
            due = next_due(self.state)
        self.give(Tick(), at)
        for model in models:
            self.give(progress(model, at), at)
        return self.state

    def wait(self, length: int) -> State:
        """The same, by a length."""
        return self.reach(self.now + length)

    def todo(self) -> list[Call]:
        """Every call that is planned now."""
        return calls(self.state, self.now)

    def send(self, limit: int = 500, *, rng: random.Random | None = None, crash: str | None = None) -> None:
        """Send until nothing is planned; ``crash``: die before or after the first call, and read the records again."""
        for _ in range(limit):
            calls = self.todo()
            if not calls:
                return
            call = calls[0] if rng is None else rng.choice(calls)
            self.give(Began(call.entry, call, self._registered(call)))
            answer = None if crash == "before" else self._delivered(call)
            if crash is not None:
                self.restart()
                return
            if isinstance(answer, str):
                secret = self.state.policy.secret_of(call.address)
                self.give(Failed(call.entry, call, permanent=True, why=answer, secret=secret))
            elif answer is not None:
                self.give(Confirmed(call.entry, call, thread=answer[0]))
        assert limit < 500, "the senders never come to rest"

    def _registered(self, call: Call) -> str | None:
        """What is stored of a call before it is made."""
        return None

    def _delivered(self, call: Call) -> tuple[str | None] | str:
        message = rendered(self.state, call, now=self.now)
        if call.kind == "digest" and message is not None:
            self.digests.append((call.address, message))
        return self.vendors.deliver(call)

    def restart(self) -> None:
        """The process died: what was stored is all that is left."""
        self.state = restored(self.records, self.state.policy)

    def incident(self) -> str:
        """The only incident's id."""
        [name] = self.state.incidents
        return name

    def incident_of(self, model: str) -> str:
        """The newest incident of a model."""
        return [incident.id for incident in self.state.incidents.values() if model in incident.models][-1]


def edited(found: Finding, **fields: Any) -> Finding:
    """A finding with other fields."""
    return msgspec.structs.replace(found, **fields)
