"""What the console's pages are made of, with exact numbers: charts, histograms, the order of lists, commands to type."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from detectors.psi import driftline_numeric
from detectors.quality.limits import LEARNED
from schemas.incidents import Cause, IncidentView
from schemas.reference import NumericProfile
from schemas.reports import Column, Measure, Report
from stream.evaluate.charts.named import NAMED_RULES
from stream.evaluate.columns.charted import RULES
from stream.evaluate.columns.measuring import CONVENTIONS
from stream.evaluate.columns.rules import BUDGET_RULES
from stream.evaluate.quality.verdicts import AGREED
from stream.evaluate.skew.columns import RULE as SKEW
from stream.expose.console.charts import Series, sparkline, timeline
from stream.expose.console.histogram import Bin, folded, histogram, ticks_of
from stream.expose.console.incident_page import (
    commands_of,
    ended_rows,
    incident_page,
    open_rows,
    row_of,
    strongest,
    subject_of,
)
from stream.expose.console.measured import LABELS, measure_of, offered
from stream.expose.console.model_page import drift_chart, feature_rows
from tests.support.console_incidents import carrier, member, outage, schedule, weather
from tests.support.models import categorical


def numeric() -> NumericProfile:
    """0 to 40 in four bins, deciles only at 10 and 20, and the value 20 an atom."""
    return NumericProfile(
        edges=(0.0, 10.0, 20.0, 20.000000000000004, 40.0), deciles=(10.0, 20.0), atoms=(20.0,),
        counts=(0, 50, 20, 20, 10, 0), pane_counts=(), rows=104, missing=3, nonfinite=1, minimum=0.0, maximum=39.0,
        mean=12.0, sd=9.0,
    )  # fmt: skip


def counted(*counts: int, missing: int = 0, infinite: int = 0) -> dict[str, object]:
    edges = list(numeric().edges)
    return {"edges": edges, "counts": list(counts), "missing": missing, "nan": 0, "positive_infinity": infinite, "n": 1}


def report(end: int, **features: float | None) -> Report:
    columns = {
        name: Column("ok", 10, measures={} if value is None else {"psi": Measure(value, threshold=0.25)})
        for name, value in features.items()
    }
    return Report(
        model="m", stream="predictions", window="day", start=end - 1, end=end, seen=end, state="ok", events=10,
        features=columns,
    )  # fmt: skip


def test_numeric_bins_are_deciles_atoms_and_missing_and_add_up_to_the_index() -> None:
    made = histogram(counted(1, 10, 20, 30, 40, 5, missing=2, infinite=1), numeric())

    assert made is not None
    assert [(bin.label, bin.count) for bin in made.bins] == [
        ("< 10", 11), ("10 … 20", 20), ("= 20", 30), ("≥ 20", 45), ("missing", 3),
    ]  # fmt: skip
    assert (made.n, made.n_reference) == (109, 104)
    assert made.bins[0].share == 11 / 109
    assert made.bins[4].reference == 4 / 104
    assert sum(bin.contribution for bin in made.bins) == pytest.approx(
        driftline_numeric(numeric(), [1, 10, 20, 30, 40, 5], missing=3), abs=1e-12
    )


def test_an_edge_is_written_once_and_an_atom_under_its_own_bin() -> None:
    assert ticks_of([10.0, 20.0, 20.000000000000004]) == [("", False), ("10", False), ("20", True), ("", False)]


def test_names_keep_other_unseen_and_missing_apart() -> None:
    counts = {"categories": {"UA": 6, "DL": 0}, "other": 0, "unseen": 3, "missing": 1}
    made = histogram(counts, categorical("UA", "DL"))

    assert made is not None
    assert [(bin.label, bin.share, bin.reference) for bin in made.bins] == [
        ("UA", 0.6, 0.5), ("DL", 0.0, 0.5), ("(unseen)", 0.3, 0.0), ("(missing)", 0.1, 0.0),
    ]  # fmt: skip


def test_names_counted_by_a_hash_and_bins_of_another_reference_have_no_histogram() -> None:
    assert histogram({"categories": {"#0": 1}, "other": 0, "unseen": 0, "missing": 0}, categorical("UA")) is None
    assert histogram(counted(1) | {"edges": [1.0]}, numeric()) is None


def test_what_is_folded_is_added_up() -> None:
    bins = [Bin(str(at), at, at / 10, 0.1, 0.01 * at) for at in range(1, 5)]
    *shown, rest = folded(bins, most=2)

    assert [bin.label for bin in shown] == ["4"]
    assert (rest.label, rest.count) == ("3 more", 6)
    assert rest.share == pytest.approx(0.6)
    assert rest.contribution == pytest.approx(0.06)


def test_a_gap_in_a_sparkline_is_a_move_and_the_threshold_is_always_in_sight() -> None:
    spark = sparkline([0.0, None, 1.0], threshold=2.0)

    assert spark is not None
    assert spark.path == "M0 26M120 14"
    assert (spark.threshold, spark.last) == (2.0, (120.0, 14.0))
    assert sparkline([None]) is None
    assert sparkline([]) is None


def test_a_chart_is_in_seconds_and_keeps_gaps() -> None:
    assert timeline([1_000, 2_000], [Series("a", [None, 0.5], 0.25, shown=False)], unit="psi") == {
        "times": [1, 2],
        "series": [{"name": "a", "values": [None, 0.5], "threshold": 0.25, "shown": False}],
        "unit": "psi",
    }


def test_a_feature_that_appears_later_has_a_gap_before_and_one_without_the_index_no_line() -> None:
    history = [report(1_000, a=0.1, b=None), report(2_000, a=0.2, b=None, c=0.3)]
    rows = feature_rows(history[-1].features, {}, history=history)
    chart = drift_chart(rows, history)

    assert chart is not None
    assert {line["name"]: line["values"] for line in chart["series"]} == {"a": [0.1, 0.2], "c": [None, 0.3]}


def test_worst_first_then_the_newest_and_the_ended_apart() -> None:
    views = [outage(), carrier(), schedule(), weather()]

    assert [row.view.severity for row in open_rows(views)] == ["P1", "P2"]
    assert [row.view.title.split(":")[0] for row in ended_rows(views)] == ["schedule-db", "flight-delay"]


@pytest.mark.parametrize(
    ("probabilities", "cause", "tied"),
    [
        ((0.45, 0.45, 0.1), None, 2),
        ((0.5, 0.44, 0.06), "0", 1),
        ((0.333, 0.334, 0.333), None, 1),
        ((0.3, 0.1), None, 1),
        ((), None, 0),
    ],
)
def test_a_cause_is_named_only_where_it_stands_out_and_a_tie_is_counted(
    probabilities: tuple[float, ...], cause: str | None, tied: int
) -> None:
    causes = tuple(Cause(f"source:{at}", value) for at, value in enumerate(probabilities))
    view = msgspec.structs.replace(weather(), causes=causes)
    named, page = row_of(view).cause, incident_page(view, [])

    assert (named.node.name if named else None, page.tied) == (cause, tied)
    assert [one.node.name for one in page.candidates if one.leads] == ([cause] if cause else [])


def test_findings_that_the_document_does_not_list_are_counted() -> None:
    row = row_of(msgspec.structs.replace(weather(), more_members=2400, more_firing=2000))

    assert (row.firing, row.findings) == (2003, 2403)


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, "?window=day&measure=psi"),
        ({"rule": "cusum", "window": None}, "?measure=cusum"),
        ({"rule": "psi_upstream"}, ""),
        ({"window": "slow"}, ""),
    ],
)
def test_a_finding_leads_to_the_chart_of_what_it_was_judged_by(fields: dict[str, str | None], asked: str) -> None:
    found = subject_of(member("temp", source="s", value=1.0, onset=0, **fields))

    assert found.href == f"/models/flight-delay/features/temp{asked}"


def test_every_measure_that_a_report_can_hold_can_be_chosen() -> None:
    assert {*CONVENTIONS, *BUDGET_RULES, *LEARNED, *AGREED, *RULES, "ewma", *NAMED_RULES, SKEW, f"{SKEW}_p"} == set(
        LABELS
    )


def test_what_the_reports_hold_is_offered_and_what_was_chosen() -> None:
    column = Column("ok", 9, measures={"ks": Measure(0.1, p_value=0.5), "psi": Measure(0.1), "of_tomorrow": Measure(1)})

    assert [name for name, _ in offered([column], "missing")] == ["psi", "ks", "ks_p", "missing"]
    assert [name for name, _ in offered([Column("ok", 9, missing_ratio=0.0)], "psi")] == ["psi", "missing"]


def test_a_measure_that_decides_keeps_its_threshold() -> None:
    decided = {"ks": Measure(0.1, p_value=0.001), "ks_p": Measure(0.001, threshold=0.01, exceeded=True)}
    found = measure_of(Column("drift", 9, missing_ratio=0.5, measures=decided), "ks_p")

    assert found == decided["ks_p"]


def test_a_chart_of_missing_values_is_in_percent_with_its_threshold() -> None:
    limit = {"missing": Measure(0.25, threshold=0.05, exceeded=True)}
    history = [
        msgspec.structs.replace(report(end), features={"a": Column("ok", 9, missing_ratio=ratio, measures=measures)})
        for end, ratio, measures in ((1_000, None, {}), (2_000, 0.25, limit))
    ]
    rows = feature_rows(history[-1].features, {}, history=history, measure="missing")

    assert drift_chart(rows, history, measure="missing") == {
        "times": [1, 2],
        "series": [{"name": "a", "values": [None, 25.0], "threshold": 5.0, "shown": True}],
        "unit": "%",
    }
    assert drift_chart(rows, history, measure="chi2") is None


def test_a_small_p_value_is_beyond_its_threshold_and_its_line_says_so() -> None:
    decided = {"ks": Measure(0.1, p_value=0.001), "ks_p": Measure(0.001, threshold=0.01, exceeded=True)}
    judged = msgspec.structs.replace(report(1_000), features={"a": Column("drift", 9, measures=decided)})
    [row] = feature_rows(judged.features, {}, history=[judged], measure="ks_p")

    assert row.spark is not None
    assert row.spark.over
    assert row.decided_by == ["ks_p"]


def test_the_strongest_finding_fires_is_gravest_and_furthest_beyond_its_threshold() -> None:
    mild = member("a", source="s", value=0.3, onset=0)
    strong = member("b", source="s", value=0.9, onset=0)
    clear = member("c", source="s", value=9.0, onset=0, state="ok")
    tiny = member("d", source="s", value=0.0001, onset=0, rule="ks_p", threshold=0.01)

    assert strongest([mild, strong, clear]) == strong
    assert strongest([mild, strong, tiny]) == tiny
    assert strongest([]) is None


def test_commands_are_quoted_for_the_shell() -> None:
    hostile = msgspec.structs.replace(weather(), id="$(rm -rf ~)")
    assert commands_of(hostile)[0][0] == "driftline incident ack '$(rm -rf ~)'"


def silenced(view: IncidentView) -> str:
    return commands_of(view)[-1][0]


def test_a_silence_is_about_what_all_findings_share() -> None:
    mixed = msgspec.structs.replace(
        weather(), members=(*weather().members, member("x", source="y", value=1.0, onset=0))
    )
    several = msgspec.structs.replace(mixed, models=("a", "b"))

    assert silenced(weather()) == "driftline silence add 'source=\"weather-feed\"' --for 4h"
    assert silenced(mixed) == "driftline silence add 'model=\"flight-delay\"' --for 4h"
    assert silenced(several) == f"driftline silence add 'incident=\"{weather().id}\"' --for 4h"


def test_what_the_index_does_not_decide_is_named() -> None:
    measures = {"psi": Measure(0.1, threshold=0.25), "cusum": Measure(6.0, threshold=5.0, exceeded=True)}
    [row] = feature_rows({"a": Column("drift", 10, measures=measures)}, {}, history=[])

    assert row.decided_by == ["cusum"]
    assert dataclasses.asdict(row)["spark"] is None
