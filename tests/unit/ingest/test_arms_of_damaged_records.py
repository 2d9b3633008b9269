"""Damaged events, batches and samples in one stream: what is counted by version, and all else, is what the contract leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from schemas.names import Stream
from stream.ingest import sheets
from stream.ingest.plan import StreamPlan
from tests.support.arms import RELEASE
from tests.support.ingest import NOON, both
from tests.support.mutation import batch_mutant, mutant
from tests.unit.ingest.test_batches_agree import BATCHES, left, row_by_row
from tests.unit.ingest.test_two_paths_agree import EVENTS

SAMPLE: Mapping[str, Any] = {
    "timestamp": NOON, "gpu": 0, "uuid": "u", "host": "n7", "metrics": {"power_watts": 71.5, "xid": 79}, "version": "3",
}  # fmt: skip
COUNTED: tuple[Stream, ...] = ("predictions", "labels", "serving")


STRANGE = ("unknown_model", "not_utf8")


def by_contract(plan: StreamPlan) -> StreamPlan:
    """The plan with every record left to the contract."""

    def none(value: bytes | None) -> Any:
        raise ValueError("the fast path is closed")

    return replace(plan, decoder=replace(row_by_row(plan).decoder, fast=none))


def damaged(stream: Stream, chance: Random) -> bytes:
    of_events, of_batches = EVENTS[stream], BATCHES[stream]
    versions = ("3", 3, "4", 4, "5", "", None, 2**70, True, 4.0, ["4"], "\ud800")
    kind = chance.random()
    if stream == "serving" and kind < 0.3:
        return mutant(dict(SAMPLE), chance)
    if kind < 0.5:
        return batch_mutant(chance.choice(of_batches), chance)
    return mutant(dict(chance.choice(of_events)) | {"version": chance.choice(versions)}, chance)


def outcome(plan: StreamPlan, values: list[bytes]) -> dict[str, Any]:
    found = left(plan, values)
    # Permitted: of an event of a strange model only model and timestamp are looked at, and some times are refused last.
    found["letters"] = sorted((at, "" if reason in STRANGE else reason) for at, reason, *_ in found["letters"])
    return {name: found[name] for name in ("partials", "late", "events", "clocks", "letters", "samples")}


@pytest.mark.parametrize("enough", [1, 10_000], ids=["whole columns", "row by row"])
@pytest.mark.parametrize("stream", COUNTED)
def test_damaged_records_of_all_kinds_leave_what_the_contract_leaves(
    stream: Stream, enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "ENOUGH", enough)
    chance, plan, by_version = Random(17), both(release=RELEASE)[stream], 0
    assert plan.arms is not None
    other, arms = by_contract(plan), {layout.hash for layout in plan.arms.found.layouts}
    for _ in range(8):
        values = [damaged(stream, chance) for _ in range(25)]
        found = outcome(plan, values)
        assert found == outcome(other, values), values
        by_version += len([digest for digest, _ in found["partials"] if digest in arms])
    assert by_version > 8
