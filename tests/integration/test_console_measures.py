"""The measure that the console's charts show: chosen by links, kept in the address, reached from an incident's findings."""

from __future__ import annotations

import html
import re
import uuid

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from tests.support.console_incidents import OPEN_WEATHER, fill_incidents
from tests.support.console_site import ConsoleSite
from tests.support.console_year import fill


async def year(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": False}, days=5)
    await fill_incidents(redis, names)


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(year)
    return made


def test_the_measure_is_chosen_by_a_link_and_every_link_keeps_it(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay?window=week&measure=ks_p")
    chosen = re.findall(r'<nav class="choice".*?</nav>', page.html, re.S)[0]

    assert re.findall(r'measure=(\w+)#over-time"(?: aria-current="true")?>([^<]+)', chosen) == [
        ("psi", "PSI"), ("ks", "KS distance"), ("ks_p", "KS p-value"), ("chi2", "chi-squared"),
        ("chi2_p", "chi-squared p-value"), ("missing", "missing values"),
    ]  # fmt: skip
    assert 'href="/models/flight-delay?window=week&amp;measure=ks_p#over-time" aria-current="true"' in chosen
    assert 'href="/models/flight-delay?window=day&amp;measure=ks_p"' in page.html
    assert 'href="/models/flight-delay/features/temp?window=week&amp;measure=ks_p"' in page.html
    assert "Feature State KS p-value threshold" in page.text
    feature = site.get("/models/flight-delay/features/temp?window=week&measure=ks_p")
    assert 'href="/models/flight-delay?window=week&amp;measure=ks_p"' in feature.html
    assert "KS p-value over time" in feature.text


def test_a_measure_that_a_feature_does_not_have_says_so(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay/features/carrier?measure=ks")

    assert page.status == 200
    assert "No judgement of this window holds it." in page.text


def test_a_finding_leads_to_the_chart_of_its_measure(site: ConsoleSite) -> None:
    page = site.get(f"/incidents/{OPEN_WEATHER}").html
    [link] = set(re.findall(r'href="(/models/flight-delay/features/temp\?[^"]*)"', page))

    assert html.unescape(link) == "/models/flight-delay/features/temp?window=day&measure=psi"
    assert site.get(html.unescape(link)).status == 200
