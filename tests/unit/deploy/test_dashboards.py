"""Grafana's dashboards: written by their code, and by the rules of Grafana's own linter, which needs Go and is not run here."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from deploy.grafana.boards.write import FOLDER, written
from tests.support.promtool import alert_rules
from tests.support.source import ROOT

BOARDS: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in written().items()}
SHOWN: dict[str, dict[str, Any]] = {
    f"{name.removesuffix('.json')}: {panel['title']}": panel
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
}
PANELS = [pytest.param(panel, id=title) for title, panel in SHOWN.items()]
EXPRESSIONS = [
    pytest.param(target["expr"], id=f"{title} {target['refId']}")
    for title, panel in SHOWN.items()
    for target in panel["targets"]
]
COUNTERS = re.compile(r"\b(\w+(?:_total|_bucket|_sum|_count))\{")


def variables(board: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Those of a dashboard, by name."""
    return {one["name"]: one for one in board["templating"]["list"]}


def test_the_files_are_what_the_code_writes() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*")} == dict(written()), "run: make dashboards"


def test_grafana_is_provisioned_with_them() -> None:
    [provider] = yaml.safe_load((FOLDER.parent / "provisioning/dashboards/driftline.yml").read_text())["providers"]
    volumes = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./{FOLDER.relative_to(ROOT)}:{provider['options']['path']}:ro" in volumes


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_not_edited_by_hand_and_has_an_address_of_its_own(name: str) -> None:
    board = BOARDS[name]
    assert board["editable"] is False
    assert board["uid"] == f"driftline-{name.removesuffix('.json')}"
    assert len({one["uid"] for one in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_it_asks_one_prometheus_and_narrows_to_jobs_and_instances(name: str) -> None:
    found = variables(BOARDS[name])
    sources = [one for one in found.values() if one["type"] == "datasource"]
    assert [(one["name"], one["label"], one["query"]) for one in sources] == [
        ("datasource", "Data source", "prometheus")
    ]
    for asked in (one for one in found.values() if one["type"] == "query"):
        assert asked["datasource"]["uid"] == "${datasource}", asked["name"]
        assert (asked["multi"], asked["includeAll"], asked["allValue"]) == (True, True, ".+"), asked["name"]
        assert asked["refresh"] == 2, f"{asked['name']}: its values are asked anew with the time range"
    assert {"job", "instance"} <= found.keys()


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_is_used_and_every_one_that_is_used_is_there(name: str) -> None:
    text = json.dumps(BOARDS[name])
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__all"}
    assert used == variables(BOARDS[name]).keys()


def test_every_series_of_a_panel_or_a_variable_is_in_the_list_of_metrics() -> None:
    text = "".join(json.dumps(board) for board in BOARDS.values())
    read = set(re.findall(r"(\w+)\{+", text)) | set(re.findall(r"label_values\((\w+)", text))
    document = (ROOT / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`((?:driftline|model|feature|nvidia|process)_\w+)`", document)) | {"up"}
    for own in [name for name in read if name.startswith("driftline_evaluator_process_")]:
        assert own.replace("driftline_evaluator_", "") in documented
        read.remove(own)
    assert {name for name in read if re.sub("_(bucket|sum|count)$", "", name) not in documented} == set()
    assert {"up", "model_requests_total", "driftline_slo_burn_rate"} <= read


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_a_dashboard_that_there_is_and_sets_a_variable_that_it_has(rule: dict[str, Any]) -> None:
    address = rule["annotations"]["dashboard_url"]
    [uid] = re.findall(r"/d/([\w-]+)", address)
    [board] = [board for board in BOARDS.values() if board["uid"] == uid]
    assert set(re.findall(r"[?&]var-(\w+)=", address)) <= variables(board).keys()
    if "model_name" in rule["annotations"]["description"]:
        assert "?var-model={{ $labels.model_name | urlquery }}" in address


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_numbered_and_none_covers_another(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    cells = [cell for panel in panels for cell in _cells(panel["gridPos"])]
    assert len(cells) == len(set(cells))
    assert max(across for across, _ in cells) < 24


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_in_what_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_is_of_what_was_chosen(expression: str) -> None:
    selectors = re.findall(r"\{([^}]*)\}", expression)
    assert selectors
    for selector in selectors:
        assert 'job=~"$job"' in selector
        assert 'instance=~"$instance"' in selector


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_rates_fit_the_scrapes_and_hours_are_counted_by_increase(expression: str) -> None:
    assert set(re.findall(r"rate\([^[]*\[([^]]*)\]", expression)) <= {"$__rate_interval"}
    assert set(re.findall(r"increase\([^[]*\[([^]]*)\]", expression)) <= {"$__rate_interval", "1h"}


#: Shown as they stand: how many there were since the start, one beside the other.
STANDING = {"driftline_alarms_total", "driftline_expected_false_alarms_total"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_counter_is_shown_by_what_it_gained(expression: str) -> None:
    for found in COUNTERS.finditer(expression):
        if found[1] in STANDING or (found[1] == "model_requests_total" and "count by" in expression):
            continue
        assert re.search(r"(?:rate|increase)\($", expression[: found.start()]), found[1]


def _cells(place: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (across, down)
        for across in range(place["x"], place["x"] + place["w"])
        for down in range(place["y"], place["y"] + place["h"])
    ]


def test_where_models_are_shown_no_step_is_shorter_than_a_pane() -> None:
    steps = {
        name: {panel.get("interval") for panel in board["panels"] if panel["type"] != "row"}
        for name, board in BOARDS.items()
    }
    assert steps == {"fleet.json": {"$pane"}, "model.json": {"$pane"}, "gpu.json": {"$pane"}, "service.json": {None}}
    (pane,) = (one for one in variables(BOARDS["model.json"]).values() if one["type"] == "custom")
    assert (pane["name"], pane["query"], pane["current"]["value"]) == ("pane", "1m,5m,15m,1h", "1m")
