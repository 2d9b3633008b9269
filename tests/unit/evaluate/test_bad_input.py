"""What nobody means to send, against references that nobody means to have: everywhere a stream is judged and shown.

Each gives a named state, finite numbers and whole pages, and nothing warns.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

from detectors.profile import build_reference, coded, panes_of
from schemas.config import InForce
from schemas.monitored import (
    BudgetMonitor,
    ChartsMonitor,
    FeatureMonitor,
    ModelMonitor,
    RiverChart,
    RollingChart,
    ShewhartChart,
)
from schemas.reference import Reference
from schemas.reports import Report, State, encode
from stream.command.features import show
from stream.command.tail import line_of
from stream.evaluate.calibration.live_calibration import Live, Stretch, far_columns, folded_rows, quiet_columns
from stream.evaluate.charts.charts import Charts, with_named
from stream.evaluate.closing.unit import phase_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_panes
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.skew import judging as skew
from stream.evaluate.skew.columns import Both
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict
from stream.expose.console.feature_page import Picture, feature_page
from stream.expose.console.histogram import histogram
from stream.expose.console.measured import offered
from stream.expose.console.model_page import Place, model_page
from stream.expose.console.render import templates
from stream.expose.feature_health import features_of
from tests.support.judged import DAY, HOUR, Rows, counted, monitor, watched, window

RANDOM = np.random.default_rng(20130117)
NUMERIC = ("fine", "equal", "missing", "infinite", "huge")
NAMES = ("single", "many", "unnamed")
CHARTS = ChartsMonitor(
    shewhart=ShewhartChart(width=2.0), rolling=RollingChart(weight=0.05, width=3.0), river=(RiverChart(name="adwin"),)
)
MONITOR: ModelMonitor = monitor(
    features={
        name: FeatureMonitor(type="numeric" if name in NUMERIC else "categorical", source="one")
        for name in (*NUMERIC, *NAMES)
    },
    budget=BudgetMonitor(),
    charts=CHARTS,
)
#: No number that a page or a line should hold.
NOTHING = re.compile(r"(?<![\w-])(nan|NaN|None|inf|Infinity)(?!\w)")


def built(rows: int, *, hours: int | None, seed: int = 1) -> Reference:
    """A reference of every bad column, in so many hours or in none."""
    fine = np.random.default_rng(seed).normal(size=rows)
    numbers = {
        "fine": fine, "equal": np.full(rows, 7.0), "missing": np.full(rows, np.nan),
        "infinite": np.resize([np.inf, -np.inf], rows), "huge": fine * 3e307,
    }  # fmt: skip
    names: dict[str, list[str | None]] = {
        "single": ["a"] * rows,
        "many": [f"n{at}" for at in range(rows)],
        "unnamed": [None] * rows,
    }
    panes = None if hours is None else panes_of(np.arange(rows) * hours // rows * HOUR, pane_ms=HOUR)
    columns = numbers | {name: coded(values) for name, values in names.items()}
    return build_reference("m", columns, panes=panes, score=np.random.default_rng(seed).uniform(size=rows))


REFERENCES: Mapping[str, Reference] = {
    "40 panes": built(800, hours=40),
    "19 panes": built(400, hours=19),
    "no order": built(800, hours=None),
    "one row": built(1, hours=1),
}


def rows_of(kind: str, rows: int) -> Rows:
    """Every column of the model, all of one kind."""
    drawn = RANDOM.normal(size=rows)
    numbers, names = {
        "empty": ([], []),
        "one row": ([0.3], ["a"]),
        "missing": ([None] * rows, [None] * rows),
        "equal": ([7.0] * rows, ["b"] * rows),
        "fine": (drawn.tolist(), ["a"] * rows),
        "huge": ((drawn * 3e307).tolist(), [""] * rows),
        "all differ": (np.arange(rows) * 1e300, [f"m{at}" for at in range(rows)]),
    }[kind]
    scores = {} if kind == "empty" else {"score": RANDOM.uniform(size=len(numbers)).tolist()}
    return {**dict.fromkeys(NUMERIC, numbers), **dict.fromkeys(NAMES, names), **scores}


KINDS = ("empty", "one row", "missing", "equal", "fine", "huge", "all differ")
EVERY = [(reference, kind) for reference in REFERENCES for kind in KINDS]


def numbers_in(value: Any) -> Iterator[float]:
    """Every number of a report or a verdict, as JSON would write it."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from numbers_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from numbers_in(one)


def sound(found: Any) -> None:
    """Finite throughout: what JSON would silently call null as well."""
    held = msgspec.to_builtins(found)
    assert [one for one in numbers_in(held) if not math.isfinite(one)] == []


def sound_report(report: Report) -> None:
    sound(report)
    columns = {**report.features, **report.prediction}
    assert {report.state, *(one.state for one in columns.values())} <= set(get_args(State))
    json.loads(encode(report), parse_constant=pytest.fail)
    assert NOTHING.search(line_of("reports", json.loads(encode(report)))) is None


def whole(said: Verdict | Quiet | Clear | Fine) -> list[Verdict]:
    return [said.whole(key) for key in said.keys] if isinstance(said, Clear | Fine) else [said.whole()]


def watched_of(reference: str) -> Watched:
    return watched(MONITOR, of=REFERENCES[reference])


def charted(of: Watched, kind: str) -> Charts:
    """The charts after panes of ordinary rows, and of a kind."""
    charts = Charts()
    for at, each in enumerate(("fine",) * 6 + (kind,) * 6):
        pane = Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, rows_of(each, 40)))
        for after in judge_panes(of, [pane], charts):
            charts = after.charts
            for said in after.verdicts:
                sound(whole(said))
    assert np.isfinite(charts.sums).all()
    return with_named(Charts.from_json(charts.to_json()), of)


