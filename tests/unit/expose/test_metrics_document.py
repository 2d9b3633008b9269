"""``docs/metrics.md`` and the exposition name the same series, and Prometheus' own linter finds nothing to say of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, cast

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from schemas.names import Names
from stream.expose.configured import NAME as CONFIGURED
from stream.expose.metrics import WorkerMetrics
from stream.expose.model_families import COUNTERS, GAUGES, HISTOGRAMS
from stream.expose.model_series import Exported, series
from stream.expose.models import ModelExporter
from stream.expose.service_metrics import EvaluationMetrics
from stream.scraping.metrics import ScrapeMetrics
from stream.state.patience import Patience
from stream.webhook.metrics import WebhookMetrics
from stream.webhook.receive import Tally
from tests.support.exposition import REPORT, TOTALS, Fixed
from tests.support.models import monitor
from tests.support.source import ROOT

Series = tuple[str, str, tuple[str, ...]]

#: Versions as a producer or a file may write them: what ends a label, a line, a page.
HOSTILE = (
    '4"} 1\nmodel_version_info{model_name="m",version="5', "\x00\x1b[31m\u202e\u2028", "\\", "\\n", "<script>", "x" * 200,
)  # fmt: skip
ROW = re.compile(r"^\| (`[^|]+`) \| (counter|gauge|histogram)(?:: ([^|]+))? \|", re.MULTILINE)


def documented() -> set[Series]:
    """(name, type, labels) of every row of the tables."""
    text = (ROOT / "docs" / "metrics.md").read_text().split("## Series of the GPU agent")[0]
    return {
        (name, kind, tuple(sorted(re.findall(r"`([^`]+)`", labels))))
        for names, kind, labels in ROW.findall(text)
        for name in re.findall(r"`([^`]+)`", names)
    }


def exported() -> set[Series]:
    """The same, as the worker, the scraper and the webhook make them."""
    metrics = WorkerMetrics()
    own_registry = (EvaluationMetrics(metrics.registry), metrics.incidents, metrics.gpus, metrics.caps)
    parts: list[Any] = [metrics, *own_registry, ScrapeMetrics(), WebhookMetrics(Tally())]
    made = [one for part in parts for one in vars(part).values() if isinstance(one, MetricWrapperBase)]
    own = {_series(one._name, one._type or "", one._labelnames) for one in made}
    kinds = ((COUNTERS, "counter"), (HISTOGRAMS, "histogram"), (GAUGES, "gauge"))
    of_models = {_series(name, kind, labels) for families, kind in kinds for name, _, labels in families}
    collected = {_series("driftline_series_dropped", "counter", ()), _series(CONFIGURED, "gauge", ("model_name",))}
    return own | of_models | collected


def _series(name: str, kind: str, labels: tuple[str, ...]) -> Series:
    return (f"{name}_total" if kind == "counter" else name, kind, tuple(sorted(labels)))


def test_the_document_lists_every_series_with_its_type_and_labels_and_no_other() -> None:
    assert documented() == exported()


def test_no_two_processes_export_one_name_with_other_labels() -> None:
    """Prometheus would take both, and a sum of them would mean nothing."""
    names = [
        name
        for names, _, _ in ROW.findall((ROOT / "docs" / "metrics.md").read_text())
        for name in re.findall(r"`([^`]+)`", names)
    ]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_no_two_parts_of_a_worker_export_one_name() -> None:
    metrics = WorkerMetrics()
    exporter = ModelExporter(cast(Redis, None), Names(), list, patience=Patience())
    EvaluationMetrics(metrics.registry)
    metrics.registry.register(exporter)  # refuses a name that is taken
    assert b"driftline_series_dropped_total 0.0" in generate_latest(metrics.registry)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus")
def test_promtool_finds_nothing_to_say_of_the_exposition() -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page(), capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("version", HOSTILE)
def test_a_version_of_any_name_is_a_label_that_prometheus_reads(version: str) -> None:
    text = page({f"version:{version}": 1, "version:4": 1}, release=(version, 0.25))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    read = [one for family in text_string_to_metric_families(text) for one in family.samples]
    shown = {one.labels["version"]: one.value for one in read if one.name == "model_version_info"}
    assert shown == {version: 1, "4": 1}
    assert [one.labels["version"] for one in read if one.value == 0.25 and "release" in one.name] == [version]


def page(versions: Mapping[str, int] | None = None, *, release: tuple[str, float] | None = None) -> str:
    """A page with a sample of every family."""
    metrics = WorkerMetrics()
    for part in (metrics, EvaluationMetrics(metrics.registry), metrics.incidents):
        for one in vars(part).values():
            if isinstance(one, MetricWrapperBase) and one._labelnames:
                one.labels(*("x" for _ in one._labelnames))
    found = series(Exported("m", monitor()), TOTALS | dict(versions or {}), REPORT, release=release)
    metrics.registry.register(Fixed(found))
    return generate_latest(metrics.registry).decode()
