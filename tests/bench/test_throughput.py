"""What a CPU-second of a worker buys: a stock Faust agent, our transport and the whole path, in one run on one machine.

``make bench`` runs the long form and writes ``build/bench.json``; the short form, in ``make test``, shows that the bench
itself runs and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress, TaskID

from tests.bench.contest import ROOT, Contender, Stage, Told, contenders
from tests.bench.events import Flow
from tests.bench.in_process import Parts
from tests.bench.report import BASE, as_table, lowest, ratio, write_json
from tests.bench.sampling import Figures

LONG = contenders(stock=120_000, transport=2_000_000, driftline=800_000)
#: One of each kind: starting and applying takes longer than counting so few.
SHORT = [each for each in contenders(stock=2_000, transport=5_000, driftline=5_000) if each.flow.models == 20]
IN_PROCESS = Flow(20, 8, 200_000)


@pytest.mark.bench
def test_the_whole_path_is_faster_than_a_stock_faust_agent_that_only_counts(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    with telling() as tell:
        results = race(LONG, Stage(kafka_bootstrap, redis_url, tmp_path, tell))
    results |= in_process(IN_PROCESS)
    Console(width=120).print(as_table(results))
    write_json(results, ROOT / "build" / "bench.json")
    assert processed(results, LONG) == sent(LONG)
    assert [results[name].events for name in ("decode_only", "count_only")] == [IN_PROCESS.events] * 2
    assert ratio(results, lowest(results)) > 1


def test_every_contender_processes_exactly_what_was_sent(kafka_bootstrap: str, redis_url: str, tmp_path: Path) -> None:
    results = race(SHORT, Stage(kafka_bootstrap, redis_url, tmp_path, lambda what, done, total: None))
    assert processed(results, SHORT) == sent(SHORT)


def test_parts_of_the_path_count_every_event() -> None:
    assert {name: one.events for name, one in in_process(Flow(3, 1, 5_000)).items()} == {
        "decode_only": 5_000,
        "count_only": 5_000,
    }


def test_an_event_has_about_420_bytes_and_3_percent_nulls() -> None:
    values = [value for _, _, value in Flow(20, 8, 2_000).records()]
    assert 410 <= sum(map(len, values)) / len(values) <= 430
    assert 0.027 <= sum(value.count(b"null") for value in values) / (20 * len(values)) <= 0.033


def test_records_of_a_model_stay_in_one_partition_unless_it_is_the_only_one() -> None:
    places = {key: partition for partition, key, _ in Flow(20, 8, 2_000).records()}
    assert places == {f"model-{number:03}".encode(): number % 8 for number in range(20)}
    hot = {key: partition for partition, key, _ in Flow(1, 8, 2_000).records()}
    assert hot == {f"model-000#{part}".encode(): part for part in range(8)}


def test_a_ratio_is_to_the_stock_agent_and_the_slowest_whole_path_speaks_for_all() -> None:
    rates = {BASE: 20_000.0, "driftline_1": 90_000.0, "driftline_20": 150_000.0, "driftline_200": 80_000.0}
    results = {name: Figures(1, rate, rate) for name, rate in rates.items()}
    assert (lowest(results), ratio(results, "driftline_200")) == ("driftline_200", 4.0)


def race(those: Iterable[Contender], stage: Stage) -> dict[str, Figures]:
    """The figures of each contender, one after another."""
    return {contender.name: stage.measure(contender) for contender in those}


def in_process(flow: Flow) -> dict[str, Figures]:
    """The figures of the parts."""
    parts = Parts(flow)
    return {"decode_only": parts.decode_only(), "count_only": parts.count_only()}


def processed(results: dict[str, Figures], those: Iterable[Contender]) -> dict[str, int]:
    """By contender."""
    return {contender.name: results[contender.name].events for contender in those}


def sent(those: Iterable[Contender]) -> dict[str, int]:
    """By contender."""
    return {contender.name: contender.flow.events for contender in those}


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
