"""The report of `driftline compare` as one file: a table and each column's histogram over the reference's, nothing from elsewhere.

Names and values are escaped by the template; pictures are inline SVG; no script, no font, no request.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from detectors.conventions.driftline import binned
from detectors.conventions.pair import NumericPair
from detectors.conventions.vectors import VectorsPair
from detectors.psi import decile_and_atom_edges
from stream.command.compared_columns import Compared
from stream.command.comparison import Column
from stream.command.printing import shown
from stream.command.unusable import unusable
from stream.expose.console.escaped import escaped_templates
from stream.expose.console.histogram import MOST_NAMES, Bin, bins_of, folded, labels_of

WIDTH, HEIGHT = 640.0, 120.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin as drawn: where it begins, how wide, and the heights of both sides from below."""

    x: float
    width: float
    reference: float
    current: float
    label: str


def write_page(path: Path, columns: Sequence[Column], compared: Compared, *, said: Mapping[str, str]) -> None:
    """Write the report, whole or not at all. Raises ConfigError where the file cannot be written."""
    text = page(columns, compared, said=said)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise unusable(path, "", f"cannot be written: {error.strerror}") from None


def page(columns: Sequence[Column], compared: Compared, *, said: Mapping[str, str]) -> str:
    """The report as text."""
    return (
        _templates()
        .get_template("comparison.html")
        .render(
            columns=columns,
            compared=compared,
            said=said,
            drifted=sum(column.state == "drift" for column in columns),
            statistics=list(dict.fromkeys(name for column in columns for name in column.measured)),
            bars={column.name: bars(bins(column)) for column in columns},
            width=WIDTH,
            height=HEIGHT,
        )
    )


def bins(column: Column) -> list[Bin]:
    """The bins of the convention ``driftline``, without those that both sides leave empty."""
    if isinstance(column.pair, VectorsPair):
        return []
    then, now = (side.tolist() for side in binned(column.pair))
    pair = column.pair
    if isinstance(pair, NumericPair):
        labels = [*labels_of(decile_and_atom_edges(pair.profile).tolist()), "missing"]
        return [one for one in bins_of(labels, now, then) if one.share or one.reference]
    labels = [*pair.profile.categories, "(other)", "(unseen)", "(missing)"]
    return folded(bins_of(labels, now, then), most=MOST_NAMES)


def bars(held: Sequence[Bin]) -> list[Bar]:
    """Bins of one width side by side; the highest share of either side fills the picture.

    >>> [(bar.x, bar.reference, bar.current) for bar in bars(bins_of(["a", "b"], [1, 3], [2, 2]))]
    [(0.0, 80.0, 40.0), (320.0, 80.0, 120.0)]
    """
    top = max((max(one.share, one.reference) for one in held), default=0.0) or 1.0
    width = WIDTH / max(1, len(held))
    return [
        Bar(
            x=round(at * width, 2),
            width=round(width, 2),
            reference=round(one.reference / top * HEIGHT, 2),
            current=round(one.share / top * HEIGHT, 2),
            label=f"{one.label}: {one.reference:.2%} of the reference, {one.share:.2%} now",
        )
        for at, one in enumerate(held)
    ]


def _cell(value: Any) -> str:
    return shown(value)


@cache
def _templates() -> Environment:
    made = escaped_templates("stream.command")
    made.filters["cell"] = _cell
    return made
