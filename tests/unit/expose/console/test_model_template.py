"""What people are told on a model's page of a window that its reference cannot calibrate."""

from __future__ import annotations

import pytest

from schemas.config import InForce
from schemas.reports import Report
from stream.expose.console.model_page import Place, model_page
from stream.expose.console.render import templates
from tests.support.models import monitor


def page(*, calibrated_from: int | None) -> str:
    report = Report(
        model="m", stream="predictions", window="day", start=0, end=86_400_000, seen=0, state="ok", events=200,
        calibrated_from=calibrated_from,
    )  # fmt: skip
    place = Place("m", "day", [("day", 86_400_000)], "psi")
    force = InForce(reference="f" * 64, monitor=monitor())
    shown = model_page(place, force, report=report, history=[report], incidents=[], totals={})
    return templates().get_template("model.html").render(path="/", environment="", page=shown, unreadable=0)


@pytest.mark.parametrize(("calibrated_from", "said"), [(1_357_035_300_000, True), (None, False)])
def test_until_when_the_rule_of_thumb_decides(calibrated_from: int | None, *, said: bool) -> None:
    html = page(calibrated_from=calibrated_from)
    assert ("Its reference cannot calibrate the drift test" in html) is said
    assert ("2013-01-01 10:15" in html) is said
