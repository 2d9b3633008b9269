"""A backlog of findings is held in memory up to a bound; the rest waits in Kafka's consumer, and none of it is lost."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from schemas import findings
from stream.incidents import live_inbox
from stream.incidents.inbox import Arrival, EventInbox
from stream.incidents.live_inbox import LiveInbox
from stream.records import Run
from tests.integration.test_incident_agent import Raw, Site, told
from tests.support.incident_owner import finding

__all__ = ["told"]
EACH = 5


def run_of(site: Site, first: int) -> Run:
    """Five findings from an offset on, each an hour after the one before."""
    tp = site.tp("findings")
    said = [Raw(tp.topic, at, findings.encode(finding(hours=at))) for at in range(first, first + EACH)]
    return Run(tp, site.agent._placements[tp], cast(Any, said))


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_inbox, "MOST", EACH - 1)


async def full(site: Site) -> asyncio.Task[None]:
    """A run is waiting that does not fit any more."""
    await site.assign(site.tp("findings"), site.tp("actions"))
    await site.agent.receive(run_of(site, 0))
    waiting = asyncio.create_task(site.agent.receive(run_of(site, EACH)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    return waiting


def waits(site: Site) -> int:
    tenure = site.agent.owner.tenure
    assert tenure is not None
    return len(tenure.inbox)


def test_what_does_not_fit_is_taken_in_once_there_is_room(told: Any) -> None:
    async def story(site: Site) -> None:
        waiting = await full(site)
        assert waits(site) == EACH
        async with asyncio.timeout(10):
            while not waiting.done() or waits(site):
                await site.agent.owner.run()
        tenure = site.agent.owner.tenure
        assert tenure is not None
        assert tenure.stored["findings"] == 2 * EACH

    told(story)


def test_what_waits_for_room_when_the_owner_changes_is_left_to_the_next(told: Any) -> None:
    async def story(site: Site) -> None:
        waiting = await full(site)
        placed = await site.assign(site.tp("findings"), site.tp("actions"))
        async with asyncio.timeout(5):
            await waiting
        assert placed[site.tp("findings")] == 0
        assert waits(site) == 0

    told(story)


def test_an_inbox_is_full_at_its_bound_and_that_of_event_time_never() -> None:
    """What it holds back waits for marks that come behind it."""
    live = LiveInbox({"findings": 0})
    held = EventInbox({"findings": 0}, announced=[("m", "predictions")], marks={})
    for offset in range(EACH):
        assert live.full is (offset >= EACH - 1)
        for box in (live, held):
            box.add(Arrival("findings", 0, offset, finding(hours=offset)))
    assert live.full
    assert not held.full
    live.drop_first()
    live.drop_first()
    assert not live.full
