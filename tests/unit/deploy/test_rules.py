"""The rule files: what they are called, what each alert carries, and that everything they read is exported by somebody."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import model_alerts, served_alerts
from tests.support.promtool import RULES, alert_rules, annotated, differs, fired, groups
from tests.support.source import ROOT

RECORDED = [rule for group in groups() for rule in group["rules"] if "record" in rule]
NAME = re.compile(
    r"(?<![\w:$\"{.])([a-z][a-z_]*:[a-z_]+:\w+|(?:driftline|model|feature|nvidia)_[a-z0-9_]+|up)(?=[\s){\[,]|$)"
)
LABELS = re.compile(r"(?:without|by|on|ignoring) \([^)]*\)")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: `make services` installs prometheus"
)


@needs_promtool
def test_promtool_takes_the_rules_and_finds_none_twice() -> None:
    files = [str(file) for file in sorted(RULES.glob("*.yml"))]
    assert len(files) == 6
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *files],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_look(rule: dict[str, Any]) -> None:
    name, said = rule["alert"], rule["annotations"]
    assert re.fullmatch(r"Driftline([A-Z][a-z]+)+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["labels"]["component"] in {"service", "model", "data", "gpu"}
    assert set(said) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert "{{" not in said["summary"]
    assert [text for text in (said["summary"], said["description"]) if not text.endswith(".")] == []
    assert said["runbook_url"] == f"docs/runbooks/{name}.md"
    assert re.match(r"http://127\.0\.0\.1:3000/d/driftline-(service|model|gpu)\b", said["dashboard_url"])


def test_rules_of_one_name_have_one_summary_and_differ_in_their_labels() -> None:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for rule in alert_rules():
        by_name.setdefault(rule["alert"], []).append(rule)
    for rules in by_name.values():
        assert len({rule["annotations"]["summary"] for rule in rules}) == 1
        assert len({tuple(sorted(rule["labels"].items())) for rule in rules}) == len(rules)


def test_what_is_recorded_says_its_level_its_series_and_what_was_done() -> None:
    names = [rule["record"] for rule in RECORDED]
    assert [name for name in names if not re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", name)] == []
    assert len(set(names)) == len(names)
    assert [rule["record"] for rule in RECORDED if "avg" in rule["expr"]] == []  # no mean of ratios


def test_every_series_that_a_rule_reads_is_exported_or_recorded_and_what_is_recorded_is_read() -> None:
    read = {name for rule in [*RECORDED, *alert_rules()] for name in NAME.findall(LABELS.sub("", rule["expr"]))}
    recorded = {rule["record"] for rule in RECORDED}
    document = (ROOT / "docs" / "metrics.md").read_text()
    exported = set(re.findall(r"`((?:driftline|model|feature|nvidia)_\w+)`", document)) | {"up"}
    unknown = {name for name in read - recorded if name.removesuffix("_bucket") not in exported}
    assert unknown == set()
    assert recorded - read == set()
    assert {"model_requests_total", "feature_last_updated_timestamp", "driftline_lag_records", "up"} < read


def test_a_share_of_errors_is_summed_over_the_status() -> None:
    """A division that is matched by ``status`` divides errors by themselves: it is 1 whenever one request fails."""
    [ratio] = [rule["expr"] for rule in RECORDED if rule["record"].endswith("errors_per_request:ratio_rate5m")]
    assert ratio.count("sum without (status)") == 3


BURNING = """\
m uses up its budget of latency 15 times faster than allowed, over 1h and still over 5m: 2% of a month's within an hour.\
"""
STALE = "temp of m got no value for 3h 0m 0s, longer than was promised."


@needs_promtool
@pytest.mark.parametrize(
    ("alert", "which", "labels", "summary", "description"),
    [
        ("DriftlineErrorBudgetBurn", 2, {"severity": "critical", "component": "model"},
         "A model uses up its error budget fast.", BURNING),
        ("DriftlineFeatureStale", 0, {"severity": "warning", "component": "data"},
         "A feature is not updated any more.", STALE),
    ],
)  # fmt: skip
def test_what_a_person_reads(
    alert: str, which: int, *, labels: dict[str, str], summary: str, description: str, tmp_path: Path
) -> None:
    case = (model_alerts.FIRES | served_alerts.FIRES)[alert][which]
    said = {"summary": summary, "description": description, "runbook_url": f"docs/runbooks/{alert}.md"}
    expected = {
        "exp_labels": {**case.fires[0], **labels},
        "exp_annotations": {**said, "dashboard_url": "http://127.0.0.1:3000/d/driftline-model?var-model=m"},
    }
    assert annotated(case, alert, expected, folder=tmp_path) == ""
    assert annotated(case, alert, folder=tmp_path) != ""


@needs_promtool
def test_the_rule_on_freshness_that_the_document_gives_to_users_tells_stale_from_fresh(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "metrics.md").read_text()
    [query] = re.findall(r"^```promql\n(time\(\) - feature_last_updated_timestamp.*?)^```$", document, re.M | re.S)
    stale, moved = model_alerts.FIRES["DriftlineFeatureStale"], model_alerts.QUIET["DriftlineFeatureStale"]
    for case in stale:
        assert differs(case, f"count({query})", 1, folder=tmp_path) == ""
    for case in moved:
        assert differs(case, f"count({query}) or vector(0)", 0, folder=tmp_path) == ""


@needs_promtool
def test_an_alert_that_differs_in_one_label_is_told(tmp_path: Path) -> None:
    [case] = model_alerts.FIRES["DriftlineFeatureMissing"]
    other = type(case)(case.series, [{**case.fires[0], "feature_name": "dewp"}])
    assert 'feature_name="dewp"' in fired([other], "DriftlineFeatureMissing", folder=tmp_path)
