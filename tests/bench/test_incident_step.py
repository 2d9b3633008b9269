"""What a step of the incident core costs, and how long one holds whoever drives it: CPU time of this thread, in process.

A finding in an incident of 10, 500 and 10 000 members; 2 000 incidents that are due at the same moment; and what concerns every
member at once, which is one step: a silence, a resolve, a configuration.  The collector is called as in a worker, so that its
looks have a row of their own; at the pace of these steps more often than there.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import pytest
from rich.console import Console
from rich.table import Table

from alerting.inputs import Configure
from alerting.lineage import Lineage
from alerting.policy import Policy, Timings
from alerting.register import calls
from alerting.state import State, new_state
from alerting.step import fire, is_due, next_due, step
from schemas.actions import AddSilence, Matcher, Resolve
from schemas.findings import FindingState
from schemas.monitored import SourceMonitor
from stream.collector import Collector, spare_the_collector
from tests.unit.alerting.test_work_of_a_step import found
from tests.unit.alerting.world import HOUR, MINUTE, RECEIVERS, SOURCES, T0, finding, monitor, route

pytestmark = pytest.mark.bench

SIZES, DUE = (10, 500, 10_000), 2_000
FEATURES, EACH = max(SIZES) + 500, 400
#: Steps between two looks of the collector: in a worker there are some 2 000.
LOOK_EVERY = 400
VERDICTS: dict[str, tuple[FindingState, int]] = {
    "refreshed": ("firing", 0),
    "clears": ("ok", 1),
    "fires again": ("firing", 2),
}


@pytest.fixture(autouse=True)
def _spared() -> Iterator[None]:
    spare_the_collector()
    yield
    gc.unfreeze()
    gc.enable()


@dataclass
class Timed:
    """CPU milliseconds of each step, by what it was."""

    ms: dict[str, list[float]] = field(default_factory=dict)
    collector: Collector = field(default_factory=Collector)
    steps: int = 0

    def of(self, what: str, work: Callable[[], State]) -> State:
        began = time.thread_time()
        state = work()
        self._took(what, began)
        self.steps += 1
        if self.steps % LOOK_EVERY == 0:
            began = time.thread_time()
            self.collector.look()
            self._took("the collector looks", began)
        return state

    def _took(self, what: str, began: float) -> None:
        self.ms.setdefault(what, []).append((time.thread_time() - began) * 1e3)


def test_a_finding_costs_as_much_among_ten_thousand_members_as_among_five_hundred() -> None:
    timed = {size: _large(size) for size in SIZES}
    table = Table("what", *(f"{size} members: median, longest ms" for size in SIZES), title="a step, CPU time")
    for what in timed[SIZES[2]].ms:
        cells = (timed[size].ms.get(what, [0.0]) for size in SIZES)
        table.add_row(what, *(f"{median(cell):.2f}, {max(cell):.1f}" for cell in cells))
    Console(width=120).print(table)
    for what in ("joins", *VERDICTS):
        assert median(timed[SIZES[2]].ms[what]) < 3 * median(timed[SIZES[1]].ms[what])


def _large(size: int) -> Timed:
    """One incident of so many findings on one model."""
    lineage = Lineage.of({"m0": monitor({f"f{n}": "weather" for n in range(FEATURES)})}, SOURCES)
    policy = Policy.of(lineage, route(), RECEIVERS, timings=Timings())
    state, timed, later = new_state(policy), Timed(), T0 + MINUTE
    state = timed.of("begins", partial(step, state, found(0, T0, features=FEATURES), T0))
    for number in range(1, size):
        state = timed.of("joins", partial(step, state, found(number, T0, features=FEATURES), T0))
    for what, (verdict, rank) in VERDICTS.items():
        for number in range(min(size, EACH)):
            one = found(number, later, features=FEATURES, state=verdict, rank=rank)
            state = timed.of(what, partial(step, state, one, later))
    [name] = state.incidents
    ends = later + HOUR
    silence = AddSilence(
        silence="s", matchers=(Matcher("model", "=", "m0"),), starts=later, ends=ends, by="x", at=later
    )
    timed.of("is silenced", partial(step, state, silence, later))
    timed.of("is configured anew", partial(step, state, Configure(policy), later))
    timed.of("is resolved", partial(step, state, Resolve(incident=name, by="x", at=later), later))
    return timed


@pytest.mark.parametrize("storm", [10, DUE], ids=["storm", "each by itself"])
def test_many_incidents_due_at_once_are_settled_in_short_steps(storm: int) -> None:
    models = {f"m{number}": monitor({"x": f"s{number}"}) for number in range(DUE)}
    lineage = Lineage.of(models, {f"s{number}": SourceMonitor() for number in range(DUE)})
    state = new_state(Policy.of(lineage, route(), RECEIVERS, timings=Timings(storm=storm)))
    timed = Timed()
    for model in models:
        state = timed.of("begins", partial(step, state, finding(f"{model}/x", T0, severity="P1"), T0))
    due = next_due(state)
    assert due is not None
    while is_due(state, due):
        state = timed.of("opens 20", partial(fire, state))
    began = time.thread_time()
    planned = calls(state, due)
    timed.ms["what is to be sent"] = [(time.thread_time() - began) * 1e3]
    assert len(planned) == (DUE if storm == DUE else 11)
    table = Table(
        "what", "times", "median ms", "longest ms", title=f"{DUE} incidents at once, {storm} singly; CPU time"
    )
    for what, ms in timed.ms.items():
        table.add_row(what, str(len(ms)), f"{median(ms):.2f}", f"{max(ms):.1f}")
    Console(width=120).print(table)
