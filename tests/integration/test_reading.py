"""Stored panes read back: summed over partitions, blocks and incarnations to the last count, never over layouts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import pytest
from redis.asyncio import Redis

from schemas.errors import ConfigError, StoreError
from schemas.names import Names
from stream.state import reading
from stream.state.columns import layouts_of
from stream.state.epochs import Epoch
from stream.state.generations import publish
from stream.state.layout import EVENTS, LATE, UNKNOWN_FEATURES, UNKNOWN_KEYS, Layout
from stream.state.packing import Partial, empty, pack
from stream.state.store import Checkpoint, PaneKey, PaneStore
from tests.support.models import DAY, HOUR, monitor, monitors, numeric, reference

Answer = TypeVar("Answer")
Panes = Mapping[tuple[int, int, int], Partial]

JANUARY = 1_356_998_400_000
LAYOUT = layouts_of("m", monitor(), reference(), digest=reference().hash)["predictions"]
_OTHER = reference(temp=numeric(0.0, 5.0, 20.0))
OTHER = layouts_of("m", monitor(), _OTHER, digest=_OTHER.hash)["predictions"]


class Deployment:
    """One environment of a real Redis with the model ``m`` in force."""

    def __init__(self, url: str, environment: str) -> None:
        self.url, self.names = url, Names(environment)
        self.apply(temp=numeric(0.0, 10.0, 20.0), clock_ms=None)

    def run(self, work: Callable[[Redis, Names], Awaitable[Answer]]) -> Answer:
        async def connected() -> Answer:
            async with Redis.from_url(self.url) as redis:
                return await work(redis, self.names)

        return asyncio.run(connected())

    def apply(self, *, temp: Any, clock_ms: int | None) -> int | None:
        """Where the model switches to this reference."""
        references = {"m": reference(temp=temp)}
        file = monitors(m=monitor())
        generation = self.run(
            lambda redis, names: publish(redis, names, file, references=references, now_ms=1, clock_ms=clock_ms)
        )
        return generation.models["m"].from_ms

    def store(self, panes: Panes, *, layout: Layout = LAYOUT) -> None:
        """Checkpoint partials by (partition, incarnation, start), as a worker does."""
        self.run(lambda redis, names: _store(PaneStore(redis, names, keep_ms=DAY), panes, layout=layout))

    def counts(self, from_ms: int, to_ms: int, **more: Any) -> dict[str, Any]:
        return self.run(
            lambda redis, names: reading.read_counts(redis, names, model="m", from_ms=from_ms, to_ms=to_ms, **more)
        )


async def _store(store: PaneStore, panes: Panes, *, layout: Layout) -> None:
    for partition in sorted({partition for partition, _, _ in panes}):
        epoch, stored = await store.take("predictions", partition, group="g", take_over=False, now_ms=1)
        start = stored.next_offset or 0
        if stored.next_offset is None:
            await store.resume("predictions", partition, epoch=epoch, fields={"next": 0})
        mine = {key: partial for key, partial in panes.items() if key[0] == partition}
        clock = max(start_ms for _, _, start_ms in mine)
        packed = [
            (PaneKey("predictions", partition, incarnation, layout, start_ms), pack(partial))
            for (_, incarnation, start_ms), partial in mine.items()
        ]
        assert await store.checkpoint([_checkpoint(partition, epoch, start, clock=clock, packed=packed)]) == ["stored"]


def _checkpoint(partition: int, epoch: Epoch, start: int, *, clock: int, packed: Any) -> Checkpoint:
    return Checkpoint("predictions", partition, epoch, start, start + 1, {"clock": clock}, {}, packed)


@pytest.fixture
def deployed(redis_url: str, environment_name: str) -> Deployment:
    return Deployment(redis_url, environment_name)


def any_partial(random: np.random.Generator, layout: Layout = LAYOUT) -> Partial:
    """Counters and extrema without any relation, every cell in use; sums that some values could have."""
    columns = len(layout.numeric)
    cells = random.integers(0, 1_000_000, layout.cells)
    cells[0] = 0
    sums = random.integers(-(2**20), 2**20, 2 * columns)
    sums[1::2] = random.integers(2**49, 2**50, columns)
    return Partial(cells, sums, random.normal(size=2 * columns), int(random.integers(0, 9)))


def a_partial(layout: Layout = LAYOUT, **cells: int) -> Partial:
    partial = empty(layout.cells, len(layout.numeric))
    for name, count in cells.items():
        partial.cells[{"events": EVENTS, "late": LATE}[name]] = count
    return partial


def test_every_cell_of_every_partition_block_and_incarnation_is_summed(deployed: Deployment) -> None:
    random = np.random.default_rng(7)
    keys = [(partition, 0, JANUARY + hour * HOUR) for partition in (0, 1, 5) for hour in range(-3, 53)]
    keys += [(5, 1, JANUARY + 7 * HOUR), (5, 2, JANUARY + 7 * HOUR)]
    panes = {key: any_partial(random) for key in keys}
    deployed.store(panes)

    within_blocks, end = JANUARY + 5 * HOUR, JANUARY + 50 * HOUR
    chosen = [partial for (_, _, start), partial in panes.items() if within_blocks <= start < end]
    cells = np.sum([partial.cells for partial in chosen], axis=0)
    found = deployed.counts(within_blocks, end)
    assert len(chosen) == 137
    assert (found["panes"], found["layout"], found["other_layouts"]) == (45, LAYOUT.hash, {})
    assert [found[name] for name in ("events", "late", "unknown_features", "unknown_keys")] == [
        cells[EVENTS], cells[LATE], cells[UNKNOWN_FEATURES], cells[UNKNOWN_KEYS],
    ]  # fmt: skip
    assert found["revisions"] == sum(partial.revision for partial in chosen)
    assert numbers_of(found) == cells[5:].tolist()


def numbers_of(found: dict[str, Any]) -> list[int]:
    """The counts of all columns back in the order of the cells, zeros included."""
    summaries = {**found["features"], **found["prediction"], **found}
    numbers: list[int] = []
    for column in LAYOUT.numeric:
        counted = summaries[column.name]
        numbers += counted["counts"]
        numbers += [
            counted[kind] for kind in ("missing", "nan", "positive_infinity", "negative_infinity", "wrong_type")
        ]
        if column.detailed:
            numbers += counted["buckets"] + [counted["outside"].get(str(key), 0) for key in range(64)]
    for named in LAYOUT.categorical:
        counted = summaries[named.name]
        numbers += [
            *counted["categories"].values(),
            *(counted[k] for k in ("other", "unseen", "missing", "wrong_type")),
        ]
    return numbers


def test_moments_come_back_in_the_units_of_the_values(deployed: Deployment) -> None:
    # The reference has mean 10 and sd 2, so the values 10 and 12 are q = 0 and 4096.
    partial = a_partial(events=2)
    at = [column.name for column in LAYOUT.numeric].index("temp")
    partial.cells[LAYOUT.numeric_starts[at] + 2] = 2
    partial.sums[2 * at : 2 * at + 2] = 4096, 4096**2
    partial.extrema[2 * at : 2 * at + 2] = 10.0, 12.0
    deployed.store({(0, 0, JANUARY): partial})

    temp = deployed.counts(JANUARY, JANUARY + HOUR)["features"]["temp"]
    assert [temp[name] for name in ("n", "mean", "sd", "minimum", "maximum")] == [2, 11.0, 1.0, 10.0, 12.0]
    assert (temp["edges"], temp["counts"]) == ([0.0, 10.0, 20.0], [0, 0, 2, 0])


def test_sums_of_a_long_range_may_leave_64_bits(deployed: Deployment) -> None:
    # Three panes of 2^26 values at 64 sd each: Σq² of one is 2^62, of all three more than 2^63.
    partial = a_partial(events=2**26)
    at = [column.name for column in LAYOUT.numeric].index("temp")
    partial.cells[LAYOUT.numeric_starts[at] + 3] = 2**26
    partial.sums[2 * at : 2 * at + 2] = 2**18 * 2**26, 2**36 * 2**26
    deployed.store({(0, 0, JANUARY + hour * HOUR): partial for hour in range(3)})

    temp = deployed.counts(JANUARY, JANUARY + DAY)["features"]["temp"]
    assert (temp["mean"], temp["sd"]) == (10.0 + 2.0 * 64.0, 0.0)


def test_sums_that_no_values_can_have_are_a_damaged_store(deployed: Deployment) -> None:
    partial = a_partial(events=2)
    at = [column.name for column in LAYOUT.numeric].index("temp")
    partial.cells[LAYOUT.numeric_starts[at] + 2] = 2
    partial.sums[2 * at : 2 * at + 2] = 4096, 4096
    deployed.store({(0, 0, JANUARY): partial})

    with pytest.raises(StoreError, match="the stored sums of temp cannot be those of 2 values"):
        deployed.counts(JANUARY, JANUARY + HOUR)


def test_a_range_without_panes_counts_zero_and_has_no_moments(deployed: Deployment) -> None:
    found = deployed.counts(JANUARY, JANUARY + HOUR)

    assert (found["panes"], found["events"]) == (0, 0)
    assert found["features"]["temp"]["counts"] == [0, 0, 0, 0]
    assert [found["features"]["temp"][name] for name in ("mean", "sd", "minimum", "maximum")] == [None] * 4


def test_columns_stand_where_events_have_them(deployed: Deployment) -> None:
    found = deployed.counts(JANUARY, JANUARY + HOUR)

    assert set(found["features"]) == {"temp", "gust", "carrier", "tail"}
    assert set(found["prediction"]) == {"score", "score_grid", "value", "confidence", "label"}
    assert {"latency_s", "input_tokens", "output_tokens", "status"} <= set(found)
    assert found["features"]["carrier"]["categories"] == {"UA": 0, "DL": 0}
    assert list(found["features"]["tail"]["categories"])[::63] == ["#0", "#63"]
    assert "buckets" not in found["features"]["gust"]
    assert {"outcome", "rating"} <= set(deployed.counts(JANUARY, JANUARY + HOUR, stream="labels"))


def test_panes_of_another_layout_are_named_and_never_added(deployed: Deployment) -> None:
    deployed.store({(0, 0, JANUARY): a_partial(events=3), (1, 0, JANUARY + HOUR): a_partial(events=4)})
    switch = deployed.apply(temp=numeric(0.0, 5.0, 20.0), clock_ms=JANUARY + HOUR)
    deployed.store({(0, 0, JANUARY + 2 * HOUR): a_partial(OTHER, events=50, late=1)}, layout=OTHER)

    assert switch == JANUARY + 2 * HOUR
    whole = deployed.counts(JANUARY, JANUARY + DAY)
    assert (whole["events"], whole["layout"], whole["other_layouts"]) == (50, OTHER.hash, {LAYOUT.hash: 7})
    before = deployed.counts(JANUARY, switch)
    assert (before["events"], before["layout"], before["other_layouts"]) == (7, LAYOUT.hash, {})
    asked = deployed.counts(JANUARY, JANUARY + DAY, layout_hash=LAYOUT.hash)
    assert (asked["events"], asked["other_layouts"]) == (7, {OTHER.hash: 50})


def test_until_an_event_reaches_the_switch_the_old_layout_is_in_force(deployed: Deployment) -> None:
    deployed.store({(0, 0, JANUARY): a_partial(events=3)})
    deployed.apply(temp=numeric(0.0, 5.0, 20.0), clock_ms=JANUARY)

    found = deployed.counts(JANUARY, JANUARY + 30 * DAY)
    assert (found["events"], found["layout"]) == (3, LAYOUT.hash)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "n"}, "model: 'n' is not in force; in force: m"),
        ({"to_ms": JANUARY}, "range: is empty"),
        ({"layout_hash": "0" * 16}, "layout: '0000000000000000' is no layout of the predictions of 'm'"),
    ],
)
def test_what_cannot_be_asked_is_said(deployed: Deployment, asked: dict[str, Any], said: str) -> None:
    question: dict[str, Any] = {"model": "m", "from_ms": JANUARY, "to_ms": JANUARY + HOUR} | asked
    with pytest.raises(ConfigError, match=said):
        deployed.run(lambda redis, names: reading.read_counts(redis, names, **question))


def test_a_range_of_a_million_blocks_is_refused(deployed: Deployment) -> None:
    deployed.store({(0, 0, JANUARY): a_partial(events=3)})

    with pytest.raises(ConfigError, match="range: is too long for panes of 3600000 ms"):
        deployed.counts(0, 1_000_000 * 24 * HOUR)


def test_before_the_first_apply_it_says_what_to_run(redis_url: str, environment_name: str) -> None:
    async def ask() -> None:
        async with Redis.from_url(redis_url) as redis:
            await reading.read_counts(redis, Names(environment_name), model="m", from_ms=0, to_ms=1)

    with pytest.raises(ConfigError, match="run `driftline apply FILE` first"):
        asyncio.run(ask())
