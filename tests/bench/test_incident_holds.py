"""How long an incident owner with 10 000 findings in one incident holds the event loop: CPU time of the loop's longest callback.

On a real Redis, with what the owner writes and sends; the collector is called beside as in a worker, and counted.
"""

from __future__ import annotations

import asyncio
import gc
import time
from asyncio import Handle
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from alerting.inputs import Configure
from alerting.lineage import Lineage
from alerting.policy import Address, Policy
from alerting.register import calls
from schemas.actions import Acknowledge, AddSilence, ExpireSilence, Matcher, Resolve
from schemas.findings import Finding
from schemas.monitored import FeatureMonitor, SourceMonitor
from schemas.names import Names
from stream.collector import Collector, spare_the_collector
from tests.support import incident_owner
from tests.support.incident_owner import HOUR, Running, finding, running

pytestmark = pytest.mark.bench

SIZE = 10_000


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """CPU milliseconds of each callback of the loop."""
    held: list[float] = []
    run = Handle._run

    def timed(self: Handle) -> None:
        began = time.thread_time()
        run(self)
        held.append((time.thread_time() - began) * 1e3)

    monkeypatch.setattr(Handle, "_run", timed)
    monkeypatch.setattr(incident_owner, "POLICY", _policy())
    spare_the_collector()
    yield held
    gc.unfreeze()
    gc.enable()


def test_what_concerns_ten_thousand_findings_holds_nobody(
    redis_url: str, environment_name: str, holds: list[float]
) -> None:
    found = asyncio.run(_measured(redis_url, environment_name, holds))
    table = Table(
        "what", "longest holds of the loop, CPU ms", "CPU ms on the loop", title=f"{SIZE} findings in one incident"
    )
    for what, held in found.items():
        table.add_row(what, ", ".join(f"{one:.1f}" for one in sorted(held)[:-4:-1]), f"{sum(held):.0f}")
    Console(width=120).print(table)


async def _measured(url: str, environment: str, holds: list[float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    collector = Collector()

    async def fed(one: Running, what: str, *given: Any) -> None:
        await asyncio.sleep(0)
        holds.clear()
        for each in given:
            one.feed(each)
            await asyncio.sleep(0)
        await one.until(lambda: one.tenure.stored == one.offsets, timeout_s=120)
        await one.until(lambda: not calls(one.tenure.state, one.tenure.now), timeout_s=120)
        found[what] = list(holds)
        holds.clear()
        asyncio.get_running_loop().call_soon(collector.look)
        await asyncio.sleep(0.05)
        found.setdefault("the collector looks", []).extend(holds)

    async with running(url, Names(environment)) as one:
        await fed(one, "they join", *map(_one_of_many, range(SIZE)))
        [name] = one.tenure.state.incidents
        now = one.tenure.now
        mine = (Matcher("incident", "=", name),)
        await fed(
            one, "a silence begins", AddSilence(silence="s", matchers=mine, starts=now, ends=now + HOUR, by="x", at=now)
        )
        await fed(one, "it is expired", ExpireSilence(silence="s", by="x", at=now))
        await fed(
            one,
            "acknowledged",
            Acknowledge(incident=name, by="x", at=now, revision=one.tenure.state.incidents[name].revision),
        )
        holds.clear()
        await one.owner.submit(one.tenure, Configure(one.tenure.state.policy))
        found["another configuration"] = list(holds)
        await fed(one, "64 refreshes", *(_one_of_many(number, later=1) for number in range(64)))
        await fed(one, "resolved", Resolve(incident=name, by="x", at=now))
    return found


def _one_of_many(number: int, later: int = 0) -> Finding:
    given = finding(f"f{number}")
    made: Finding = msgspec.structs.replace(given, rev=(given.at + later, number))
    return made


def _policy() -> Policy:
    shapes = {f"f{number}": FeatureMonitor(type="numeric", source="weather") for number in range(SIZE)}
    model = incident_owner.MODEL.model_copy(update={"features": shapes})
    lineage = Lineage.of({"m": model}, {"weather": SourceMonitor()})
    receivers = {"team": (Address("slack:#ml", "slack"),), "pager": (Address("slack:#ml", "slack"),)}
    return Policy.of(lineage, incident_owner.ROUTE, receivers, timings=incident_owner.POLICY.timings)
