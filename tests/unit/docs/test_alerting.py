"""The alerting page says what the code does: its rules, severities, lengths and joins are compared with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from alerting.cause import AHEAD, SURE
from alerting.incident import JoinedBy
from alerting.policy import Timings
from alerting.receivers.receiver import TIMEOUT_S
from detectors.budget.limits import SLACKS
from schemas.durations import milliseconds_of
from schemas.incidents import EndReason
from schemas.monitored import GpuMonitor
from stream.evaluate.charts.limits import FIXED
from stream.evaluate.charts.named import NAMED_RULES
from stream.evaluate.columns.charted import RULES
from stream.evaluate.columns.rules import (
    BUDGET_RULES,
    LEAST_REQUESTS,
    LEAST_ROWS,
    NAME_RULES,
    NUMERIC_RULES,
    POOLED_RULE,
    RULE_OF_THUMB,
)
from stream.evaluate.gpus.rules import ERROR_MS, FULL_MS, FULL_SAMPLES
from stream.evaluate.gpus.rules import RULES as GPU_RULES
from stream.evaluate.gpus.rules import SEVERITIES as GPU_SEVERITIES
from stream.evaluate.gpus.silence import RULE as GPU_SILENT
from stream.evaluate.gpus.throttling import TROUBLE
from stream.evaluate.gpus.xids import grade_of
from stream.evaluate.quality.ids import RULE as DUPLICATES
from stream.evaluate.skew.columns import RULE as SKEW
from stream.evaluate.verdicts.severity import HEAVY, HEAVY_MISSING, HEAVY_PREDICTION, MATTERS

PAGE = (Path(__file__).parents[3] / "docs" / "alerting.md").read_text()
#: The page whatever its lines are folded at.
TEXT = " ".join(PAGE.split())
XIDS = PAGE.partition("### Xid codes")[2].partition("## ")[0]
SERVING = ("errors", "latency", "no_traffic", "burn", "release")


def test_every_rule_is_named_once_and_no_other_is() -> None:
    rules = {
        *NUMERIC_RULES,
        *NAME_RULES,
        "missing",
        DUPLICATES,
        SKEW,
        "freshness",
        *SERVING,
        *RULES,
        *NAMED_RULES,
        *BUDGET_RULES,
        POOLED_RULE,
    }

    assert sorted(first_cells("## Rules")) == sorted(rules)


def test_rules_about_gpus_with_their_severities_and_numbers() -> None:
    rows = re.findall(r"^\| `(gpu_\w+)` \| .* \| (P\d|by \[code\].*) \|$", PAGE, re.MULTILINE)
    assert {rule: said for rule, said in rows if rule != "gpu_xid"} == {
        rule: severity for rule, severity in GPU_SEVERITIES.items() if rule != "gpu_xid"
    }
    assert {rule for rule, _ in rows} == {*GPU_RULES, GPU_SILENT}
    limits = GpuMonitor()
    assert (limits.memory, limits.temperature, limits.silent_after_ms) == (0.95, 90, milliseconds_of("5m"))
    assert (milliseconds_of("5m"), 3, milliseconds_of("1h")) == (FULL_MS, FULL_SAMPLES, ERROR_MS)
    assert f"{sum(TROUBLE):#x}" == "0xe8"
    graded = {grade: re.findall(r"\d+", re.search(rf"{grade}: ([^.]*)\.", XIDS)[1]) for grade in ("P1", "P2")}  # type: ignore[index]
    assert all(grade_of(int(code)) == grade for grade, codes in graded.items() for code in codes)
    assert [len(codes) for codes in graded.values()] == [4, 8]


def test_numbers_of_rules_and_severities() -> None:
    assert (LEAST_ROWS, LEAST_REQUESTS, dict(RULE_OF_THUMB)) == (100, 20, {"psi": 0.25})
    assert (SLACKS, FIXED[0]) == ((0.5, 0.25), 5.0)
    assert (HEAVY, HEAVY_MISSING, HEAVY_PREDICTION, MATTERS) == (2.0, 0.1, 4.0, 0.1)
    for said in (
        "fewer than 100 rows",
        "panes of 20 requests or more",
        "(k 0.5)",
        "(k 0.25)",
        "without a budget h 5",
        "PSI above 0.25; so too",
    ):
        assert said in TEXT
    for said in ("at least twice the threshold", "importance at least 0.1", "at least 4 times the threshold"):
        assert said in TEXT


def test_joins_and_reasons_are_all_of_them() -> None:
    joins = set(re.findall(r"^\| `(\w+)` \|", section("## Incidents"), re.MULTILINE))

    assert joins == {*get_args(JoinedBy), *get_args(EndReason)} - {"overflow"}
    assert (SURE, AHEAD) == (0.5, 2.0)
    assert "0.5, or a third and twice the next" in TEXT


def test_lengths() -> None:
    timings, lengths = Timings(), lengths_of("## Who is told what")

    assert lengths["wait before an incident is told (`open_wait`)"] == timings.open_wait
    assert (
        lengths["least time between two edits that nobody needs at once (`update_interval`)"] == timings.update_interval
    )
    assert lengths["slack on both sides of an onset"] == timings.slack
    assert lengths["shortest hold"] == timings.recover_hold
    assert lengths["an incident that nobody can judge ends after"] == timings.blind_limit
    assert lengths["one that is clear and of whose model nothing is heard ends after"] == timings.expire_after
    assert lengths["an ended one is kept in the owner's memory, once everybody was told, for"] == timings.keep_ended
    storm = f"a storm is more than {timings.storm} new incidents at an address within"
    assert lengths[storm] == timings.storm_window
    assert f"takes {timings.storm} new incidents in {timings.storm_window // 60_000} minutes" in TEXT
    assert f"Above {timings.cap:,} live".replace(",", " ") in TEXT
    assert f"up to {['', '', 'twice', '', 'four', '', '', '', 'eight'][timings.hold_cap]} times" in TEXT
    assert f"A request has {TIMEOUT_S} s." in TEXT


def section(head: str) -> str:
    """A section's text."""
    return PAGE.partition(f"{head}\n")[2].partition("\n## ")[0]


def first_cells(head: str) -> list[str]:
    """The names in the first column of a section's table."""
    return re.findall(r"^\| `(\w+)` \|", section(head), re.MULTILINE)


def lengths_of(head: str) -> dict[str, int]:
    """Rows of a section's tables that say a length, in ms."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+) (s|min|h) \|$", section(head), re.MULTILINE)
    return {what: milliseconds_of(f"{number}{unit[0]}") for what, number, unit in rows}
