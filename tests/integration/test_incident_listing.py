"""What there is to send is listed a slice at a time: others have their turn, and nothing that was sent meanwhile is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from alerting.deliveries import Call
from alerting.register import planned
from alerting.state import State
from schemas.names import Names
from stream.incidents import owner, senders
from tests.support.incident_owner import Running, finding, running


def test_others_have_their_turn_while_requests_are_listed(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, seen = [0], list[int]()
    listed = planned

    def noted(state: State, now: int) -> Iterable[Call]:
        for call in listed(state, now):
            seen.append(turns[0])
            yield call

    async def others() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    async def story() -> None:
        async with running(redis_url, Names(environment_name)) as one:
            for receiver in one.receivers.values():
                receiver.free.clear()
            one.feed(*(finding(number, onset_hours=-100 * at) for at, number in enumerate(("temp", "dewp"))))
            await one.until(lambda: one.tenure.stored == one.offsets)
            monkeypatch.setattr(owner, "SLICE_S", -1.0)
            monkeypatch.setattr(senders, "planned", noted)
            waiting = asyncio.create_task(others())
            one.feed(finding("temp", severity="P0", hours=1))
            await one.until(lambda: len(seen) >= 3)
            waiting.cancel()

    asyncio.run(story())
    assert len(set(seen)) == len(seen)


def test_what_was_answered_while_requests_were_listed_is_not_sent_again(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> list[str]:
        async with running(redis_url, Names(environment_name)) as one:
            slack = one.receivers["slack:#ml"]
            slack.free.clear()
            one.feed(finding("temp"))
            await one.until(lambda: slack.kinds == ["open"])
            lists: list[list[Call]] = []

            async def listed(work: Iterable[Call]) -> list[Call]:
                lists.append(list(work))
                if len(lists) == 1:
                    slack.free.set()
                    await one.until(lambda: _confirmed(one))
                return lists[-1]

            monkeypatch.setattr(senders, "breathed", listed)
            one.feed(finding("dewp"))
            await one.until(lambda: len(lists) >= 2)
            assert [(call.kind, call.doubt) for call in lists[0]] == [("open", True)]
            await asyncio.sleep(0.05)
            return slack.kinds

    assert asyncio.run(story()) == ["open"]


def _confirmed(one: Running) -> bool:
    """The request was answered, and its lane serves nobody."""
    lanes = one.senders._lanes.values()
    return all(entry.confirmed for entry in one.tenure.state.entries.values()) and all(map(senders._idle, lanes))
