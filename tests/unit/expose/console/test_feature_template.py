"""What people are told of a feature on its page: who owns it, how it is computed, and what changed."""

from __future__ import annotations

from datetime import date

from schemas.monitored import Change, FeatureMonitor
from stream.expose.console.feature_page import Picture, feature_page
from stream.expose.console.model_page import Place
from stream.expose.console.render import templates


def page(monitor: FeatureMonitor) -> str:
    place = Place("m", "day", [("day", 86_400_000)], "psi")
    shown = feature_page("speed", place, monitor, report=None, history=[], picture=Picture(None, "nothing yet"))
    return templates().get_template("feature.html").render(path="/", environment="", page=shown, unreadable=0)


def test_the_definition_of_a_feature_and_its_history() -> None:
    html = page(
        FeatureMonitor(
            type="numeric",
            source="fleet",
            owner="ops-data",
            description="mean speed",
            unit="km/h",
            computation="sum(distance) / sum(time)",
            version="3<b>",
            changes=(
                Change(at=date(2026, 5, 11), what="knots & km/h", by="ann"),
                Change(at=date(2026, 3, 1), what="first"),
            ),
        )
    )
    for said in ("mean speed", "fleet", "ops-data", "numeric, km/h", "sum(distance) / sum(time)", "3&lt;b&gt;"):
        assert said in html
    assert html.index("2026-05-11") < html.index("knots &amp; km/h") < html.index("2026-03-01") < html.index("first")


def test_a_feature_without_a_history_shows_no_empty_table() -> None:
    html = page(FeatureMonitor(type="numeric"))
    assert "what changed" not in html
    assert "Changes" not in html
