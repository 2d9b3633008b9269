"""Stored counts of the year, month by month, against January: one PSI for each feature and for the score.

Months are New York's, and whole hours, so they are sums of whole panes. The convention is ``deciles`` of
`detectors.psi`: the number that everybody's rule of thumb (0.1, 0.25) is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table

from detectors.psi import deciles_categorical, deciles_numeric
from schemas.reference import CategoricalProfile, Profile, Reference
from stream.local.flights import HOME

CONVENTION = "deciles"
SCORE = "(score)"
#: The rule of thumb's two limits, and how the table shows what passes them.
_STYLES = ((0.25, "bold red"), (0.1, "yellow"))

Counts = Mapping[str, Any]
#: Column -> PSI; None where there is nothing to compare.
Psi = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Month:
    """A month of 2013 in New York, half-open, in epoch milliseconds."""

    name: str
    from_ms: int
    to_ms: int


def months() -> tuple[Month, ...]:
    """The twelve of them.

    >>> months()[0]
    Month(name='Jan', from_ms=1357016400000, to_ms=1359694800000)
    """
    starts = [datetime(2013, month, 1, tzinfo=ZoneInfo(HOME)) for month in range(1, 13)]
    starts.append(datetime(2014, 1, 1, tzinfo=ZoneInfo(HOME)))
    return tuple(
        Month(f"{start:%b}", round(start.timestamp() * 1000), round(end.timestamp() * 1000))
        for start, end in pairwise(starts)
    )


def psi_of_month(reference: Reference, counts: Counts) -> Psi:
    """The PSI of every column of ``counts`` (as `driftline counts --json` prints them) that can have one."""
    features = counts["features"]
    found = {name: _psi(profile, features[name]) for name, profile in reference.features.items() if name in features}
    score = counts.get("prediction", {}).get("score")
    if reference.score is not None and score is not None:
        found[SCORE] = _psi(reference.score, score)
    return found


def _psi(profile: Profile, counted: Counts) -> float | None:
    if isinstance(profile, CategoricalProfile):
        return _psi_of_names(profile, counted)
    if list(counted["edges"]) != list(profile.edges):
        raise ValueError("counted over other edges than the reference's")
    return deciles_numeric(profile, counted["counts"])


def _psi_of_names(profile: CategoricalProfile, counted: Counts) -> float | None:
    """None where names are counted in other bins than the reference's: by a hash, or only the most frequent."""
    names = counted["categories"]
    if set(names) != set(profile.categories):
        return None
    counts = [names[name] for name in profile.categories]
    return deciles_categorical(profile, counts, other=counted["other"], unseen=counted["unseen"])


def psi_table(by_month: Mapping[str, Psi]) -> Table:
    """A row per column, a column per month, within 80 characters; what passes 0.1 and 0.25 stands out."""
    title = f"PSI against January, convention {CONVENTION}"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 0, 0, 1), pad_edge=False)
    table.add_column("", no_wrap=True)
    for month in by_month:
        table.add_column(month, justify="right", no_wrap=True)
    for name in _columns(by_month):
        table.add_row(name, *(_cell(psi.get(name)) for psi in by_month.values()))
    return table


def _columns(by_month: Mapping[str, Psi]) -> list[str]:
    """Every column that has a number in some month, the score last."""
    names = {name for psi in by_month.values() for name, value in psi.items() if value is not None}
    return sorted(names, key=lambda name: (name == SCORE, name))


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    style = next((style for limit, style in _STYLES if value > limit), None)
    text = f"{value:.{2 if value < 10 else 1}f}"  # four characters either way
    return f"[{style}]{text}[/]" if style else text
