"""Both views of a column's weeks, from reports alone."""

from __future__ import annotations

from schemas.reports import Column, Measure, Report
from stream.local.two_views import View, Views, views_of

DAY = 86_400_000


def report(day: int, *, psi: float | None, p: float | None) -> Report:
    measures = {}
    if psi is not None:
        measures["psi"] = Measure(psi)
    if p is not None:
        measures["drift"] = Measure(p / 2, "calibrated", p_value=p)
    columns = {"temp": Column("ok", 100, measures=measures), "tail": Column("no_reference", 100)}
    return Report(
        model="m", stream="predictions", window="week", start=(day - 7) * DAY, end=day * DAY, seen=0, state="ok",
        events=100, features=columns, prediction={"score": Column("ok", 100, measures={"psi": Measure(9.0)})},
    )  # fmt: skip


def test_weeks_beyond_either_limit_are_counted_and_the_first_is_named() -> None:
    reports = [
        report(7, psi=0.25, p=0.001),
        report(8, psi=0.26, p=0.0009),
        report(9, psi=0.3, p=0.5),
        report(10, psi=None, p=None),
    ]
    assert views_of(reports) == [Views("temp", View(2, 3, 8 * DAY), View(1, 3, 8 * DAY))]


def test_what_the_calibrated_test_never_judged_is_left_out() -> None:
    assert views_of([report(7, psi=0.3, p=None)]) == []
    assert views_of([]) == []
