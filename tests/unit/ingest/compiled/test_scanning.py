"""The compiled scanner reads what Python reads, and leaves to it what is not sure: rows, refusals and panes are the same."""

from __future__ import annotations

import json
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest

from schemas.names import Stream
from stream.ingest.buffer import Buffer
from stream.ingest.plan import StreamPlan
from stream.records import Records
from tests.bench.events import Flow
from tests.bench.in_process import plans_of
from tests.support.ingest import NOON, Stored, event
from tests.support.mutation import mutant
from tests.support.scanned import by_python, panes, rows, stored, taken
from tests.unit.ingest.test_two_paths_agree import EVENTS, PLANS, taught_plan

STREAMS: tuple[Stream, ...] = ("predictions", "labels", "serving")
TREES = PLANS["predictions"]


def written(found: dict[str, Any], *, separators: tuple[str, str] = (",", ":")) -> bytes:
    return json.dumps(found, separators=separators, ensure_ascii=False).encode()


@pytest.mark.parametrize("stream", STREAMS)
def test_ordinary_events_are_scanned_however_they_are_spaced(stream: Stream) -> None:
    """Else all of the below compares Python with itself."""
    values = [written(found) for found in EVENTS[stream]]
    values += [written(found, separators=(" ,\n", "\t: ")) + b" \r\n" for found in EVENTS[stream]]
    values += [written(dict(reversed(found.items()))) for found in EVENTS[stream]]
    assert taken(PLANS[stream], values) == len(values)


def mutants(stream: Stream, count: int, seed: int) -> list[bytes]:
    chance = Random(seed)
    return [mutant(chance.choice(EVENTS[stream]), chance) for _ in range(count)]


def assert_same(plan: StreamPlan, records: list[Stored]) -> None:
    assert rows(plan, records) == rows(by_python(plan), records)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("runs_of", "count"), [(1, 200), (7, 2100), (1500, 4500)])
def test_damaged_events_leave_the_rows_that_python_leaves(stream: Stream, runs_of: int, count: int) -> None:
    values = mutants(stream, count, seed=runs_of)
    assert 0.1 * count < taken(PLANS[stream], values) < 0.8 * count
    for first in range(0, count, runs_of):
        assert_same(PLANS[stream], stored(values[first : first + runs_of]))


@pytest.mark.long
@pytest.mark.parametrize("stream", STREAMS)
def test_a_million_damaged_events_leave_the_rows_that_python_leaves(stream: Stream) -> None:
    for seed in range(84):
        assert_same(PLANS[stream], stored(mutants(stream, 4000, seed)))


@pytest.mark.parametrize("stream", STREAMS)
def test_names_that_were_learned_are_passed_over_and_counted(stream: Stream) -> None:
    plan, values = taught_plan(stream), []
    for found in EVENTS[stream]:
        more = found | {"note": "x", "weight": 3}
        if "features" in found:
            more["features"] = found["features"] | {"gust": 1.5, "<b>": None}
        values += [written(more), written(found)]
    assert taken(plan, values) == len(values)
    assert_same(plan, stored(values))


@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_stored_is_the_same_to_the_byte_however_runs_are_cut(stream: Stream) -> None:
    records = stored([written(found) for found in EVENTS[stream]] * 30 + mutants(stream, 600, seed=3))
    wanted = panes(by_python(PLANS[stream]), records, runs_of=1000)
    assert len(wanted["panes"]) > 1
    for runs_of in (1, 13, 1000):
        assert panes(PLANS[stream], records, runs_of=runs_of) == wanted


def test_the_events_of_the_bench_are_all_scanned_as_python_reads_them() -> None:
    flow = Flow(models=3, partitions=1, events=2000)
    plan = plans_of(flow)["predictions"]
    values = [value for _, _, value in islice(flow.records(), 2000)]
    assert taken(plan, values) == len(values)
    assert_same(plan, stored(values))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_record_ends_where_its_run_says_whatever_stands_behind(stream: Stream) -> None:
    """Every beginning of an event, in a text that goes on as the event does."""
    for found in EVENTS[stream]:
        text = written(found)
        whole = Records.of([Stored(text)])
        for end in range(len(text)):
            whole.values.end[0] = end
            held = Buffer().receive(whole, PLANS[stream].decoder.columns)
            assert PLANS[stream].decoder.scanner.scan(whole, held.rows, row=0, used=0)[0] == [0], text[:end]


