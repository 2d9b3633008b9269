"""The page of service levels over a real Redis: what is promised, how fast it is spent, and what is odd about the numbers."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas import service_levels
from schemas.monitored import ServingMonitor
from schemas.names import Names
from schemas.service_levels import Level, Perplexity, Service
from stream.state.generations import publish
from tests.support import models
from tests.support.console_site import ConsoleSite

NOW = 1_357_034_400_000
RATES = {"5m": 20.0, "30m": 3.0, "1h": 15.0, "6h": 2.5, "3d": 0.5}
SERVICE = Service(
    at=NOW, period=30 * models.DAY, suspect="milliseconds?", perplexity=Perplexity(mean=7.25, n=9),
    levels={
        "errors": Level(allowed=0.05, requests=2000, bad=250.0, left=-1.5, burn=dict(RATES), firing=["1h"]),
        "latency": Level(allowed=0.05, requests=1990, bad=0.0, left=1.0, burn=dict.fromkeys(RATES, 0.0)),
    },
)  # fmt: skip


async def promised(redis: Redis, names: Names) -> None:
    serving = ServingMonitor(stream="serving", error_rate=0.05, latency_p95_ms=500)
    of = {"api": models.monitor(pane_ms=60_000).model_copy(update={"serving": serving}), "quiet": models.monitor()}
    references = {name: models.reference(name) for name in of}
    await publish(redis, names, models.monitors(**of), references=references, now_ms=NOW, clock_ms=None)
    await redis.hset(names.evaluation("api", "serving"), "service", service_levels.encode(SERVICE))
    versions: dict[Any, Any] = {f"version:{name}": NOW + at for at, name in enumerate(("7", "8-never-seen", "<b>"))}
    await redis.hset(names.totals("api"), mapping=versions)


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(promised)
    return made


def test_every_promise_has_its_budget_and_its_burn_rates_the_most_spent_first(site: ConsoleSite) -> None:
    text = site.get("/service-levels").text

    assert "left bad requests 5m 30m 1h 6h 3d" in text
    errors, latency = text.index("errors at most 5 % fail"), text.index("latency 95 % within 500ms")
    assert errors < latency
    assert "spends its budget too fast errors at most 5 % fail, over 30d -150 % 250 2 000 20 3 15 2.5 0.5" in (
        text.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert "Both windows of a pair must exceed its factor: 1h and 5m 14.4, 6h and 30m 6, 3d and 6h 1." in text
    assert "Without a promise: quiet." in text


def test_what_exceeds_is_marked(site: ConsoleSite) -> None:
    page = site.get("/service-levels").html
    assert '<td class="num over">20</td>' in page
    assert '<td class="num">3</td>' in page  # of the pair with 6 h, whose factor is 6
    assert '<td class="num over">15</td>' in page
    assert '<td class="num over">2.5</td>' in page  # of six hours, the short window of three days


def test_a_version_never_seen_and_an_odd_unit_are_shown(site: ConsoleSite) -> None:
    page = site.get("/service-levels")
    assert "api 2013-01-01 10:00 latency: milliseconds? 7.25 <b> 2013-01-01 10:00" in page.text
    assert "8-never-seen" in page.text
    assert "<b>" not in page.html.replace("&lt;b&gt;", "")


def test_a_page_of_nothing_says_how_to_promise_something(redis_url: str, environment_name: str) -> None:
    page = ConsoleSite(redis_url, environment_name).get("/service-levels")
    assert page.status == 200
    assert "Nothing is promised. A promise stands in the monitors file: serving: {slo: {errors: 0.01}}" in page.text


def test_damage_costs_its_own_row(site: ConsoleSite) -> None:
    async def damage(redis: Redis, names: Names) -> None:
        await redis.hset(names.evaluation("api", "serving"), "service", b"{}")

    site.fill(damage)
    page = site.get("/service-levels")
    assert page.status == 200
    assert "errors at most 5" in page.text
