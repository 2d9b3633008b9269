"""The console over a real Redis: what its pages say, and what becomes of names, damage and absence."""

from __future__ import annotations

import re
import socket
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.asyncio import Redis

from schemas.incidents import SilenceView, encode
from schemas.names import Names
from tests.support.command import driftline
from tests.support.console_hostile import DIRECTION, LONG, MODEL, NAMES, QUOTES, SCRIPT, fill_hostile
from tests.support.console_incidents import ENDED_SCHEDULE, OPEN_CARRIER, OPEN_WEATHER, fill_incidents
from tests.support.console_site import ConsoleSite, start_console
from tests.support.console_year import fill
from tests.support.process import free_port

FLEET = ("/", "/incidents", "/service-levels", "/releases")
PAGES = (
    *FLEET,
    f"/incidents/{OPEN_WEATHER}",
    "/models/flight-delay",
    "/models/flight-delay?window=week",
    "/models/flight-delay?measure=missing",
    "/models/flight-delay/features/temp",
    "/models/flight-delay/features/carrier?window=week",
)
HOSTILE_PAGES = (
    *FLEET,
    "/incidents/h",
    f"/models/{quote(MODEL, safe='')}",
    *(f"/models/{quote(MODEL, safe='')}/features/{quote(name, safe='')}" for name in NAMES),
    f"/models/{quote(SCRIPT, safe='')}",
    f"/incidents/{quote(QUOTES, safe='')}",
)


