"""What a CPU-second of a worker buys: a stock Faust agent, our transport and the whole path, in one run on one machine.

``make bench`` runs the long form and writes ``build/bench.json``; the short form, in ``make test``, shows that the bench
itself runs and counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress, TaskID

from schemas.columnar import rows_of
from tests.bench.columnar import Columnar, Written
from tests.bench.contest import Stage, Told
from tests.bench.counted import wanted
from tests.bench.events import DISTINCT, SPAN_MS, START_MS, Flow, name, table
from tests.bench.in_process import Parts
from tests.bench.lineup import ROOT, Contender, Live, contenders
from tests.bench.report import BASE, READING, as_table, lowest, ratio, write_json
from tests.bench.sampling import Figures

LONG = contenders(stock=120_000, reading=2_000_000, ours=800_000, models=1_000, batches=1_200)
LIVE = Live("driftline_live_20k", Flow(20, 64, 900_000), 20_000, after_s=5.0, for_s=30.0)
#: One of each kind: starting and applying takes longer than counting so few.
SHORT = [
    each
    for each in contenders(stock=2_000, reading=5_000, ours=5_000, models=3, batches=24, rows_a_record=200)
    if each.name not in ("driftline_1", "driftline_20", "driftline_200", "columnar_rows")
]
SHORT_LIVE = Live("driftline_live", Flow(3, 8, 3_000), 1_000, after_s=0.0, for_s=1.5)
IN_PROCESS = Flow(20, 8, 200_000)
#: By what their parts are named after.
COLUMNAR: dict[str, Flow | Columnar] = {
    "columnar_": Columnar(20, 8, 200), "columnar_packed_": Columnar(20, 8, 200, written="packed"),
}  # fmt: skip
#: What issue 7 asks `build/bench.json` for.
KEYS = {
    "read_only", "decode_only", "stock_faust_counting", "stock_faust_same_work", "quix", "driftline",
    "driftline_1000_models_any_key", "driftline_live_20k", "columnar_rows", "columnar_rows_packed",
}  # fmt: skip


@pytest.mark.bench
def test_the_whole_path_is_faster_than_a_stock_faust_agent_that_only_counts(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    with telling() as tell:
        stage = Stage(kafka_bootstrap, redis_url, tmp_path, tell)
        results = race(present(LONG), stage) | {LIVE.name: stage.measure_live(LIVE)}
    results |= in_process(IN_PROCESS)
    for prefix, flow in COLUMNAR.items():
        results |= {prefix + name: one for name, one in in_process(flow).items()}
    file = ROOT / "build" / "bench.json"
    Console(width=120).print(as_table(results))
    write_json(results, file, absent=absent(LONG))
    assert json.loads(file.read_text()).keys() >= KEYS
    assert processed(results, LONG) == sent(LONG)
    assert [results[name].events for name in ("decode_only", "count_only")] == [IN_PROCESS.events] * 2
    assert ratio(results, lowest(results)) > 1


@pytest.mark.parametrize("contender", SHORT, ids=lambda contender: contender.name)
def test_every_contender_counts_exactly_what_was_sent(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path, contender: Contender
) -> None:
    if contender.missing:
        pytest.skip(contender.missing)
    found = Stage(kafka_bootstrap, redis_url, tmp_path, silent).measure(contender)
    assert found.events == contender.flow.events


def test_events_at_a_steady_rate_are_counted_and_timed(kafka_bootstrap: str, redis_url: str, tmp_path: Path) -> None:
    found = Stage(kafka_bootstrap, redis_url, tmp_path, silent).measure_live(SHORT_LIVE)
    assert 0 < found.events < SHORT_LIVE.flow.events


@pytest.mark.parametrize("flow", [Flow(3, 1, 5_000), Columnar(3, 1, 5, 1_000), Columnar(3, 1, 5, 1_000, "packed")])
def test_parts_of_the_path_count_every_event(flow: Flow | Columnar) -> None:
    assert {name: one.events for name, one in in_process(flow).items()} == {"decode_only": 5_000, "count_only": 5_000}


def test_an_event_has_about_420_bytes_and_3_percent_nulls() -> None:
    values = [value for _, _, value in Flow(20, 8, 2_000).records()]
    assert 410 <= sum(map(len, values)) / len(values) <= 430
    assert 0.027 <= sum(value.count(b"null") for value in values) / (20 * len(values)) <= 0.033


def test_records_of_a_model_stay_in_one_partition_unless_it_is_the_only_one() -> None:
    places = {key: partition for partition, key, _ in Flow(20, 8, 2_000).records()}
    assert places == {f"model-{number:03}".encode(): number % 8 for number in range(20)}
    hot = {key: partition for partition, key, _ in Flow(1, 8, 2_000).records()}
    assert hot == {f"model-000#{part}".encode(): part for part in range(8)}


def test_events_of_any_key_lie_in_every_partition_of_their_model() -> None:
    flow = Flow(5, 4, 2_000, keyed="any")
    found = {(json.loads(value)["model"], partition) for partition, _, value in flow.records()}
    assert len(found) == 20
    assert len({key for _, key, _ in flow.records()}) == 2_000


@pytest.mark.parametrize("flow", [Flow(1, 8, 500), Flow(20, 8, 500), Flow(5, 4, 500, keyed="any")])
def test_what_must_be_counted_is_what_was_sent(flow: Flow) -> None:
    sent = [json.loads(value) for _, _, value in flow.records()]
    for model, of in wanted(flow).items():
        events = [event for event in sent if event["model"] == model]
        values = [event["features"]["num03"] for event in events]
        assert of.events == len(events)
        assert (sum(of.bins["num03"]), of.missing["num03"]) == (
            500 // flow.models - values.count(None),
            values.count(None),
        )
        assert of.names["cat1"] == Counter(str(event["features"]["cat1"]) for event in events)


@pytest.mark.parametrize("written", ["lists", "packed"])
def test_a_columnar_record_holds_the_rows_that_single_events_would(written: Written) -> None:
    flow = Columnar(2, 2, 4, 50, written)
    rows = [row for _, _, value in flow.records() for row in rows_of(json.loads(value))]
    models, distinct = flow.rows()
    bodies = table(DISTINCT, seed=2).bodies()
    assert [row["model"] for row in rows] == [name(number) for number in models.tolist()]
    assert [row["timestamp"] for row in rows] == [START_MS + at * SPAN_MS // 200 for at in range(200)]
    wanted = [json.loads(b"{" + bodies[row]) for row in distinct.tolist()]
    assert (
        json.loads(json.dumps([{key: row[key] for key in wanted[0]} for row in rows]).replace("NaN", "null")) == wanted
    )


def test_ratios_are_to_the_stock_agent_and_to_reading_and_the_slowest_whole_path_speaks_for_all(tmp_path: Path) -> None:
    rates = {BASE: 20_000.0, READING: 400_000.0, "driftline_1": 90_000.0, "driftline_20": 150_000.0}
    results = {name: Figures(1, rate, rate) for name, rate in (rates | {"driftline_200": 80_000.0}).items()}
    write_json(results, tmp_path / "bench.json", absent={"quix": "not here"})
    found = json.loads((tmp_path / "bench.json").read_text())
    slowest = {"events": 1, "per_cpu_s": 80_000, "per_wall_s": 80_000, "ratio": 4.0, "cost": 5.0}
    assert (found["driftline"], found["driftline_200"], found["driftline_1"]["cost"]) == (slowest, slowest, 4.44)
    assert (found["quix"], found["reasons"]) == (None, {"quix": "not here"})
    assert found["transport_counting"] == found["read_only"]


def race(those: Iterable[Contender], stage: Stage) -> dict[str, Figures]:
    """The figures of each contender, one after another."""
    return {contender.name: stage.measure(contender) for contender in those}


def in_process(flow: Flow | Columnar) -> dict[str, Figures]:
    """The figures of the parts."""
    parts = Parts(flow)
    return {"decode_only": parts.decode_only(), "count_only": parts.count_only()}


def present(those: Iterable[Contender]) -> list[Contender]:
    """Those that can run here."""
    return [each for each in those if not each.missing]


def absent(those: Iterable[Contender]) -> dict[str, str]:
    """The others, and why they cannot."""
    return {each.name: each.missing for each in those if each.missing}


def processed(results: dict[str, Figures], those: Iterable[Contender]) -> dict[str, int]:
    """By contender."""
    return {contender.name: results[contender.name].events for contender in present(those)}


def sent(those: Iterable[Contender]) -> dict[str, int]:
    """By contender."""
    return {contender.name: contender.flow.events for contender in present(those)}


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def telling() -> Iterator[Told]:
    """A line of progress for everything that takes its time."""
    with Progress() as progress:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield tell
