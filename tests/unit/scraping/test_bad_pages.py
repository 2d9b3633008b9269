"""Targets that do what no target should: each is failing with its reason, within its time, and its counters are as they were."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from schemas.monitored import SecretPlace
from stream.scraping import exposition
from stream.scraping import fetch as fetching
from stream.scraping.broken import Broken
from stream.scraping.fetch import fetch, session
from stream.scraping.watch import Watch
from tests.support.exporter import (
    TEXT,
    Answer,
    breaking_off,
    dripping,
    endless,
    exporter,
    hanging,
    nowhere,
    page,
    said,
    target,
    telling,
)

VLLM = target("vllm")
BUCKETS = 'vllm:e2e_request_latency_seconds_bucket{model_name="m",le="%s"} %s\n'


def histogram(*buckets: tuple[str, str]) -> str:
    return "".join(BUCKETS % bucket for bucket in buckets)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<html><body>nginx</body></html>\n", "not_exposition"),
        (b"\x00\xff\xfe garbage", "not_exposition"),
        (b'{"status": "ok"}\n', "not_exposition"),
        (page("vllm")[:-20], "truncated"),
        (page("vllm")[:1500], "truncated"),
        ('vllm:request_success_total{model_name="m} 3\n', "not_exposition"),
        ('vllm:request_success_total{model_name="m"} three\n', "not_exposition"),
        ('vllm:request_success_total{model_name="m"}\n', "not_exposition"),
        ('vllm:request_success_total{model_name="m"} NaN\n', "bad_value"),
        ('vllm:request_success_total{model_name="m"} +Inf\n', "bad_value"),
        ('vllm:request_success_total{model_name="m"} -3\n', "bad_value"),
        ('vllm:request_success_total{model_name="m"} 1e300\n', "bad_value"),
        ('vllm:request_success_total{model_name="m"} 9223372036854775808\n', "bad_value"),
        ('vllm:request_success_total{model_name="m"} ' + "9" * 400 + "\n", "bad_value"),
        ('vllm:request_success_total{model_name="m"} 3\n' * 2, "duplicate"),
        ('vllm:request_success_total{model_name="' + "x" * 2000 + '"} 3\n', "too_large"),
        ('vllm:request_success_total{model_name="' + "x" * 10_240 + '"} 3\n', "too_large"),
        (histogram(("1.0", "5"), ("2.0", "4"), ("+Inf", "6")), "bad_histogram"),
        (histogram(("1.0", "5"), ("2.0", "6")), "bad_histogram"),
        (histogram(("1.0", "5"), ("soon", "6"), ("+Inf", "6")), "bad_histogram"),
        (histogram(("1.0", "5"), ("1", "5"), ("+Inf", "6")), "bad_histogram"),
        (histogram(("1.0", "NaN"), ("+Inf", "6")), "bad_value"),
    ],
)
def test_a_page_that_is_not_believed(text: bytes | str, reason: str) -> None:
    with pytest.raises(Broken) as broken:
        said(text, VLLM)
    assert broken.value.reason == reason
    assert len(str(broken.value)) < 500


def test_open_metrics_without_its_end_is_cut_off() -> None:
    with pytest.raises(Broken, match="truncated"):
        said("a 1\n", VLLM, content_type="application/openmetrics-text")


def test_a_page_of_too_much_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "MOST_READ_BYTES", 10_000)
    lines = "".join(f'vllm:request_success_total{{model_name="m{n}"}} 3\n' for n in range(500))
    with pytest.raises(Broken, match="too_large"):
        said(lines, VLLM)


@pytest.mark.parametrize("line", [b"\n", b"a 1\n"])
def test_a_page_of_ever_so_many_lines_does_not_keep_others_waiting(line: bytes) -> None:
    whole = line * (fetching.MOST_BYTES // len(line))
    began = time.process_time()
    with pytest.raises(Broken, match="too_large: more than 250000 lines"):
        said(whole, VLLM)
    assert time.process_time() - began < 1.0


def test_a_line_made_to_take_long_does_not() -> None:
    began = time.process_time()
    for line in ("a{" + '"' * 400_000, "a" * 400_000 + "{", "a{" + 'b="\\"",' * 50_000, "a 1 " + " " * 400_000 + "x"):
        with pytest.raises(Broken):
            said(line + "\n", VLLM)
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hanging, "timeout"),
        (dripping, "timeout"),
        (endless, "too_large"),
        (breaking_off, "truncated"),
        (telling(b"moved\n", status=302, headers={"Location": "http://169.254.169.254/"}), "redirect"),
        (telling(b"no\n", status=503), "status"),
        (telling(b"a 1\n", headers={"Content-Type": "text/html"}), "content_type"),
        (telling(b"a 1\n", headers={"Content-Type": TEXT, "Content-Encoding": "gzip"}), "content_type"),
        (telling(b"\x89PNG\n"), "not_exposition"),
    ],
)
def test_a_target_that_misbehaves_fails_in_its_time(
    answer: Answer, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000_000)

    async def run() -> Watch:
        async with exporter(answer) as url, session() as client:
            made = target("vllm", url=url, timeout_ms=200)
            watch = Watch(made, fetch=partial(fetch, client), publish=nowhere)
            await watch.scrape()
            return watch

    tally = asyncio.run(run()).tally
    assert (tally.up, tally.reason, dict(tally.errors)) == (False, reason, {reason: 1})
    assert tally.last_success_s == 0


def test_a_page_may_be_as_long_as_is_said_and_no_byte_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 400)

    async def read(length: int) -> int:
        async with exporter(telling(b"#" * length)) as url, session() as client:
            return len((await fetch(client, target("vllm", url=url))).body)

    assert asyncio.run(read(400)) == 400
    with pytest.raises(Broken, match="too_large"):
        asyncio.run(read(401))


def test_nobody_there_and_nobody_of_that_name() -> None:
    async def run(url: str) -> str:
        async with session() as client:
            with pytest.raises(Broken) as broken:
                await fetch(client, target("vllm", url=url))
        return broken.value.reason

    assert [asyncio.run(run(f"http://{host}/metrics")) for host in ("127.0.0.1:1", "nobody.invalid")] == ["connect"] * 2


def test_a_failed_scrape_changes_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    answers = [page("vllm"), b"garbage", b"garbage", page("vllm_later")]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=answers.pop(0), headers={"Content-Type": TEXT})

    async def run() -> Watch:
        async with exporter(answer) as url, session() as client:
            watch = Watch(target("vllm", url=url), fetch=partial(fetch, client), publish=nowhere)
            for _ in range(4):
                await watch.scrape()
            return watch

    with caplog.at_level(logging.INFO, "stream.scraping"):
        tally = asyncio.run(run()).tally
    assert (tally.up, tally.waiting, dict(tally.errors)) == (True, 20, {"truncated": 2})
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "target vllm is failing: truncated",
        "target vllm answers again",
    ]


def test_no_target_waits_for_another() -> None:
    async def run() -> list[Watch]:
        async with exporter(hanging) as stuck, exporter(telling(page("vllm"))) as well, session() as client:
            urls = [stuck] * 20 + [well] * 3
            made = [target("vllm", name=str(n), url=url, every_ms=100, timeout_ms=60_000) for n, url in enumerate(urls)]
            watches = [Watch(one, fetch=partial(fetch, client), publish=nowhere) for one in made]
            tasks = [asyncio.create_task(watch.run()) for watch in watches]
            await asyncio.sleep(0.6)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return watches

    watches = asyncio.run(run())
    assert [watch.tally.up for watch in watches] == [None] * 20 + [True] * 3


def test_a_token_is_sent_and_one_that_is_missing_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization"))
        return web.Response(body=b"", headers={"Content-Type": TEXT})

    async def run(place: SecretPlace) -> Any:
        async with exporter(answer) as url, session() as client:
            return await fetch(client, target("vllm", url=url, bearer_token=place))

    asyncio.run(run(SecretPlace(file=str(tmp_path / "token"))))
    with pytest.raises(
        Broken, match="does not exist: write the secret into it, or name another place in the targets file"
    ):
        asyncio.run(run(SecretPlace(file=str(tmp_path / "none"))))
    assert asked == ["Bearer s3cret"]
