"""The measures of a column that a page can show over time: how each is called, where a report holds it, how it is drawn.

Pure.  What a rule decides by carries its threshold, drawn as a dashed line; the others describe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.reports import Column, Measure, Report
from schemas.river import DETECTORS
from stream.expose.console.charts import Series, timeline
from stream.expose.console.format import SHARES

#: What stands for a column unless a reader chooses another.
FIRST = "psi"
#: Every measure of a report, by the name it has there, in the order in which they are offered.
LABELS: Mapping[str, str] = {
    "psi": "PSI",
    "ks": "KS distance",
    "ks_p": "KS p-value",
    "chi2": "chi-squared",
    "chi2_p": "chi-squared p-value",
    "drift": "calibrated p-value",
    "shift": "shift of the middle, sd",
    "missing": "missing values",
    "unseen": "values never seen",
    "outside": "beyond the reference",
    "range": "out of range",
    "type": "of another type",
    "nonfinite": "not finite",
    "cusum": "CUSUM",
    "cusum_small": "CUSUM for small shifts",
    "ewma": "EWMA",
    "skew": "serving against store, PSI",
    "skew_p": "serving against store, p-value",
    "shewhart": "Shewhart's chart, sd",
    "rolling": "off the rolling mean, sd",
    **{name: f"{one.name}, panes since its alarm" for name, one in DETECTORS.items()},
}


def measure_of(column: Column, name: str) -> Measure | None:
    """A column's measure; one that no rule decides by is taken from where the report has it besides.

    >>> plain = Column("ok", 9, missing_ratio=0.5, measures={"ks": Measure(0.1, p_value=0.02)})
    >>> measure_of(plain, "missing").value, measure_of(plain, "ks_p").value, measure_of(plain, "psi")
    (0.5, 0.02, None)
    """
    if name in column.measures:
        return column.measures[name]
    if name == "missing" and column.missing_ratio is not None:
        return Measure(column.missing_ratio, "share of rows")
    tested = column.measures.get(name.removesuffix("_p")) if name.endswith("_p") else None
    return Measure(tested.p_value, tested.convention) if tested and tested.p_value is not None else None


def offered(columns: Iterable[Column], chosen: str) -> list[tuple[str, str]]:
    """(name, label) of the measures that any of the columns has, and of the one that was chosen."""
    found = {chosen, FIRST}
    for column in columns:
        found.update(column.measures)
        found.update(f"{name}_p" for name, one in column.measures.items() if one.p_value is not None)
        if column.missing_ratio is not None:
            found.add("missing")
    return [(name, label) for name, label in LABELS.items() if name in found]


def columns_in(history: Iterable[Report]) -> Iterable[Column]:
    """Every column of some reports."""
    for report in history:
        yield from report.features.values()
        yield from report.prediction.values()


def line(label: str, found: Sequence[Measure | None], *, shown: bool = True) -> Series | None:
    """A line of one measure with its newest threshold; None where it never had a number."""
    known = [one for one in found if one is not None and one.value is not None]
    if not known:
        return None
    return Series(label, [one.value if one else None for one in found], known[-1].threshold, shown)


def chart(times_ms: Sequence[int], lines: Iterable[Series | None], *, measure: str) -> Mapping[str, Any] | None:
    """What the script draws; None where there is no line.  Shares are drawn in percent."""
    drawn = [one for one in lines if one is not None]
    if not drawn:
        return None
    if measure in SHARES:
        return timeline(times_ms, map(_percent, drawn), unit="%")
    return timeline(times_ms, drawn, unit=LABELS[measure])


def _percent(one: Series) -> Series:
    limit = None if one.threshold is None else 100 * one.threshold
    return Series(one.name, [None if value is None else 100 * value for value in one.values], limit, one.shown)
