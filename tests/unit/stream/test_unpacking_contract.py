"""The private names of aiokafka that ``stream/unpacking.py`` stands on, as ``test_transport_contract.py`` has the transport's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher

import stream.unpacking
from stream.unpacking import Fetched, Unpacked
from tests.support.contracts import parameters, told, touched

#: aiokafka's own: their names in its module stand for ours once a worker was built in this process.
RECORDS: Any = Unpacked.__base__
RESULT: Any = Fetched.__base__
#: Of objects; those of a class are in it by name.
KEPT = {
    RECORDS: {"_records", "_tp", "_isolation_level", "_aborted_producers"},
    RESULT: {"_partition_records", "_topic_partition"},
}
CALLED = {"_unpack_records", "_consume_aborted_up_to", "_contains_abort_marker", "_update_position"}
SIGNATURES: tuple[tuple[Callable[..., Any], str, str], ...] = (
    (RESULT.getall, "self, max_records", "Fetched.getall"),
    (RESULT.check_assignment, "self, tp", "Fetched.getall"),
    (RESULT._update_position, "self", "Fetched.getall"),
    (RECORDS._consume_aborted_up_to, "self, batch_offset", "Unpacked._is_passed_over"),
    (RECORDS._contains_abort_marker, "self, next_batch", "Unpacked._is_passed_over"),
)
FACTS: tuple[tuple[Any, str, str], ...] = (
    (
        AIOKafkaConnection.connect,
        r"asyncio\.StreamReader\(limit=READER_LIMIT,",
        "install() gives this name another value, for every connection",
    ),
    (
        AIOKafkaConnection._read,
        r"await reader\.readexactly\(size\)",
        "a response is read to its end at once, so that the reader's limit bounds no memory",
    ),
    (
        Fetcher._proc_fetch_request,
        r"records = MemoryRecords\(part_data\[-1\]\)\s+if records\.has_next\(\)[\s\S]*= PartitionRecords\([\s\S]*= FetchResult\("
        r"[\s\S]*elif records\.size_in_bytes\(\)",
        "install() puts Response, Unpacked and Fetched in the place of these three names",
    ),
    (
        Fetcher.fetched_records,
        r"type\(res_or_error\) is FetchResult:\s+records = res_or_error\.getall\(max_records\)\s+if not res_or_error\.has_more\(\)"
        r"[\s\S]*if not records:\s+continue\s+drained\[tp\] = records[\s\S]*max_records -= len\(drained\[tp\]\)",
        "Fetched.getall gives records, of which nothing but their number is asked, and has_more says when none are left",
    ),
    (
        RECORDS.__init__,
        r"self\._records_iterator = self\._unpack_records\(\)",
        "Unpacked._unpack_records keeps this from being a cycle",
    ),
    (
        RECORDS._unpack_records,
        r"validate_crc\(\)[\s\S]*_consume_aborted_up_to\(next_batch\.base_offset\)[\s\S]*discard\(next_batch\.producer_id\)"
        r"[\s\S]*next_batch\.is_transactional[\s\S]*if next_batch\.is_control_batch:\s+self\.next_fetch_offset = next_batch",
        "Unpacked tells these rules again, in this order",
    ),
)


def test_private_names_are_still_where_they_were() -> None:
    for owner, names in KEPT.items():
        made = inspect.getsource(owner.__init__)
        assert [name for name in names if f"self.{name} = " not in made] == [], told(owner.__name__, "it keeps these")
    assert [name for name in CALLED if not hasattr(RECORDS, name) and not hasattr(RESULT, name)] == []


@pytest.mark.parametrize(("function", "expected", "who"), SIGNATURES, ids=[f"{f.__qualname__}" for f, *_ in SIGNATURES])
def test_every_signature_is_what_is_called_or_overridden(function: Callable[..., Any], expected: str, who: str) -> None:
    assert parameters(function) == expected, told(who, f"{function.__qualname__} must take ({expected})")


@pytest.mark.parametrize(("where", "source", "why"), FACTS, ids=[where.__qualname__ for where, *_ in FACTS])
def test_every_fact_that_unpacking_takes_for_granted_still_holds(where: Any, source: str, why: str) -> None:
    assert re.search(source, inspect.getsource(where)), told(f"stream/unpacking.py: {why}", where.__qualname__)


def test_the_list_of_private_names_is_complete() -> None:
    text = Path(str(stream.unpacking.__file__)).read_text()
    typed = {"_partition_records", "_records"}  # a type is given to them, which looks like a name of its own
    assert touched(text, (RECORDS, RESULT)) | typed == CALLED.union(*KEPT.values())
