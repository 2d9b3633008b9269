"""The whole demo: the year arrives complete and on time, its counts say what its rows say, its incidents are told once.

A real Prometheus scrapes it meanwhile, and has an answer to every query of every dashboard.  Grafana itself is not to be had where
this is tested.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest
from rich.console import Console

from deploy.grafana.boards.write import written
from stream.local.flights import WEATHER
from stream.local.model import Floats
from stream.local.monthly import months
from stream.local.serving import OUTAGE, SLOW
from stream.local.told import Incident, Told, incident_table
from stream.local.two_views import View, Views, views_table
from tests.support.flights_psi import psi_from_rows
from tests.support.prometheus import Prometheus
from tests.support.watched_demo import WatchedDemo, watched_demo

README = Path(__file__).parents[2] / "README.md"
#: What Grafana puts in the place of its variables when everything is chosen.
CHOSEN = {"$job": ".+", "$instance": ".+", "$model": ".+", "$feature": ".+", "$gpu": ".+", "$__rate_interval": "5m"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedDemo]:
    with watched_demo(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture(scope="module")
def summary(demo: WatchedDemo) -> Any:
    return demo.summary


@pytest.fixture(scope="module")
def prometheus(demo: WatchedDemo) -> Prometheus:
    if demo.prometheus is None:
        pytest.skip("no prometheus here: `make services` installs it")
    return demo.prometheus


@pytest.mark.slow
def test_the_year_arrives_complete_and_nothing_late(summary: Any) -> None:
    assert (summary["predictions"], summary["labels"], summary["late"]) == (336_776, 327_346, 0)
    assert summary["requests"] == 336_776


@pytest.mark.slow
def test_the_replay_takes_less_than_three_minutes(summary: Any) -> None:
    assert summary["seconds"] < 180


@pytest.mark.slow
def test_worker_and_console_say_where_they_are(summary: Any) -> None:
    assert summary["worker"].startswith("http://127.0.0.1:87")
    assert summary["console"].startswith("http://127.0.0.1:")


@pytest.mark.slow
def test_monthly_psi_from_the_stream_is_the_psi_of_the_rows(
    summary: Any, flights: pd.DataFrame, scores: Floats
) -> None:
    for number, month in enumerate(months(), start=1):
        found = {name: value for name, value in summary["psi"][month.name].items() if value is not None}
        assert found == pytest.approx(psi_from_rows(flights, scores, month=number), rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def incidents(summary: Any) -> dict[str, Any]:
    return {one["id"]: one for one in summary["incidents"]}


@pytest.mark.slow
def test_the_weather_is_one_incident_that_names_its_feed_and_the_planes_are_another(incidents: dict[str, Any]) -> None:
    weather = [one for one in incidents.values() if one["cause"] == "source:weather-feed"]
    assert [(one["severity"], one["state"], one["ended_ms"]) for one in weather] == [("P1", "open", None)]
    # What the model says follows its inputs, and began with them.
    assert {node.rpartition("/")[2] for node in weather[0]["subjects"]} == {*WEATHER, "model:flight-delay"}
    planes = [one for one in incidents.values() if one["cause"] == "source:fleet-registry"]
    assert [set(one["subjects"]) for one in planes] == [
        {"feature:flight-delay/seats", "feature:flight-delay/plane_age"}
    ]
    assert planes[0]["since_ms"] == [day(2, 8), day(2, 10)]  # the blizzard


@pytest.mark.slow
def test_destinations_that_january_never_held_are_found_and_page_nobody(incidents: dict[str, Any]) -> None:
    (dest,) = (one for one in incidents.values() if one["subjects"] == ["feature:flight-delay/dest"])
    assert (dest["rule"], dest["severity"], dest["state"]) == ("unseen", "P3", "open")
    assert dest["since_ms"] == [
        day(2, 27),
        day(3, 6),
    ]  # the first week with more of them than January's weeks have of their own


@pytest.mark.slow
def test_the_outage_is_a_p0_that_ends_and_the_slow_hours_a_p1(incidents: dict[str, Any]) -> None:
    found = {one["rule"]: one for one in incidents.values() if one["rule"] in ("errors", "latency")}
    outage, slow = found["errors"], found["latency"]
    assert (outage["severity"], outage["strength"], outage["state"]) == ("P0", 1.0, "ended")
    assert outage["since_ms"][0] <= OUTAGE[0] < outage["since_ms"][1] <= OUTAGE[0] + 3_600_000
    assert (slow["severity"], slow["state"]) == ("P1", "ended")
    assert slow["since_ms"][0] <= SLOW[0] < slow["since_ms"][1] <= SLOW[0] + 3_600_000


@pytest.mark.slow
def test_an_incident_says_how_many_rows_since_when_and_how_strong(incidents: dict[str, Any]) -> None:
    for one in incidents.values():
        assert one["rows"] >= 20
        assert one["since_ms"][0] < one["since_ms"][1]
        assert one["strength"] > one["threshold"]


@pytest.mark.slow
def test_whoever_is_on_call_is_told_once_and_told_the_end(summary: Any, incidents: dict[str, Any]) -> None:
    paging = {one for one, incident in incidents.items() if incident["severity"] in ("P0", "P1")}
    told = summary["told"]
    assert told["roots"] == dict.fromkeys(told["roots"], 1)
    assert set(told["roots"]) == set(told["pages"]) == paging
    assert sorted(told["pages"].values()) == [1, 1, 1, 1]
    assert told["pages_open"] == sum(incidents[one]["state"] == "open" for one in paging) == 1


@pytest.mark.slow
def test_the_readme_says_how_often_who_was_told(summary: Any) -> None:
    told = summary["told"]
    rung, opened, roots = sum(told["pages"].values()), told["pages_open"], sum(told["roots"].values())
    assert f"PagerDuty was rung {rung} times, {opened} still open; Slack has {roots} messages" in README.read_text()


@pytest.mark.slow
def test_the_readme_shows_incidents_as_the_demo_prints_them(summary: Any) -> None:
    shown = README.read_text()
    rows = [block for block in printed(summary).split("\n\n") if " rows" in block]
    assert len([block for block in rows if block in shown]) == 4
    assert len(rows) == len(summary["incidents"]) == 10


@pytest.mark.slow
def test_both_views_of_the_weeks_stand_beside_each_other(summary: Any) -> None:
    found = {one["column"]: (one["by_psi"]["beyond"], one["by_test"]["beyond"]) for one in summary["views"]}
    assert {one["by_test"]["judged"] for one in summary["views"] if one["column"] != "wind_gust"} == {358}
    assert {name: found[name] for name in ("temp", "seats", "plane_age", "dest", "carrier", "(score)")} == {
        "temp": (358, 0), "seats": (0, 208), "plane_age": (6, 123), "dest": (0, 125), "carrier": (0, 0),
        "(score)": (242, 118),
    }  # fmt: skip


@pytest.mark.slow
def test_the_readme_shows_the_weeks_as_the_demo_prints_them(summary: Any) -> None:
    views = [
        Views(one["column"], View(**one["by_psi"]), View(**one["by_test"])) for one in summary["views"]
    ]  # fmt: skip
    console = Console(width=80, file=io.StringIO())
    console.print(views_table(views))
    shown = set(README.read_text().splitlines())
    lines = [line.rstrip() for line in cast("io.StringIO", console.file).getvalue().splitlines()]
    assert [line.split()[0] for line in lines if line in shown] == [
        "weeks", "weeks", "plane_age", "seats", "temp", "carrier", "dest", "(score)",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", written())
def test_every_query_of_a_dashboard_has_series_with_numbers(prometheus: Prometheus, name: str) -> None:
    panels = [panel for panel in json.loads(written()[name])["panels"] if panel["type"] != "row"]
    asked = {
        f"{panel['title']}: {target['expr']}": prometheus.query(_whole(target["expr"]))
        for panel in panels
        for target in panel["targets"]
    }
    assert [query for query, series in asked.items() if not any(map(_is_number, series))] == []


@pytest.mark.slow
def test_what_is_shown_is_what_happened(prometheus: Prometheus, summary: Any) -> None:
    worker = summary["worker"].removeprefix("http://")

    def value(promql: str) -> float:
        [series] = prometheus.query(f'{promql}{{instance="{worker}"}}')
        return float(series["value"][1])

    assert value("model_predictions_total") == 336_776
    assert value("driftline_incident_owner") == 1
    assert (
        sum(float(one["value"][1]) for one in prometheus.query(f'driftline_incidents_total{{instance="{worker}"}}'))
        == 10
    )


def printed(summary: Any) -> str:
    """The table of incidents, 80 columns wide."""
    incidents = [
        Incident(**one | {"since_ms": tuple(one["since_ms"]), "subjects": tuple(one["subjects"])})
        for one in summary["incidents"]
    ]
    console = Console(width=80, file=io.StringIO())
    console.print(incident_table(incidents, Told(**summary["told"])))
    return "\n".join(line.rstrip() for line in cast("io.StringIO", console.file).getvalue().splitlines())


def day(month: int, number: int) -> int:
    """A midnight of 2013, UTC, epoch ms."""
    return round(datetime(2013, month, number, tzinfo=UTC).timestamp() * 1000)


def _whole(promql: str) -> str:
    for variable, value in CHOSEN.items():
        promql = promql.replace(variable, value)
    return promql


def _is_number(series: dict[str, Any]) -> bool:
    return series["value"][1] not in ("NaN", "+Inf", "-Inf")
