"""Samples of GPUs in the intake: beside the panes, settled before the offset behind them, costing no model anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from redis.exceptions import ResponseError

from schemas.gpus import Sample, Sampled
from stream.ingest import gpus
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.gpus import GpuSamples
from stream.state.gpus import GpuStore
from stream.state.patience import Patience
from stream.transport import Record
from tests.support.ingest import NOON, Stored, both, counter, run, tenure

MINUTE = 60_000


def sample(at: int | list[int] = NOON, **changed: Any) -> dict[str, Any]:
    return {"timestamp": at, "gpu": 0, "uuid": "GPU-1", "host": "n7", "metrics": {"power_watts": 71.5}} | changed


def counted(*values: object) -> tuple[list[Sampled], list[Rejection], Any]:
    """Samples, rejections and tenure after these records of ``serving``."""
    samples: list[Sampled] = []
    refused: list[Rejection] = []
    owner, counting = tenure(stream="serving"), counter(both(), refused=refused, sampled=samples)

    async def count() -> None:
        records = [Stored(json.dumps(value).encode(), at, NOON, "serving") for at, value in enumerate(values)]
        await counting.add(run(records, owner), owner)
        await counting.drain()

    asyncio.run(count())
    return samples, refused, owner


def test_a_sample_alone_in_an_array_and_in_a_columnar_batch_is_one_sample() -> None:
    batch = sample([NOON, NOON + 1], metrics={"power_watts": [71.5, 72]})
    samples, refused, owner = counted(sample(), [sample(NOON + 2), sample(NOON + 3)], batch)
    assert refused == []
    assert [one.sample.timestamp - NOON for one in samples] == [0, 2, 3, 0, 1]
    assert [one.sample.metrics["power_watts"] for one in samples] == [71.5, 71.5, 71.5, 71.5, 72.0]
    assert (owner.counted, owner.panes) == (3, {})


def test_a_sample_moves_the_partitions_clock() -> None:
    *_, owner = counted(sample(NOON + 5 * MINUTE))
    assert owner.clock == NOON + 5 * MINUTE


def test_a_sample_from_the_future_is_refused_and_moves_nothing() -> None:
    samples, refused, owner = counted(sample(NOON + 300_001), sample(NOON + 300_000))
    assert [one.sample.timestamp for one in samples] == [NOON + 300_000]
    assert [(one.reason, one.record.offset) for one in refused] == [("future", 0)]
    assert (owner.clock, dict(owner.rejected)) == (NOON + 300_000, {"future": 1})


def test_a_sample_that_does_not_say_its_host_is_refused_and_the_next_counts() -> None:
    samples, refused, owner = counted(sample(host=None), sample())
    assert len(samples) == 1
    assert [(one.reason, one.field) for one in refused] == [("missing_field", "host")]
    assert owner.counted == 2


@pytest.mark.parametrize("value", ["N/A", "71.5", True, [71.5], {}])
def test_a_value_that_is_no_number_is_refused_by_its_name_and_the_next_sample_counts(value: object) -> None:
    samples, refused, owner = counted(sample(metrics={"power_watts": value, "xid": 79}), sample())
    assert [one.sample.metrics for one in samples] == [{"power_watts": 71.5}]
    assert [(one.reason, one.field) for one in refused] == [("wrong_type", "metrics.power_watts")]
    assert owner.counted == 2


def test_a_thousand_measures_that_nobody_knows_are_counted_and_not_kept() -> None:
    [one], refused, _ = counted(sample(metrics={**{f"m{number}": 1 for number in range(1000)}, "power_watts": 71.5}))
    assert (one.sample.metrics, one.left_out, refused) == ({"power_watts": 71.5}, {"unknown": 1000}, [])


def test_what_names_a_model_is_a_request_of_it_and_no_sample() -> None:
    samples, refused, owner = counted(sample(model="trees"))
    assert (samples, refused) == ([], [])
    assert [pane.layout.model for pane in owner.panes.values()] == ["trees"]


def test_events_of_models_count_as_they_did_beside_samples() -> None:
    _, _, owner = counted(sample(), {"model": "trees", "timestamp": NOON}, sample(NOON + 1))
    assert [pane.layout.model for pane in owner.panes.values()] == ["trees"]


def test_samples_stand_in_their_rows_where_a_drain_is_begun_again() -> None:
    first, later = Buffer(), Buffer()
    [early, late] = samples_of(("a", 1), ("a", 2))
    first.append_sample(early, record=cast(Record, Stored(b"")))
    later.append_sample(late, record=cast(Record, Stored(b"")))
    assert first.followed_by(later).samples == {0: early, 1: late}


@dataclass(eq=False)
class Shelf:
    """A store in memory with room for some GPUs; it fails as often as told first."""

    room: int = 9
    fails: list[BaseException] = field(default_factory=list)
    written: list[dict[str, list[int]]] = field(default_factory=list)

    async def write(self, samples: Mapping[str, Sequence[Sample]]) -> set[str]:
        if self.fails:
            raise self.fails.pop()
        self.written.append({name: [one.timestamp - NOON for one in found] for name, found in samples.items()})
        return set(list(samples)[self.room :])


def samples_of(*events: tuple[str, int]) -> list[Sampled]:
    found = [Sample(timestamp=NOON + at, host="n7", gpu="0", uuid=uuid) for uuid, at in events]
    return [Sampled(one, cast(Any, {})) for one in found]


def settled(shelf: Shelf, *events: tuple[str, int]) -> GpuSamples:
    kept = GpuSamples(cast(GpuStore, shelf), patience=Patience())
    kept.add(samples_of(*events))
    asyncio.run(kept.settle())
    return kept


def test_of_a_minute_the_newest_sample_waits_whatever_came_last() -> None:
    shelf = Shelf()
    settled(shelf, ("a", 10), ("a", 30), ("a", 20), ("a", MINUTE), ("b", 5))
    assert shelf.written == [{"n7/a": [30, MINUTE], "n7/b": [5]}]


def test_what_is_stored_does_not_wait_any_more() -> None:
    shelf = Shelf()
    kept = settled(shelf, ("a", 10))
    asyncio.run(kept.settle())
    assert len(shelf.written) == 1


def test_what_could_not_be_stored_waits_for_the_next_time() -> None:
    shelf, kept = Shelf(fails=[asyncio.CancelledError()]), None
    kept = GpuSamples(cast(GpuStore, shelf), patience=Patience())
    kept.add(samples_of(("a", 10)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(kept.settle())
    asyncio.run(kept.settle())
    assert shelf.written == [{"n7/a": [10]}]


def test_a_key_that_is_something_else_holds_no_checkpoint_back() -> None:
    kept = settled(Shelf(fails=[ResponseError("WRONGTYPE Operation against a key")]), ("a", 10), ("b", 10))
    assert (kept.tally.samples, kept.tally.dropped) == (2, 2)


def test_samples_of_gpus_that_found_no_room_are_counted() -> None:
    kept = settled(Shelf(room=1), ("a", 10), ("b", 10), ("b", MINUTE))
    assert (kept.tally.samples, kept.tally.dropped) == (3, 2)


def test_no_more_wait_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "MOST_WAITING", 2)
    shelf = Shelf()
    kept = settled(shelf, ("a", 10), ("b", 10), ("c", 10), ("a", 20))
    assert (shelf.written, kept.tally.dropped) == ([{"n7/a": [20], "n7/b": [10]}], 1)


def test_of_one_moment_the_same_sample_waits_in_whatever_order_they_came() -> None:
    pair = [Sample(timestamp=NOON, host="n7", gpu="0", metrics={"power_watts": watts}) for watts in (71.0, 9.0)]
    waiting: list[Sample] = []
    for order in (pair, pair[::-1]):
        kept = GpuSamples(cast(GpuStore, Shelf()), patience=Patience())
        kept.add([Sampled(one, cast(Any, {})) for one in order])
        waiting += kept._waiting.values()
    assert waiting == [pair[1]] * 2  # its JSON is the greater one