#: Of a name's value: how it is written, and whether the scanner takes it.
NAMES = [
    (b'"UA"', True), (b'"\xc3\xa9"', True), (b'"\xf0\x9f\x98\x80"', True), (b'""', True), (b"7", True), (b"-7", True),
    (b"true", True), (b"false", True), (b"null", True), (b"7.0", True), (b"-7.0", True), (b"0.0", True),
    (b"-0.0", True), (b"1.5", True), (b"9223372036854775807", True), (b"1e3", False), (b"-0", False),
    (b"9223372036854775808", False), (b'"\\u0055A"', False), (b'"\xc3x"', False),
    (b'"\xe0\x80\x80"', False), (b'"\xf0\x80\x80\x80"', False), (b'"\xe2\x82"', False),
    (b'"\xc0\xaf"', False), (b'"\xed\xa0\x80"', False),
    (b'"\xf4\x90\x80\x80"', False), (b'"\xe9"', False), (b'"a\x1f"', False), (b"NaN", False), (b"[]", False),
    (b"{}", False), (b"tru", False), (b"nul", False), (b"07", False), (b"1.", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sure"), NAMES)
def test_names_in_every_spelling(name: bytes, sure: bool) -> None:
    value = b'{"model":"trees","timestamp":%d,"features":{"carrier":%s,"tail":%s}}' % (NOON, name, name)
    assert taken(TREES, [value]) == sure
    assert_same(TREES, stored([value, event()]))


#: What an event holds that is left to Python.
LEFT = [
    b'"model":"prices"', b'"timestamp":1357034400000', b'"control":"watermark"', b'"timestamp":"2013-01-01T10:00:00Z"',
    b'"features":null', b'"features":[]', b'"features":{"temp":1,"temp":2}', b'"features":{"gust":1}', b'"features":{"temp":true}',
    b'"features":{"temp":"1"}', b'"features":{"temp":[1]}', b'"features":{"temp":1,}', b'"features":{,}', b'"latency_s":-1',
    b'"status":"ok"', b'"segments":{"a":1.5}', b'"segments":{"a":{}}', b'"service":7', b'"version":1.5', b'"prediction":null',
    b'"prediction":{"score":"high"}', b'"prediction":{"features":{}}', b'"f\\u0065atures":{}', b'"latency_s":1e400', b'"note":1',
]  # fmt: skip


@pytest.mark.parametrize("member", LEFT)
def test_what_is_odd_is_left_to_python(member: bytes) -> None:
    value = b'{"model":"trees","timestamp":%d,%s}' % (NOON, member)
    assert taken(TREES, [value]) == 0
    assert_same(TREES, stored([event(), value, event()]))


@pytest.mark.parametrize("behind", [b"{}", b",", b"}", b"x", b"\x00", b'""'])
def test_nothing_stands_behind_an_event(behind: bytes) -> None:
    assert taken(TREES, [event() + behind, event() + b" \n"]) == 1
    assert_same(TREES, stored([event() + behind, event()]))


@pytest.mark.parametrize(
    "time", [b"99999999999", b"100000000000", b"4000000000000.5", b"1357034400000.9", b"1.3570344e12"]
)
def test_times_at_the_ends_of_what_is_one(time: bytes) -> None:
    value = b'{"timestamp":%s,"model":"trees"}' % time
    assert_same(TREES, stored([value]))
    assert taken(TREES, [value]) == (time not in (b"99999999999", b"4000000000000.5"))


@pytest.mark.parametrize("value", [b'{"id":""', b'{"id":null', b'{"outcome":1', b'{"id":null,"score":null'])
def test_a_label_that_says_nothing_of_whose_it_is_is_left(value: bytes) -> None:
    found = [value + b',"model":"trees","timestamp":%d}' % NOON, b'{"model":"trees","id":"a","timestamp":%d}' % NOON]
    assert taken(PLANS["labels"], found) == 1
    assert_same(PLANS["labels"], stored(found))


def test_a_thousand_models_that_are_alike_have_one_form() -> None:
    plan = plans_of(Flow(models=30, partitions=1, events=1))["predictions"]
    assert len(plan.decoder.scanner.tables.forms) == 1
    assert np.unique(plan.decoder.scanner.tables.models[:, 2]).tolist() == list(range(30))