@pytest.mark.parametrize(("reference", "kind"), EVERY)
def test_a_window_its_charts_its_verdicts_and_its_features(
    reference: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    of = watched_of(reference)
    report = judge_window(of, window(of, rows_of(kind, 400)), seen_ms=0, charts=charted(of, kind))
    sound_report(report)
    for said in verdicts_of(report, of):
        sound(said)
    listed = features_of("m", MONITOR, {"day": report}, unregistered={})
    show(listed, [])
    assert NOTHING.search(capsys.readouterr().out.replace("–", "")) is None


#: The states of the columns ``fine``, ``equal``, ``missing``, ``infinite``, ``huge``, ``single``, ``many``, ``unnamed``.
STATES = {
    ("40 panes", "empty"): "no_traffic " * 8,
    (
        "40 panes",
        "one row",
    ): "not_enough_data not_enough_data no_reference no_reference not_enough_data not_enough_data "
    "not_enough_data no_reference",
    ("40 panes", "missing"): "drift drift no_reference no_reference drift drift drift no_reference",
    ("40 panes", "equal"): "drift ok no_reference no_reference drift drift ok no_reference",
    ("40 panes", "fine"): "ok drift no_reference no_reference drift ok ok no_reference",
}


@pytest.mark.parametrize(("reference", "kind"), STATES)
def test_its_states(reference: str, kind: str) -> None:
    of = watched_of(reference)
    report = judge_window(of, window(of, rows_of(kind, 400)), seen_ms=0)
    found = {name: report.features[name].state for name in (*NUMERIC, *NAMES)}
    assert found == dict(zip(found, STATES[reference, kind].split(), strict=True))


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_pages_of_the_console(reference: str) -> None:
    of = watched_of(reference)
    charts = charted(of, "huge")
    history = [judge_window(of, window(of, rows_of(kind, 400)), seen_ms=0, charts=charts) for kind in KINDS]
    columns = [column for report in history for column in report.features.values()]
    for measure, _ in offered(columns, "psi"):
        place = Place("m", "day", [("day", DAY)], measure)
        force = InForce(reference="f" * 64, monitor=MONITOR)
        page: Any = model_page(place, force, report=history[-1], history=history, incidents=[], totals={})
        sound_page("model.html", page)
        for name in ("fine", "infinite", "many"):
            picture = Picture(None, "none")
            page = feature_page(
                name, place, MONITOR.features[name], report=history[-1], history=history, picture=picture
            )
            sound_page("feature.html", page)


def sound_page(template: str, page: Any) -> None:
    shown = templates().get_template(template).render(path="/", environment="", page=page, unreadable=0)
    assert NOTHING.search(shown) is None


@pytest.mark.parametrize("reference", REFERENCES)
def test_histograms(reference: str) -> None:
    for name in NUMERIC:
        profile = REFERENCES[reference].features[name]
        counts = {"edges": list(profile.edges), "counts": [0] * len(profile.counts)}  # type: ignore[union-attr]
        for more in ({}, {"missing": 5, "positive_infinity": 5}):
            found = histogram({**counts, **more}, profile)
            assert found is not None
            assert math.isfinite(found.top)
            assert all(math.isfinite(one.contribution) for one in found.bins)
            assert NOTHING.search(" ".join(f"{one.label} {one.tick}" for one in found.bins)) is None


@pytest.mark.parametrize(("reference", "kind"), EVERY)
def test_what_is_served_against_the_store(reference: str, kind: str) -> None:
    served, stored = watched_of(reference), watched(MONITOR, stream="features", of=REFERENCES[reference])
    both = Both(phase_of(served, until_ms=None), phase_of(stored, until_ms=None))
    for other in KINDS:
        sides = counted(served.layout, rows_of(kind, 200)), counted(stored.layout, rows_of(other, 200))
        report = skew.judge_skew(both, skew.Window("day", 0, DAY, *sides, True), seen_ms=0)
        sound_report(report)
        for said in skew.verdicts_of(report, both):
            sound(said.whole())


def test_references_of_two_hashes_are_never_held_against_one_another() -> None:
    served, stored = watched_of("40 panes"), watched(MONITOR, stream="features", of=REFERENCES["40 panes"])
    other = replace(stored, layout=replace(stored.layout, reference="e" * 64))
    both = Both(phase_of(served, until_ms=None), phase_of(other, until_ms=None))
    sides = counted(served.layout, rows_of("fine", 200)), counted(stored.layout, rows_of("equal", 200))
    report = skew.judge_skew(both, skew.Window("day", 0, DAY, *sides, True), seen_ms=0)
    assert {one.state for one in report.features.values()} == {"warming"}


@pytest.mark.parametrize("reference", ["19 panes", "no order", "one row"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_calibrates_a_reference_that_cannot(reference: str, kind: str) -> None:
    of, hours = watched_of(reference), 20 * 24
    rows = {hour * HOUR: counted(of.layout, rows_of(kind, 20)) for hour in range(0, hours, 8)}
    folded = folded_rows(of, rows, (0, hours * HOUR), row_ms=HOUR)
    held, far = quiet_columns(of, folded, window_ms=DAY, but=()), far_columns(of, folded)
    live = Live((Stretch(0, hours * HOUR, int(folded.folded.sum()), held, far),), (folded,))
    for now in KINDS:
        report = judge_window(of, replace(window(of, rows_of(now, 400)), live=live), seen_ms=0)
        sound_report(report)
        sound(verdicts_of(report, of))
