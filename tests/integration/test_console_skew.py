"""Where people find that a feature is served otherwise than its store says: the console, and ``driftline features``."""

from __future__ import annotations

import json
import uuid

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from schemas.reports import Column, Measure, Report
from stream.expose.console.incident_page import subject_of
from tests.support.command import driftline
from tests.support.console_incidents import member
from tests.support.console_reports import store_reports
from tests.support.console_site import ConsoleSite
from tests.support.console_year import DAY, JANUARY, fill

SKEWED = Measure(0.41, "driftline, serving against store", 1e-12, 0.02, 0.1, exceeded=True)


async def year(redis: Redis, names: Names) -> None:
    await fill(redis, names, {"flight-delay": True}, days=5)
    column = Column("drift", 900, 120, missing_ratio=0.0, mean=60.0, measures={"skew": SKEWED})
    await store_reports(redis, names, [Report(
        model="flight-delay", stream="skew", window="day", start=JANUARY, end=JANUARY + DAY, seen=JANUARY + DAY,
        state="drift", events=1020, features={"temp": column}, reference="0" * 64,
    )])  # fmt: skip


@pytest.fixture(scope="module")
def site(redis_url: str) -> ConsoleSite:
    made = ConsoleSite(redis_url, f"t{uuid.uuid4().hex[:10]}")
    made.fill(year)
    return made


def test_the_models_page_has_the_comparison_as_a_window_and_shows_it_by_its_own_measure(site: ConsoleSite) -> None:
    page = site.get("/models/flight-delay?window=skew:day")
    assert page.status == 200
    assert "Feature State serving against store, PSI threshold" in page.text
    assert "temp drift 0.41 0.1" in page.text
    shown = site.get("/models/flight-delay").text
    assert "day 1d week 1w skew:day 1d" in shown
    assert "temp drift skew (skew:day)" in page.text  # among those that need somebody
    feature = site.get("/models/flight-delay/features/temp?window=skew:day")
    assert "Serving against store, PSI over time" in feature.text
    assert "n 900, store 120" in feature.text
    assert "windows of their own" in feature.text


def test_features_says_why(site: ConsoleSite) -> None:
    env = {"DRIFTLINE_REDIS": site.redis, "DRIFTLINE_ENVIRONMENT": site.environment}
    asked = driftline("features", "--model", "flight-delay", "--unhealthy", "--json", env=env)
    [found] = [one for one in json.loads(asked.out)["features"] if one["feature"] == "temp"]
    assert (found["state"], found["why"]) == ("drift", {"skew": ["skew:day"]})


def test_a_finding_of_it_leads_to_its_window(site: ConsoleSite) -> None:
    finding = member("temp", source="weather-feed", value=0.41, onset=JANUARY, rule="skew", kind="skew")
    href = subject_of(finding).href
    assert href == "/models/flight-delay/features/temp?window=skew%3Aday&measure=skew"
    assert site.get(href).status == 200
