"""The releases that one worker evaluates: known with their streams, read from Redis once, and due where all streams are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from schemas.actions import OrderRelease, encode
from schemas.names import Names
from stream.evaluate.closing.unit import Unit
from stream.evaluate.releases.unit import Release
from stream.evaluate.releases.units import AT_ONCE, Releases
from tests.support.released_dry import Dry, phases
from tests.support.released_live import RELEASE

RATED = RELEASE.model_copy(update={"ratings": "labels"})


class Followed:
    """Models whose streams are closed, and a Redis that counts what it is asked; ``stored`` is each release's hash."""

    def __init__(self, *models: str) -> None:
        self.roll: Any = SimpleNamespace(units={"predictions": {}, "labels": {}}, arms={}, turn=0)
        self.stored: list[bytes | None] = [b"7", b"7", None, None, None]
        self.orders: dict[bytes, bytes] = {}
        self.asked: list[int] = []
        self.waiting = 0
        for model in models:
            self.follow(model)
        self.releases = Releases(self, Names("t"), roll=self.roll, desk=None, asking=self)  # type: ignore[arg-type]

    def follow(self, model: str) -> None:
        """Its streams anew, as after another configuration."""
        self.roll.turn += 1
        for stream, unit in Dry(phases=phases(RATED)).release.units.items():
            unit.model, unit.stored = model, 8
            self.roll.units[stream][model] = unit
        self.roll.arms[model] = phases(RATED)

    def due(self, able: Callable[[Unit], bool] = lambda side: True) -> list[Release]:
        return asyncio.run(self.releases.due(able=able, silent={"labels"}))

    async def __call__(self, work: Callable[[], Awaitable[Any]]) -> Any:
        return await work()

    async def breath(self) -> None:
        """Nobody else is here."""

    def pipeline(self, *, transaction: bool) -> Followed:
        assert not transaction
        return self

    def hmget(self, *_: object) -> None:
        self.waiting += 1

    async def execute(self) -> list[list[bytes | None]]:
        self.asked.append(self.waiting)
        found, self.waiting = self.waiting, 0
        return [list(self.stored)] * found

    async def hgetall(self, _: str) -> dict[bytes, bytes]:
        self.asked.append(-1)
        return self.orders


def test_releases_are_read_once_and_fifty_in_a_round_trip() -> None:
    found = Followed(*(f"m{number}" for number in range(AT_ONCE + 1)))
    assert (found.due(), found.asked) == ([], [AT_ONCE, 1, -1])
    found.due()
    assert found.asked == [AT_ONCE, 1, -1, -1]
    found.follow("m3")
    found.due()
    assert found.asked[4:] == [1, -1], "whose streams are followed anew, is read anew"


def test_nobody_asks_for_orders_where_nothing_is_stored() -> None:
    found = Followed("m")
    found.stored = [None] * 5
    found.due()
    assert found.asked == [1]


def test_one_is_due_where_all_of_its_streams_are_loaded_and_able() -> None:
    found = Followed("m")
    found.stored[1] = b"6"
    (release,) = found.due()
    assert (release.silent, release.stored) == ({"labels"}, 7)
    assert found.due(able=lambda side: side is not found.roll.units["labels"]["m"]) == []
    found.roll.units["labels"]["m"].loaded = False
    assert found.due() == []


def test_an_order_reaches_its_release_and_one_of_a_model_that_is_evaluated_elsewhere_nobody() -> None:
    found = Followed("m")
    made = OrderRelease(model="m", release="rel-1", order="hold", by="ann", at=1, comment="why")
    found.orders = {b"m": encode(made), b"elsewhere": encode(made)}
    (release,) = found.due()
    assert release.order == made


def test_one_that_is_reset_is_read_again_and_nothing_is_done_of_one_that_is_not_due() -> None:
    found = Followed("m")
    found.stored[1] = b"6"
    (release,) = found.due()
    found.releases.reset(Dry().release)  # of another object: what is known by now is not that
    found.due()
    assert found.asked == [1, -1, -1]
    found.releases.reset(release)
    found.due()
    assert found.asked == [1, -1, -1, 1, -1]
    release.judged_by = release.generation
    asyncio.run(found.releases.judge(release, None))  # type: ignore[arg-type]
