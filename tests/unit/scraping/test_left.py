"""What a scraper leaves to the next: what came between is counted, once; a file that helps nobody hurts nobody."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from stream.scraping.counters import Counters
from stream.scraping.left import leave, meaning, take
from stream.scraping.meters import Meter, Owner, Reading, Series
from tests.support.exporter import LLAMA, batches, cells, page, parts, said, seen, target

CHAT = target("vllm", models={LLAMA: "chat"})


def test_the_next_process_goes_on_from_the_last_scrape(tmp_path: Path) -> None:
    leave(tmp_path / "state", {meaning(CHAT): seen(CHAT, page("vllm"))})
    counters = take(tmp_path / "state")[meaning(CHAT)]
    later = said(page("vllm_later"), CHAT).reading
    assert later is not None
    counters.see(later, at_ms=600_000)

    [there], [straight] = batches(counters), batches(seen(CHAT, page("vllm"), page("vllm_later")))
    assert {name: cells(there, name) for name in ("status", "latency_s", "input_tokens")} == {
        name: cells(straight, name) for name in ("status", "latency_s", "input_tokens")
    }
    assert there["timestamp"][-1] == 600_000


def test_what_kafka_had_not_taken_waits_in_the_file(tmp_path: Path) -> None:
    counters = seen(CHAT, page("vllm"), page("vllm_later"))
    counters.next_parts(7)
    leave(tmp_path / "state", {meaning(CHAT): counters})
    again = take(tmp_path / "state")[meaning(CHAT)]

    assert again.waiting == 13
    assert parts(again) == parts(counters)


def test_a_file_is_taken_once(tmp_path: Path) -> None:
    leave(tmp_path / "state", {meaning(CHAT): seen(CHAT, page("vllm"))})
    assert [len(take(tmp_path / "state")) for _ in range(2)] == [1, 0]


def test_a_target_that_was_never_answered_leaves_nothing(tmp_path: Path) -> None:
    leave(tmp_path / "state", {meaning(CHAT): Counters()})
    assert take(tmp_path / "state") == {}


def test_a_target_that_means_something_else_now_begins_anew() -> None:
    others = [
        target("vllm", models={LLAMA: "chat-2"}),
        target("vllm", models={LLAMA: "chat"}, url="http://127.0.0.1:2/metrics"),
        target("vllm", models={LLAMA: "chat"}, version="2"),
        target("triton", models={LLAMA: "chat"}),
    ]
    assert len({meaning(each) for each in [CHAT, *others]}) == 5
    assert meaning(target("vllm", models={LLAMA: "chat"}, every_ms=1_000, name="other")) == meaning(CHAT)


@pytest.mark.parametrize("content", [b"garbage", b'{"targets": {"a": {"meters": 3}}}', b"\xff\xfe"])
def test_garbage_is_said_and_counting_begins_anew(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert take(tmp_path / "state") == {}
    assert "is no state of a scraper" in caplog.text


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--state: cannot be written"):
        take(tmp_path / "no folder" / "state")
    with pytest.raises(ConfigError, match="--state: cannot be written"):
        take(tmp_path)


def test_labels_and_sums_survive(tmp_path: Path) -> None:
    series = Series(Owner("m", "2"), "latency", frozenset({("engine", "0"), ("a", "b")}))
    counters = Counters()
    for number in range(2):
        counters.see(Reading({series: Meter(0.1 + number)}, 17.5), at_ms=number)
    leave(tmp_path / "state", {"m": counters})
    known, waiting = take(tmp_path / "state")["m"].left

    assert known is not None
    assert (dict(known.meters), known.started, known.seen_ms) == ({series: Meter(1.1)}, 17.5, 1)
    assert waiting == counters.left[1]
