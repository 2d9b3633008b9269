"""What a model's page says beyond each feature's number: its sources tested together, and what may have happened."""

from __future__ import annotations

import re

import msgspec

from schemas.config import InForce
from schemas.reports import Column, ColumnCause, Measure, Report, Source
from stream.expose.console.feature_page import Picture, feature_page
from stream.expose.console.model_page import Place, model_page
from stream.expose.console.render import templates
from tests.support.judged import DAY, monitor

CAUSE = ColumnCause("unit", "looks like °F sent where °C was: x -> 1.8 x + 32", 0.974, 960, DAY, {"unit": "degC->degF"})
TEMP = Column("drift", 960, 4_000, measures={"psi": Measure(3.1, threshold=0.25, exceeded=True)}, cause=CAUSE)
WEATHER = Source(
    state="drift",
    feature="temp",
    features={"temp": Measure(1.2, "pooled", p_value=1e-5), "dewp": Measure(-0.1, "pooled", p_value=0.7)},
    measures={"shift_of_source": Measure(2e-5, "pooled", p_value=2e-5, threshold=1e-4, exceeded=True)},
)
REPORT = Report(
    model="m", stream="predictions", window="day", start=0, end=DAY, seen=DAY, state="drift", events=960,
    features={"temp": TEMP}, sources={"weather": WEATHER},
)  # fmt: skip
PLACE = Place("m", "day", [("day", DAY)])


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def model_html(report: Report) -> str:
    force = InForce(reference="f" * 64, monitor=monitor())
    shown = model_page(PLACE, force, report=report, history=[], incidents=[], totals={})
    return templates().get_template("model.html").render(path="/", environment="", page=shown, unreadable=0)


def test_a_source_with_its_p_value_limit_and_the_feature_that_moved() -> None:
    html = model_html(REPORT)
    assert "weather drift &lt; 0.0001 0.0001 temp 1.2 &lt; 0.0001 2" in text(html)
    assert '<a href="/models/m/features/temp?window=day&amp;measure=psi">temp</a>' in html
    assert "tested together" not in model_html(msgspec.structs.replace(REPORT, sources={}))


def test_the_cause_stands_with_its_feature_on_both_pages() -> None:
    assert "looks like °F sent where °C was: x -&gt; 1.8 x + 32" in model_html(REPORT)
    shown = feature_page("temp", PLACE, None, report=REPORT, history=[], picture=Picture(None))
    page = text(templates().get_template("feature.html").render(path="/", environment="", page=shown, unreadable=0))
    assert "x -&gt; 1.8 x + 32 explains 97.4 % of what differs n 960, window up to 1970-01-02" in page
