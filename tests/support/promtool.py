"""Histories of series, and what Prometheus' own ``promtool`` says that the alert rules make of them.

A history is what was scraped each minute: a number, or ``LOST`` where the scrape failed, after which Prometheus knows nothing
of the target until the next one.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.source import ROOT

RULES = ROOT / "deploy" / "prometheus" / "rules"
LOST = "stale"
#: Before the first one, and where nobody looked.
NONE = "_"
#: Alerts that ask whether there is any series at all: no history of theirs has others beside it.
OF_ANYTHING = {"DriftlineWatchdog", "DriftlineNoWorker"}

Minutes = Sequence[float | str]
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Series by name and labels, what was scraped of each a minute, and the labels of the alerts that fire at the end.

    ``every`` is the time between two scrapes, in minutes.  Labels that the rule itself gives are left out.
    """

    series: Mapping[str, Minutes]
    fires: Sequence[Labels] = ()
    every: int = 1

    def beside_others(self, name: str) -> Case:
        """The same as an environment of its own, by a label ``case`` of every series: rules keep it, and mix no two."""
        own = f'case="{name}"}}'
        series = {f"{one[:-1]},{own}" if "{" in one else f"{one}{{{own}": found for one, found in self.series.items()}
        return replace(self, series=series, fires=[{**labels, "case": name} for labels in self.fires])

    @property
    def end(self) -> int:
        """Minutes from the first scrape to the last."""
        return (max(map(len, self.series.values()), default=1) - 1) * self.every

    def without_scrape(self, back: int) -> Case:
        """The same, with the scrape of every series failed that was made so many before the last."""
        place = self.end // self.every - back
        hurt = {name: [*found[:place], LOST, *found[place + 1 :]] for name, found in self.series.items()}
        return Case(hurt, self.fires, self.every)


def flat(value: float, minutes: int) -> list[float | str]:
    """The same value for so many minutes."""
    return [value] * minutes


def rising(by: float, minutes: int, *, start: float = 0.0) -> list[float | str]:
    """A counter that grows by so much a minute."""
    return [start + by * minute for minute in range(minutes)]


@cache
def groups() -> list[dict[str, Any]]:
    """Every group of every rule file."""
    return [group for file in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]]


def alert_rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def fired(cases: Sequence[Case], alert: str, *, folder: Path) -> str:
    """Empty where at the end of each case its alerts fire and no other of that name; else what promtool says of the difference.

    An alert is looked at by its labels; those that its rule gives are added to those of the case.
    """
    tests = [_test(case) | {"promql_expr_test": [_asked(alert, case)]} for case in cases]
    return _tried(tests, _needed(alert), folder=folder)


def fired_beside(cases: Mapping[str, Mapping[str, Case]], *, folder: Path) -> dict[str, str]:
    """The same of many named cases of many alerts, those of one alert side by side: what promtool says, by the name of the case.

    Only what differs is there.
    """
    files = [path for alert, named in cases.items() for path in _side_by_side(alert, named, folder=folder)]
    said = _promtool(files)
    blocks = re.findall(r'^(    expr: .*?case=\\"(.*?)\\".*?)(?=^    expr|^Unit|\Z)', said, re.M | re.S)
    assert bool(said) == bool(blocks), said
    return {name: block for block, name in blocks}


def _side_by_side(alert: str, named: Mapping[str, Case], *, folder: Path) -> list[Path]:
    tests = []
    for every in sorted({case.every for case in named.values()}):
        own = {name: case.beside_others(name) for name, case in named.items() if case.every == every}
        series = {name: found for case in own.values() for name, found in case.series.items()}
        asked = [_asked(alert, case, f', case="{name}"') for name, case in own.items()]
        tests.append(_test(Case(series, every=every)) | {"promql_expr_test": asked})
    (folder / alert).mkdir()
    return _written_files(tests, _needed(alert), folder=folder / alert)


