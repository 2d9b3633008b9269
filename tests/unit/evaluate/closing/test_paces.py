"""When the models of a stream are due: what is worked out once says of every look what going over all models would say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stream.evaluate.closing.closing import is_done
from stream.evaluate.closing.paces import Pace, Paces, paces_of
from stream.evaluate.closing.polls import watermarks
from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import UNTOUCHED, PartitionState, closed_before
from stream.state.behind import Behind
from stream.state.watermarks import PartitionClock

MINUTE = 60_000
BEHIND = Behind(frozenset({"noisy"}), frozenset({"noisy", "beside", "of nobody here"}))


def watching(model: str, pane_ms: int, lateness_ms: int = 0, *, listens: bool = False) -> Unit:
    monitor = SimpleNamespace(lateness_ms=lateness_ms, no_traffic_after_ms=MINUTE if listens else None)
    watched = SimpleNamespace(monitor=monitor, layout=SimpleNamespace(pane_ms=pane_ms))
    phase = SimpleNamespace(pane_ms=pane_ms, watched=watched)
    return cast(Unit, SimpleNamespace(model=model, listens=listens, phase=phase))


def paces() -> Paces:
    async def breath() -> None:
        """Nobody else is here."""

    return asyncio.run(paces_of(UNITS, breath=breath))


UNITS = [
    watching("noisy", MINUTE),
    watching("beside", 5 * MINUTE, 30_000),
    watching("far", MINUTE, listens=True),
    watching("slow", 5 * MINUTE, 30_000),
    watching("late", MINUTE, 90_000, listens=True),
]


def of(clock: int | None, *, idle: bool = False) -> PartitionState:
    return PartitionState(PartitionClock(clock, idle=idle))


@pytest.mark.parametrize(
    "partitions",
    [
        [of(10 * MINUTE), of(12 * MINUTE + 1)],
        [of(10 * MINUTE), of(3 * MINUTE, idle=True)],
        [of(10 * MINUTE), replace(of(2 * MINUTE), behind=BEHIND)],
        [replace(of(2 * MINUTE), behind=BEHIND)],
        [of(10 * MINUTE), UNTOUCHED],
    ],
)
def test_ends_are_those_of_each_model(partitions: list[PartitionState]) -> None:
    marks = watermarks(UNITS, partitions)
    wanted = {closed_before(marks[unit.model], pane_ms=unit.phase.pane_ms) for unit in UNITS}
    assert paces().ends(partitions) == wanted


def test_kinds_are_told_once_and_who_listens_by_name() -> None:
    found = paces()
    assert found.kinds == {Pace(MINUTE, 0), Pace(MINUTE, 90_000), Pace(5 * MINUTE, 30_000)}
    assert [unit.model for unit in found.listening] == ["far", "late"]


def unit(**changed: Any) -> Unit:
    """Closed up to the tenth minute, in a layout that holds for ever."""
    watched = SimpleNamespace(layout=SimpleNamespace(hash="h"))
    fields = {"last": 10 * MINUTE, "rings": [], "layout": "h", "until_ms": None, "judged": True, "newest": {}} | changed
    phase = SimpleNamespace(pane_ms=MINUTE, watched=watched, until_ms=fields["until_ms"])
    is_judged_by = lambda by: by is watched and fields["judged"]  # noqa: E731
    withheld = SimpleNamespace(newest=fields["newest"])
    return cast(Unit, SimpleNamespace(**fields, phase=phase, is_judged_by=is_judged_by, withheld=withheld))


@pytest.mark.parametrize(
    ("changed", "done"),
    [
        ({}, True),
        ({"last": None, "rings": None}, True),  # nothing ever came
        ({"last": 9 * MINUTE}, False),  # a pane is complete, with events or without
        ({"rings": None}, False),  # to be loaded
        ({"layout": "of before"}, False),
        ({"newest": {"key": "held"}}, False),  # to be told once Redis is filled again
        ({"judged": False}, False),  # another configuration is heard
        ({"until_ms": 11 * MINUTE}, True),
        ({"until_ms": 10 * MINUTE}, False),  # the next configuration begins here
    ],
)
def test_a_unit_is_done_where_closing_would_find_nothing(changed: dict[str, Any], done: bool) -> None:
    assert is_done(unit(**changed), watermark=11 * MINUTE - 1) is done
