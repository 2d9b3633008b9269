"""apply, counts and status on a real Redis: what an operator sees before, during and after counting."""

from __future__ import annotations

import pytest

from schemas import service_levels
from schemas.service_levels import Level, Service
from tests.support.models import DAY, HOUR, numeric, reference
from tests.support.site import JANUARY, MONITORS, Site, store_events


def test_before_anything_status_says_what_to_do(site: Site) -> None:
    assert site.run("status").out.splitlines() == [
        "nothing is in force: run `driftline apply FILE`",
        "no partition was ever read: is a `driftline worker` running?",
    ]
    assert site.run("status", "--json").json["generation"] is None


def test_apply_puts_a_file_into_force_and_says_when_a_change_takes_effect(site: Site) -> None:
    first = site.apply()
    store_events(site, at_ms=JANUARY, events=7)
    second = site.apply(temp=numeric(0.0, 5.0, 20.0))

    said = "4 features, panes of 1h, reference"
    assert first.out.splitlines() == [
        "generation 1 is in force: 1 model",
        f"  m: {said} {reference().hash[:16]}",
        "warning: m: its reference holds 2 rows: with fewer than 100 any window looks drifted; build it of more",
        "warning: m: not in the reference, so counted without bins or categories: gust, tail",
    ]
    assert second.out.splitlines()[0] == "generation 2 is in force: 1 model"
    assert second.out.splitlines()[1].endswith(", for panes from 2013-01-01T01:00:00Z on")


def test_a_bad_file_leaves_the_old_generation_in_force(site: Site) -> None:
    site.apply()
    before = site.redis.hgetall(site.names.config)
    ended = site.run("apply", site.file("monitors.yaml", MONITORS.replace("temp", "te mp", 1).replace("1h", "soon")))

    assert (ended.code, ended.out) == (2, "")
    assert "monitors.yaml:2: defaults.pane: must be a duration" in ended.err
    assert site.redis.hgetall(site.names.config) == before


def test_counts_of_a_range_for_machines_and_for_people(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY, events=7)
    asked = ("counts", "--model", "m", "--from", "2013-01-01", "--to", "2013-01-02T00:00:00Z")

    found = site.run(*asked, "--json").json
    assert [found[name] for name in ("model", "stream", "from", "to", "panes", "events", "other_layouts")] == [
        "m", "predictions", JANUARY, JANUARY + DAY, 1, 7, {},
    ]  # fmt: skip
    assert found["features"]["temp"]["edges"] == [0.0, 10.0, 20.0]
    shown = site.run(*asked)
    assert shown.code == 0
    assert "m, predictions, 2013-01-01T00:00:00Z to 2013-01-02T00:00:00Z: 7 events in 1 panes" in shown.out
    assert {"temp", "carrier", "prediction.score_grid", "status"} <= set(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "n", "--from", "2013-01-01", "--to", "2013-01-02"), "model: 'n' is not in force; in force: m"),
        (
            ("--model", "m", "--from", "2013-01-02", "--to", "2013-01-01"),
            "range: is empty: it ends (2013-01-01T00:00:00Z) before",
        ),
        (("--model", "m", "--from", "1357035300", "--to", "2013-01-02"), "seconds"),
        (("--model", "m", "--from", "2013-01-01", "--to", "2013-01-02", "--stream", "x"), "is none of predictions"),
    ],
)
def test_counts_that_cannot_be_asked_are_exit_code_2(site: Site, arguments: tuple[str, ...], said: str) -> None:
    site.apply()
    ended = site.run("counts", *arguments)

    assert ended.code == 2
    assert said in ended.err


def test_status_shows_each_partition_and_what_was_refused(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY, events=7)

    found = site.run("status", "--json").json
    assert (found["generation"]["number"], list(found["generation"]["models"])) == (1, ["m"])
    [partition] = found["streams"]["predictions"]["partitions"]
    assert [partition[name] for name in ("partition", "stored", "clock_ms", "owner")] == [0, 7, JANUARY, "host:1"]
    assert found["streams"]["predictions"]["rejected"] == {"not_json": 2}
    assert "predictions: refused not_json 2" in site.run("status").out


def test_a_damaged_store_is_a_line_and_exit_code_1(site: Site) -> None:
    site.redis.hset(site.names.config, mapping={"generation": 1, "document": "{"})
    ended = site.run("status")

    assert ended.code == 1
    assert ended.err.startswith("the stored configuration cannot be followed: document: ")


def test_the_hour_of_a_pane_is_the_hour_asked_for(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY + HOUR, events=7)
    asked = ("counts", "--model", "m", "--json", "--from")

    assert site.run(*asked, "2013-01-01T01:00:00Z", "--to", "2013-01-01T01:00:00.001Z").json["events"] == 7
    assert site.run(*asked, "2013-01-01T00:00:00Z", "--to", "2013-01-01T01:00:00Z").json["events"] == 0


def test_status_names_budgets_that_are_spent_too_fast(site: Site) -> None:
    site.apply()
    assert site.run("status", "--json").json["burning"] == []
    (site.folder / "promising.yaml").write_text(MONITORS + "    serving: {slo: {errors: 0.05}}\n")
    site.run("apply", str(site.folder / "promising.yaml"))
    rates = {"5m": 18.0, "30m": 2.0, "1h": 15.26, "6h": 2.0, "3d": 1.5}
    level = Level(allowed=0.05, requests=2000, bad=250.0, left=-1.5, burn=dict(rates), firing=["1h", "3d"])
    calm = Level(allowed=0.05, requests=2000, bad=250.0, left=-1.5, burn=dict(rates), firing=["1h"])  # not promised
    told = service_levels.encode(Service(at=JANUARY, period=30 * DAY, levels={"errors": level, "latency": calm}))
    site.redis.hset(site.names.evaluation("m", "predictions"), "service", told)
    assert site.run("status").out.splitlines()[1] == (
        "m spends its budget of errors too fast: 15.3 times as fast over 1h, 1.5 times as fast over 3d; -150% is left"
    )
    assert site.run("status", "--json").json["burning"] == [
        {"model": "m", "slo": "errors", "left": -1.5, "burn": {"1h": 15.26, "3d": 1.5}}
    ]
    site.redis.hset(site.names.evaluation("m", "predictions"), "service", b"damaged")
    assert site.run("status").code == 0


def test_of_a_replay_status_says_so_and_whom_event_time_waits_for(site: Site) -> None:
    site.apply()
    assert site.run("status", "--json").json["clock"] is None
    site.redis.hset(site.names.incidents("owner"), "clock", "event")
    assert site.run("status").out.splitlines()[1] == "a replay: decided by event time, which waits for predictions of m"
    assert site.run("status", "--json").json["awaited"] == [["m", "predictions"]]
    site.redis.hset(site.names.incidents("marks"), "m\x1fpredictions", 5)
    assert site.run("status").out.splitlines()[1] == "a replay: decided by event time"
