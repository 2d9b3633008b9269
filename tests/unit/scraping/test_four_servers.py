"""What the pages of the four servers become, by numbers that can be read off the pages."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.events import parse_record
from schemas.kinds import Serving
from stream.scraping.batches import records
from stream.scraping.counters import Counters
from stream.scraping.meters import Meter
from stream.scraping.rows import rows_of
from stream.state.columns import LATENCY_S, TOKENS
from tests.support.exporter import LLAMA, batches, cells, page, parts, said, seen, target

CHAT = target("vllm", models={LLAMA: "chat"})


def test_the_first_scrape_is_a_baseline() -> None:
    assert seen(CHAT, page("vllm")).waiting == 0


def test_vllm_20_requests_of_which_2_failed() -> None:
    [batch] = batches(seen(CHAT, page("vllm"), page("vllm_later")))

    assert (batch["model"], "version" in batch) == ("chat", False)
    assert cells(batch, "status").count("error") == 2
    assert batch["timestamp"] == list(range(750, 15_001, 750))
    assert sum(cells(batch, "latency_s")) == pytest.approx(100.5, rel=1e-12)
    assert sum(cells(batch, "input_tokens")) == pytest.approx(1300, rel=1e-12)
    assert sum(cells(batch, "output_tokens")) == pytest.approx(580, rel=1e-12)


def test_every_bucket_of_vllm_is_as_full_as_it_says() -> None:
    [batch] = batches(seen(CHAT, page("vllm"), page("vllm_later")))
    bounds = [0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0]
    latencies = np.array(cells(batch, "latency_s"))

    upto = [int((latencies <= bound).sum()) for bound in bounds]
    assert upto == np.cumsum([1, 4, 6, 3, 2, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]).tolist()
    tokens = np.histogram(
        cells(batch, "input_tokens"), [0, *(np.nextafter(b, np.inf) for b in (10, 20, 50, 100, 200, 500))]
    )
    assert tokens[0].tolist() == [0, 2, 8, 6, 3, 1]


def test_driftline_counts_what_the_exporter_counted_wherever_their_edges_meet() -> None:
    [batch] = batches(seen(CHAT, page("vllm"), page("vllm_later")))
    inside = np.searchsorted(LATENCY_S, cells(batch, "latency_s"), side="right")

    # Edges of both: 0.5, 1, 2, 5, 10, 30 and 60 s; below them there are, by the page, 5, 14, 17, 19, 19, 19 and 19.
    at = [LATENCY_S.index(np.nextafter(bound, np.inf)) for bound in (0.5, 1, 2, 5, 10, 30, 60)]
    assert [int((inside <= place).sum()) for place in at] == [5, 14, 17, 19, 19, 19, 19]
    tokens = np.searchsorted(TOKENS, cells(batch, "output_tokens"), side="right")
    assert np.bincount(tokens, minlength=8)[:8].tolist() == [0, 4, 6, 6, 3, 1, 0, 0]


def test_what_is_published_is_what_the_contract_reads() -> None:
    counters = seen(CHAT, page("vllm"), page("vllm_later"), from_ms=1_763_800_000_000)
    [(owner, part)] = counters.next_parts(100)
    [record] = records(owner, rows_of(part))

    events = parse_record("serving", record.value)
    assert (record.key, record.events, len(events)) == ("chat", 20, 20)
    assert all(isinstance(event, Serving) and event.latency_s is not None for event in events)


def test_old_vllm_without_histograms_of_tokens_gives_the_mean() -> None:
    text = 'vllm:request_success_total{{finished_reason="stop",model_name="m"}} {}\nvllm:prompt_tokens_total{{model_name="m"}} {}\n'
    [batch] = batches(seen(target("vllm"), text.format(5, 100), text.format(9, 500)))

    assert (batch["model"], batch["input_tokens"], batch["status"], len(batch["timestamp"])) == (
        "m",
        100.0,
        "success",
        4,
    )
    assert "latency_s" not in batch


def test_a_collector_that_writes_vllms_names_without_colons_says_the_same() -> None:
    pages = page("vllm"), page("vllm_later")
    assert batches(seen(CHAT, *(text.replace(b"vllm:", b"vllm_") for text in pages))) == batches(seen(CHAT, *pages))


def test_triton_by_model_and_version_with_the_mean_latency() -> None:
    found = batches(seen(target("triton"), page("triton"), page("triton_later")))
    first, second = sorted(found, key=lambda batch: batch["version"])

    assert (first["model"], first["version"], len(first["timestamp"])) == ("resnet50", "1", 42)
    assert cells(first, "status").count("error") == 2
    latencies = [value for value in cells(first, "latency_s") if value is not None]
    assert (len(latencies), sum(latencies)) == (40, pytest.approx(0.5))
    assert (second["version"], len(second["timestamp"]), second["latency_s"]) == ("2", 10, pytest.approx(0.008))


def test_torchserve_names_failures_of_no_model() -> None:
    later = page("torchserve").replace(b"} 3.0", b"} 13.0").replace(b"290371.129", b"1290371.129")
    later = later.replace(b'Hostname="serve-1",} 1.0', b'Hostname="serve-1",} 3.0')
    [several] = batches(seen(target("torchserve"), page("torchserve"), later))
    [single] = batches(seen(target("torchserve", model="images", version="7"), page("torchserve"), later))

    assert (several["model"], several["version"], several["status"]) == ("resnet18", "1.0", "success")
    assert several["latency_s"] == pytest.approx(0.1)
    assert (single["model"], single["version"], cells(single, "status").count("error")) == ("images", "7", 2)


def test_a_model_that_models_does_not_name_is_left_out() -> None:
    assert said(page("vllm"), target("vllm", models={"other": "x"})).series == 0


def test_dcgm_samples_in_the_words_of_the_agent() -> None:
    one, two = said(page("dcgm"), target("dcgm"), at_ms=1_763_800_000_000).samples

    assert one == {
        "timestamp": 1_763_800_000_000,
        "gpu": "0",
        "uuid": "GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52",
        "host": "node-7",
        "metrics": {
            "utilization_ratio": pytest.approx(0.87),
            "memory_utilization_ratio": pytest.approx(0.41),
            "memory_used_bytes": 40000 * 2**20,
            "memory_free_bytes": 41000 * 2**20,
            "memory_total_bytes": 81559 * 2**20,
            "temperature_celsius": 48,
            "memory_temperature_celsius": 52,
            "power_watts": 312.456,
            "energy_joules": pytest.approx(5216532.5),
            "sm_clock_hertz": 1_410_000_000,
            "memory_clock_hertz": 2_619_000_000,
            "available": 1,
        },
    }
    # Its memory's temperature and its reserved memory are blanks: absent, and so is the total that would need it.
    assert "memory_temperature_celsius" not in two["metrics"]
    assert "memory_total_bytes" not in two["metrics"]
    assert (two["metrics"]["xid"], two["metrics"]["utilization_ratio"]) == (79, 0)


def test_instances_of_a_divided_gpu_are_told_apart() -> None:
    text = "".join(f'DCGM_FI_DEV_FB_USED{{gpu="0",UUID="GPU-a",GPU_I_ID="{n}"}} {n}\n' for n in ("", "7", "8"))
    assert [event["gpu"] for event in said(text.replace('"} \n', '"} 1\n'), target("dcgm")).samples] == [
        "0",
        "0:7",
        "0:8",
    ]


def test_a_pages_series_that_no_map_names_cost_nothing_and_change_nothing() -> None:
    more = page("vllm") + b"".join(b'other_total{path="/%d"} NaN\n' % n for n in range(50_000))
    assert said(more, CHAT).reading == said(page("vllm"), CHAT).reading


def test_open_metrics_says_the_same() -> None:
    name = "vllm:request_success"
    text = f'# TYPE {name} counter\n{name}_total{{finished_reason="stop",model_name="m"}} %d # {{id="a"}} 1 2\n# EOF\n'
    counters = Counters()
    for number, value in enumerate((4, 7)):
        found = said(text % value, target("vllm"), content_type="application/openmetrics-text; version=1.0.0").reading
        assert found is not None
        counters.see(found, at_ms=number)
    assert parts(counters)[("m", None)][0].rows == 3


def test_exemplars_and_times_of_creation_are_no_numbers_of_requests() -> None:
    name = "vllm:e2e_request_latency_seconds"
    lines = [
        f"# TYPE {name} histogram\n",
        f'{name}_bucket{{le="0.3",model_name="m"}} 2 # {{trace_id="KOO5"}} 0.067 1.7e9\n',
        f'{name}_bucket{{le="+Inf",model_name="m"}} 5 # {{trace_id="9xLq"}} 2.5\n',
        f'{name}_count{{model_name="m"}} 5\n{name}_sum{{model_name="m"}} 3.5\n{name}_created{{model_name="m"}} 1.7e9\n# EOF\n',
    ]
    found = said("".join(lines), target("vllm"), content_type="application/openmetrics-text; version=1.0.0").reading
    assert found is not None
    assert [*found.meters.values()] == [Meter(3.5, (0.3,), (2.0, 3.0))]


def test_of_a_summary_the_sum_is_read_and_no_quantile() -> None:
    name = "vllm:e2e_request_latency_seconds"
    text = f'{name}{{model_name="m",quantile="0.5"}} NaN\n{name}_sum{{model_name="m"}} 12\n{name}_count{{model_name="m"}} 3\n'
    found = said(text, target("vllm")).reading
    assert found is not None
    assert Meter(12.0) in found.meters.values()


def test_where_several_processes_say_when_they_began_none_of_it_is_known() -> None:
    both = 'process_start_time_seconds{pid="1"} 5\nprocess_start_time_seconds{pid="2"} 9\n'
    found = [said(text, target("vllm")).reading for text in (both, "process_start_time_seconds 5\n")]
    assert [reading.started for reading in found if reading is not None] == [None, 5.0]


def test_a_sample_without_a_host_is_of_the_host_that_was_asked() -> None:
    [event] = said(
        'DCGM_FI_DEV_GPU_TEMP{gpu="3",UUID="GPU-a"} 40\n', target("dcgm", url="http://node-9:9400/metrics")
    ).samples
    assert (event["host"], event["metrics"]) == ("node-9", {"temperature_celsius": 40, "available": 1})
