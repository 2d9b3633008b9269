"""What is counted depends on the records of a partition alone: not on where runs and blocks were cut, nor on who else is read."""

from __future__ import annotations

import asyncio
import json
from collections import Counter as Tally
from random import Random
from typing import Any

import pytest

from stream.ingest import decode
from stream.ingest.buffer import Rejection
from stream.ingest.tenure import Tenure
from tests.support.ingest import HOUR, NOON, Shelf, Stored, both, counter, partials, run, tenure

Everything = dict[int, dict[str, Any]]


def records(partition: int, chance: Random) -> list[Stored]:
    """Two hundred records of five hours: late and too late ones, from the future, of strangers, broken, control records."""
    found = []
    for offset in range(0, 400, 2):  # compaction leaves gaps
        now = NOON + offset * HOUR // 80
        time = now - chance.choice((0, 0, 0, 60_000, HOUR, 5 * HOUR, 40 * HOUR, 400 * HOUR, -60_000, -HOUR))
        found.append(Stored(_value(time, chance), offset, now, partition=partition))
    return found


def _value(time: int, chance: Random) -> bytes | None:
    temp = chance.choice((chance.gauss(10, 5), None, "x", float("nan")))
    body = {
        "timestamp": chance.choice((time, time, time + 0.5, "2013-01-01T12:00:00Z", str(time))),
        "features": {"temp": temp, "carrier": chance.choice(("UA", "ZZ", 7))},
    }
    match chance.randrange(12):
        case 0:
            return chance.choice(
                (None, b"{", b'{"model":"trees"}', json.dumps([body | {"model": "trees"}, 7]).encode())
            )
        case 1:
            return json.dumps({"control": "watermark", "timestamp": time - HOUR}).encode()
        case 2:
            return json.dumps(body | {"model": "strangers"}).encode()
        case 3:
            return json.dumps(body | {"model": "trees", "strange": 1, "note": 2}).encode()
        case _:
            return json.dumps(body | {"model": chance.choice(("trees", "prices"))}).encode()


async def counted(found: list[list[Stored]], chance: Random, *, runs_of: int, drain: float) -> Everything:
    """Everything that is left of these partitions, read in runs of up to ``runs_of`` and drained now and then."""
    refused: list[Rejection] = []
    owners = [tenure(partition) for partition in range(len(found))]
    counting = counter(both(), refused=refused)
    waiting = [list(of) for of in found]
    while any(waiting):
        at = chance.choice([at for at, left in enumerate(waiting) if left])
        length = chance.randrange(1, runs_of + 1)
        await counting.add(run(waiting[at][:length], owners[at]), owners[at])
        del waiting[at][:length]
        if chance.random() < drain:
            await counting.drain()
    await counting.drain()
    return {at: _left(owner, partials(counting, owner), refused) for at, owner in enumerate(owners)}


def _left(owner: Tenure, found: dict[Any, Any], refused: list[Rejection]) -> dict[str, Any]:
    return {
        "partials": {key: (p.cells.tobytes(), p.sums.tobytes(), p.extrema.tobytes()) for key, p in found.items()},
        "late": {(pane.layout.model, pane.start_ms) for pane in owner.panes.values() if pane.late},
        "clocks": (owner.clock, owner.closed),
        "rejected": dict(owner.rejected),
        "letters": Tally((r.record.offset, r.reason, r.field, r.detail, r.index) for r in refused if r.tenure is owner),
        "offsets": (owner.read, owner.counted),
    }


@pytest.mark.parametrize("seed", range(8))
def test_wherever_runs_and_blocks_are_cut_everything_counted_is_bit_identical(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = Random(seed)
    found = [records(partition, chance) for partition in range(3)]
    whole = asyncio.run(counted(found, Random(0), runs_of=1000, drain=0.0))
    for runs_of, drain in ((1, 1.0), (7, 0.5), (50, 0.1)):
        monkeypatch.setattr(decode, "TOGETHER", chance.randrange(1, 60))
        assert asyncio.run(counted(found, chance, runs_of=runs_of, drain=drain)) == whole
    reasons = {reason for left in whole.values() for reason in left["rejected"]}
    assert reasons >= {
        "future",
        "too_late",
        "unknown_model",
        "wrong_type",
        "not_json",
        "missing_field",
        "tombstone",
        "not_an_event",
    }
    assert all(left["late"] and left["clocks"][1] > 0 for left in whole.values())


def test_a_partition_read_alone_counts_as_it_does_among_others() -> None:
    chance = Random(99)
    found = [records(partition, chance) for partition in range(2)]
    together = asyncio.run(counted(found, chance, runs_of=9, drain=0.3))
    alone = asyncio.run(counted(found[:1], chance, runs_of=30, drain=0.0))
    assert together[0] == alone[0]


def test_records_read_twice_are_counted_once() -> None:
    async def twice() -> tuple[int, int]:
        counting, owner = counter(both(), shelf=Shelf()), tenure()
        found = records(0, Random(5))
        await counting.add(run(found[:60], owner), owner)
        await counting.add(run(found[30:], owner), owner)
        await counting.drain()
        once, alone = counter(both()), tenure()
        await once.add(run(found, alone), alone)
        await once.drain()
        return counting.events, once.events

    events, once = asyncio.run(twice())
    assert events == once > 50
