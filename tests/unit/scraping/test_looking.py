"""``driftline scrape --once``, and the scraper's own series."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from schemas.targets import load_targets
from stream.scraping.metrics import Sampler, ScrapeMetrics
from stream.scraping.run import look
from stream.scraping.tally import Tally
from tests.support.command import driftline
from tests.support.exporter import exporter, page, telling


def written(folder: Path, *urls: tuple[str, str]) -> Path:
    lines = [f"  - {{url: '{url}', kind: {kind}, name: {kind}}}\n" for url, kind in urls]
    (folder / "targets.yaml").write_text("targets:\n" + "".join(lines))
    return folder / "targets.yaml"


def test_a_look_says_what_each_target_has_counted(tmp_path: Path) -> None:
    async def run() -> list[tuple[str, bool | None, int, dict[str, int]]]:
        async with exporter(telling(page("triton"))) as triton, exporter(telling(page("dcgm"))) as dcgm:
            file = written(tmp_path, (triton, "triton"), (dcgm, "dcgm"), ("http://127.0.0.1:1/", "vllm"))
            found = await asyncio.to_thread(look, load_targets(file))
        return [(watch.tally.target, watch.tally.up, gpus, requests) for watch, gpus, requests in found]

    assert asyncio.run(run()) == [
        ("triton", True, 0, {"resnet50": 8304, "bert-large": 3401}),
        ("dcgm", True, 2, {}),
        ("vllm", False, 0, {}),
    ]


def test_the_command_prints_it_and_ends_with_1_where_a_target_fails(tmp_path: Path) -> None:
    ended = driftline("scrape", str(written(tmp_path, ("http://127.0.0.1:1/metrics", "vllm"))), "--once", "--json")

    assert (ended.code, '"state": "failing"' in ended.out, '"why": "connect: ' in ended.out) == (1, True, True)


def test_a_look_says_where_only_the_mean_of_latencies_is_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> list[bool]:
        async with exporter(telling(page("triton"))) as triton, exporter(telling(page("vllm"))) as vllm:
            found = await asyncio.to_thread(look, load_targets(written(tmp_path, (triton, "triton"), (vllm, "vllm"))))
        return [watch.tally.means for watch, _, _ in found]

    assert asyncio.run(run()) == [True, False]
    assert [each.getMessage()[:36] for each in caplog.records] == ["target triton has sums of latencies:"]


def test_a_wrong_file_ends_with_2(tmp_path: Path) -> None:
    ended = driftline("scrape", str(written(tmp_path, ("ftp://a", "vllm"))), "--once")

    assert (ended.code, ended.out) == (2, "")
    assert "targets.yaml:2: targets.0.url: must be a URL" in ended.err


def sampled(*tallies: Tally) -> str:
    metrics = ScrapeMetrics()
    Sampler(metrics, tallies).sample()
    return generate_latest(metrics.registry).decode()


def test_what_a_target_does_is_in_its_series() -> None:
    failing = Tally("a", up=False, last_success_s=1_763_800_000.0, published=7, waiting=3)
    failing.errors["timeout"] = 2
    text = sampled(failing, Tally("b"))

    assert 'driftline_scrape_target_up{target="a"} 0.0' in text
    assert 'driftline_scrape_errors_total{reason="timeout",target="a"} 2.0' in text
    assert 'driftline_scrape_errors_total{reason="redirect",target="b"} 0.0' in text
    assert 'driftline_scrape_published_events_total{target="a"} 7.0' in text
    assert 'driftline_scrape_last_success_timestamp_seconds{target="a"} 1.7638e+09' in text
    assert 'driftline_scrape_waiting_requests{target="a"} 3.0' in text
    assert 'up{target="b"}' not in text, "nothing is known of it yet"


def test_ready_once_every_target_was_asked() -> None:
    tallies = [Tally("a", up=False), Tally("b")]
    sampler = Sampler(ScrapeMetrics(), tallies)
    assert (sampler.ready(), sampler.health().says) == (False, "2 targets, 1 failing, 0 requests wait for Kafka")
    tallies[1].up = True
    assert sampler.ready()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_promtool_finds_nothing_to_say() -> None:
    text = sampled(Tally("a", up=True, last_success_s=1.0))
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