async def year(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": False, "turnaround-time": True}, days=40)
    await fill_incidents(redis, names)


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(year)
    return made


@pytest.fixture(scope="module")
def hostile(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(fill_hostile)
    return made


@pytest.fixture
def empty(redis_url: str, environment_name: str) -> ConsoleSite:
    return ConsoleSite(redis_url, environment_name)


def test_the_overview_says_what_is_open_how_the_models_are_and_how_far_everything_has_come(site: ConsoleSite) -> None:
    text = site.get("/").text

    assert "Open incidents 2 P0 0 P1 1 P2 1 P3 0" in text
    assert "Models 2 1 drift, 1 ok" in text
    assert "Judged up to 2014-01-01 counted up to 2013-12-31 23:59" in text
    assert "1 reads 1 partition, 0 evaluate" in text
    assert (
        "P1 weather-feed: temp, dewp and humid of flight-delay drift open 3 of 3 findings fire source weather-feed 86 % "
        "2013-12-02 00:00 after 2013-12-01 00:00 psi 1.14 of 0.25 temp, day 900 nobody"
    ) in text
    assert "recovering 0 of 1 findings fire · came back 2× unclear 2013-10-29 00:00" in text
    assert "predictions 1 1 336 776 2013-12-31 23:59 2 0" in text
    assert text.index("weather-feed: temp") < text.index("carrier of flight-delay drifts")
    assert "flight-delay: all requests fail" not in text


def test_a_model_shows_its_features_the_drifting_and_important_ones_first(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay")
    table = page.html.partition('id="features"')[2]
    rows = re.findall(r'<th scope="row"><a href="/models/flight-delay/features/(\w+)', table)

    assert rows[:4] == ["temp", "dewp", "humid", "sched_min"]
    assert "of the importance is in drift" in page.text
    assert "40 judgements" in page.text
    assert "336 776 1 347 0.4 % 0.0232 s 0.025 s 0.075 s" in page.text
    assert "< 0.0001 ks" in page.text


def test_the_bars_of_a_feature_are_what_its_index_was_computed_from(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay/features/temp").html
    [value] = re.findall(r'<th scope="row">psi</th><td class="num over">([\d.]+)</td>', page)
    bins = re.search(r"adds to PSI.*?</table>", page, re.S)
    assert bins is not None
    added = re.findall(r'<td class="num">([-\d.e]+)</td></tr>', bins[0])

    assert len(added) == 10
    assert sum(map(float, added)) == pytest.approx(float(value), abs=0.001)
    assert 0.9 < float(value) < 1.3


def test_names_are_shown_as_bars_with_their_shares(site: ConsoleSite) -> None:
    text = site.get("/models/flight-delay/features/carrier").text

    assert text.count("UA") == 2
    assert "chi2" in text


def test_an_incident_says_why_who_was_told_and_what_to_type(site: ConsoleSite) -> None:
    text = site.get(f"/incidents/{OPEN_WEATHER}").text

    assert "source weather-feed 86 % source noaa-feed 9 % unknown 5 %" in text
    assert "feature flight-delay / humid from weather-feed firing P2 psi day 0.41 peak 0.451 0.25 < 0.0001 900" in text
    assert "oncall pagerduty:3f9c… pagerduty firing P1 firing P1 confirmed" in text
    assert "team slack:#ml-p1 slack firing P1 firing P2 in doubt" in text
    assert f"driftline incident ack {OPEN_WEATHER}" in text
    assert f"See also {ENDED_SCHEDULE}" in text
    assert "driftline silence add 'source=\"weather-feed\"' --for 4h" in text
    assert text.index("humid joined") < text.index("dewp joined") < text.index("opened, P2: psi of temp is 0.31")


def test_a_tie_is_said_to_be_one(site: ConsoleSite) -> None:
    text = site.get(f"/incidents/{OPEN_CARRIER}").text

    assert "No cause stands out" in text
    assert "The first 2 are a tie" in text
    assert "Taken by dana" in text


def test_ended_incidents_are_listed_apart_with_their_reason(site: ConsoleSite) -> None:
    text = site.get("/incidents").text

    assert text.index("Ended 2") < text.index("schedule-db: sched_min and distance of flight-delay drift")
    assert "ended recovered 2013-09-11 00:00" in text
    assert "driftline incident ack" not in site.get(f"/incidents/{ENDED_SCHEDULE}").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nothing", "Not here"),
        ("/models/other", "No model other is in force."),
        ("/models/flight-delay?window=month", "There is no window month; there are day, week."),
        (
            "/models/flight-delay?measure=luck",
            "There is no measure luck; there are psi, ks, ks_p, chi2, chi2_p, drift,",
        ),
        ("/models/flight-delay/features/snow", "The model flight-delay has no feature snow."),
        ("/incidents/5f", "There is no incident 5f."),
        ("/static/../app.py", "Not here"),
    ],
)
def test_what_is_not_there_has_a_page_that_says_so(site: ConsoleSite, path: str, said: str) -> None:
    page = site.get(path)

    assert page.status == 404
    assert said in page.text
    assert "Back to the overview" in page.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(site: ConsoleSite, method: str) -> None:
    assert [site.ask(method, path).status for path in PAGES[:4]] == [405] * 4


@pytest.mark.parametrize("path", PAGES)
def test_a_page_lets_nothing_from_elsewhere_in_and_runs_nothing_inline(site: ConsoleSite, path: str) -> None:
    page = site.get(path)

    assert page.status == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'; object-src 'none'; base-uri 'none'")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert re.findall(r'(?:src|href)="(?!/|#)[^"]*"', page.html) == []
    assert re.findall(r"<script(?! src=\"/static/| type=\"application/json\")", page.html) == []
    assert re.findall(r'\s(?:style|on\w+)="', page.html) == []


@pytest.mark.parametrize("path", HOSTILE_PAGES, ids=range(len(HOSTILE_PAGES)))
def test_hostile_names_are_text_on_one_line_in_order_and_cut(hostile: ConsoleSite, path: str) -> None:
    page = hostile.get(path)

    assert page.status in (200, 404)
    assert "This page failed" not in page.text
    assert "<script>alert" not in page.html
    assert "<img" not in page.html
    shown = re.sub(r'<script type="application/json".*?</script>|href="[^"]*"', "", page.html, flags=re.S)
    assert "\u202e" not in shown
    assert "\x1b" not in page.html
    assert "x" * 400 not in shown


def test_a_hostile_feature_is_reached_by_its_link(hostile: ConsoleSite) -> None:
    overview = hostile.get(f"/models/{quote(MODEL, safe='')}")
    links = dict.fromkeys(re.findall(r'href="(/models/[^"]*/features/[^"?]*)', overview.html))

    assert len(links) == len(NAMES)
    assert [hostile.get(link).status for link in links] == [200] * len(NAMES)
    assert repr(DIRECTION)[1:-1] in overview.text
    assert LONG[:39] + "…" in overview.text


def test_before_the_first_apply_the_page_says_what_to_do(empty: ConsoleSite) -> None:
    text = empty.get("/").text

    assert "driftline apply monitors.yaml" in text
    assert "Is a driftline worker running?" in text
    assert empty.get("/models/m").status == 404


def test_a_damaged_document_costs_its_own_row_and_is_named(empty: ConsoleSite) -> None:
    async def damaged(redis: Redis, names: Names) -> None:
        await year_of_one(redis, names)
        await redis.hset(names.report("flight-delay", "week"), "document", b'{"model": 1}')
        await redis.hset(names.incidents("documents"), "torn", b"{")

    empty.fill(damaged)
    text = empty.get("/").text

    assert "the newest report of flight-delay, week: Expected `str`, got `int`" in text
    assert "incident torn: Input data was truncated" in text
    assert "P1 weather-feed: temp, dewp and humid" in text
    assert empty.get("/incidents/torn").status == 500
    assert "incident torn" in empty.get("/incidents/torn").text


def test_a_damaged_generation_is_said_on_a_page(empty: ConsoleSite) -> None:
    async def damaged(redis: Redis, names: Names) -> None:
        await redis.hset(names.config, "document", "{}")

    empty.fill(damaged)
    page = empty.get("/")

    assert page.status == 500
    assert "the stored configuration cannot be followed" in page.text
    assert "Traceback" not in page.html


def test_without_redis_a_page_says_what_is_missing_and_where() -> None:
    down = ConsoleSite(f"redis://driftline:hunter2@127.0.0.1:{free_port()}/0", "")
    page, health = down.get("/"), down.get("/health")

    assert (page.status, health.status) == (503, 503)
    assert f"Redis at {down.redis.replace('hunter2', '***')} does not answer" in page.text
    assert "DRIFTLINE_REDIS" in page.text
    assert "hunter2" not in page.html + health.html
    assert "Traceback" not in page.html


def test_health_is_json(site: ConsoleSite) -> None:
    page = site.get("/health")

    assert (page.status, page.html) == (200, '{"well": true, "says": "Redis answers"}')


def test_the_command_prints_its_address_and_ends_when_told(empty: ConsoleSite, tmp_path: Path) -> None:
    process, address = start_console(empty, log=tmp_path / "console.log")

    with urllib.request.urlopen(f"{address}/health") as answer:
        assert answer.status == 200
    assert process.last_lines() == f"console: {address}"
    assert process.stop() == 0


def test_a_taken_port_names_the_variable(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = driftline("console", env={"DRIFTLINE_REDIS": redis_url, "DRIFTLINE_CONSOLE_PORT": str(port)})

    assert ended.code == 2
    assert f"DRIFTLINE_CONSOLE_PORT: 127.0.0.1:{port} is taken; choose a free port" in ended.err


async def year_of_one(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": False}, days=2)
    await fill_incidents(redis, names)


def test_in_a_replay_the_console_says_so_and_shows_the_silences_of_its_time(empty: ConsoleSite) -> None:
    async def replayed(redis: Redis, names: Names) -> None:
        await redis.hset(names.incidents("owner"), "clock", "event")
        await redis.hset(names.incidents("records"), "meta", '{"now":1357000000000,"schema":1}')
        silence = SilenceView(
            id="s-1", matchers=("model=m",), starts=1_356_999_999_999, ends=1_357_000_000_001, by="ann"
        )
        await redis.hset(names.incidents("silences"), "s-1", encode(silence))

    assert "A replay" not in empty.get("/").text
    empty.fill(replayed)
    assert "A replay: everything is decided by the time of the events." in empty.get("/").text
    assert "model=m" in empty.get("/incidents").text