def _asked(alert: str, case: Case, chosen: str = "") -> dict[str, Any]:
    """What fires of an alert at the end of a case."""
    expected = [{"labels": _labels(alert, labels), "value": 1} for labels in case.fires]
    query = f'ALERTS{{alertname="{alert}", alertstate="firing"{chosen}}}'
    return {"expr": query, "eval_time": f"{case.end}m", "exp_samples": expected}


def annotated(case: Case, alert: str, *expected: Mapping[str, Any], folder: Path) -> str:
    """The same with the whole of each alert, its annotations too."""
    asked = {"alertname": alert, "eval_time": f"{case.end}m", "exp_alerts": list(expected)}
    return _tried([_test(case) | {"alert_rule_test": [asked]}], _needed(alert), folder=folder)


def differs(case: Case, expression: str, value: float, *, folder: Path) -> str:
    """Empty where an expression has one series with this value at the end of a case; else what promtool says."""
    asked = {"expr": f"sum({expression})", "eval_time": f"{case.end}m"}
    expected = [{"labels": "{}", "value": value}]
    return _tried([_test(case) | {"promql_expr_test": [{**asked, "exp_samples": expected}]}], groups(), folder=folder)


def _test(case: Case) -> dict[str, Any]:
    series = [{"series": name, "values": " ".join(map(_written, found))} for name, found in case.series.items()]
    return {"name": ", ".join(case.series), "interval": f"{case.every}m", "input_series": series}


def _tried(tests: Sequence[Mapping[str, Any]], needed: Sequence[Mapping[str, Any]], *, folder: Path) -> str:
    return _promtool(_written_files(tests, needed, folder=folder))


def _written_files(
    tests: Sequence[Mapping[str, Any]], needed: Sequence[Mapping[str, Any]], *, folder: Path
) -> list[Path]:
    """Tests of these groups of rules; each length of a minute is its own file.  JSON is YAML, and written faster."""
    (folder / "rules.yml").write_text(json.dumps({"groups": needed}))
    order = {"rule_files": ["rules.yml"], "group_eval_order": [group["name"] for group in needed]}
    written = []
    for every in sorted({test["interval"] for test in tests}):
        own = [test for test in tests if test["interval"] == every]
        written.append(folder / f"{every}.yml")
        written[-1].write_text(json.dumps({**order, "evaluation_interval": every, "tests": own}))
    return written


def _promtool(files: Sequence[Path]) -> str:
    """What it says of these tests; nothing where all is as expected."""
    done = subprocess.run(
        ["promtool", "test", "rules", *map(str, files)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout


def _needed(alert: str) -> list[dict[str, Any]]:
    """The groups with the rules of an alert and with what is recorded for them, and nothing else: promtool takes its time."""
    read = [rule["expr"] for rule in alert_rules() if rule["alert"] == alert]
    recorded = {rule["record"]: rule["expr"] for group in groups() for rule in group["rules"] if "record" in rule}
    needed: set[str] = set()
    while read:
        found = [name for name in recorded if name in read[-1] and name not in needed]
        needed.update(found)
        read = [*read[:-1], *(recorded[name] for name in found)]
    wanted = {alert, *needed}
    kept = [
        group | {"rules": [rule for rule in group["rules"] if (rule.get("alert") or rule["record"]) in wanted]}
        for group in groups()
    ]
    return sorted((group for group in kept if group["rules"]), key=_alerts_last)


def _alerts_last(group: Mapping[str, Any]) -> bool:
    return "alert" in group["rules"][0]


def _labels(alert: str, labels: Labels) -> str:
    found = [rule["labels"] for rule in alert_rules() if rule["alert"] == alert]
    [own] = [one for one in found if all(labels.get(name, value) == value for name, value in one.items())]
    pairs = {"alertname": alert, "alertstate": "firing", **own, **labels}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in pairs.items()) + "}"


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else re.sub(r"\.0$", "", repr(float(value)))
