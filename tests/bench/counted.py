"""What a contender must have counted, by numpy alone; and what it did count, whoever it is, in the same form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from schemas.monitored import Monitors
from schemas.reference import NumericProfile, Reference
from tests.bench.events import CATEGORICAL, DISTINCT, NAMES, NUMERIC, Codes, Floats, table

COLUMNS = (*NUMERIC, "score")


class Sends(Protocol):
    """Events of models, and how they are told apart."""

    @property
    def events(self) -> int:
        """All of them."""

    def rows(self) -> tuple[Codes, Codes]:
        """Of each event the number of its model, and which of the distinct rows it is."""

    def names(self) -> list[str]:
        """The models."""

    def monitors(self) -> Monitors:
        """Their monitors file."""

    def references(self) -> dict[str, Reference]:
        """By model."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One model's counts over all panes: bins by numeric column (and ``score``), missing values (NaN, too), names."""

    events: int
    bins: Mapping[str, list[int]]
    missing: Mapping[str, int]
    names: Mapping[str, Mapping[str, int]]


def edges_of(reference: Reference) -> dict[str, list[float]]:
    """By column the edges of its bins; of a column of names none."""
    profiles = {**reference.features, "score": reference.score}
    found = {name: profile for name, profile in profiles.items() if isinstance(profile, NumericProfile)}
    return {name: list(found[name].edges) for name in COLUMNS} | {name: [] for name in CATEGORICAL}


def wanted(flow: Sends) -> dict[str, Counted]:
    """What must be counted of each model."""
    models, rows = flow.rows()
    names, references, distinct = flow.names(), flow.references(), table(DISTINCT, seed=2)
    edges = edges_of(references[names[0]])
    columns = {**distinct.numbers, "score": distinct.scores}
    bins = {name: np.searchsorted(edges[name], columns[name], side="right") for name in COLUMNS}
    times = np.bincount(models * DISTINCT + rows, minlength=len(names) * DISTINCT).reshape(-1, DISTINCT)
    return {
        model: Counted(
            int(often.sum()),
            {name: _binned(bins[name], columns[name], often, len(edges[name]) + 1) for name in COLUMNS},
            {name: int(often[np.isnan(of)].sum()) for name, of in columns.items()},
            {name: _named(codes, often) for name, codes in distinct.codes.items()},
        )
        for model, often in zip(names, times, strict=True)
    }


def _binned(bins: Codes, values: Floats, often: Codes, length: int) -> list[int]:
    finite = ~np.isnan(values)
    found: list[int] = np.bincount(bins[finite], often[finite], length).astype(int).tolist()
    return found


def _named(codes: Codes, often: Codes) -> dict[str, int]:
    found = np.bincount(codes + 1, often, len(NAMES) + 1).astype(int).tolist()
    return {name: count for name, count in zip(("None", *NAMES), found, strict=True) if count}


def of_summary(summary: Mapping[str, Any]) -> Counted:
    """What ``driftline counts`` shows."""
    columns = {name: summary["features"][name] for name in NUMERIC} | {"score": summary["prediction"]["score"]}
    named = {name: summary["features"][name] for name in CATEGORICAL}
    return Counted(
        summary["events"],
        {name: of["counts"] for name, of in columns.items()},
        {name: of["missing"] + of["nan"] for name, of in columns.items()},
        {name: _filled({"None": of["missing"]} | of["categories"]) for name, of in named.items()},
    )


def of_states(states: Iterable[Mapping[str, Any]]) -> Counted:
    """What ``peers/histograms.py`` counted in the panes of one model, summed."""
    found = list(states)
    return Counted(
        sum(state["events"] for state in found),
        {name: [sum(of) for of in zip(*(_number(s, name)["bins"] for s in found), strict=True)] for name in COLUMNS},
        {name: sum(_number(state, name)["missing"] for state in found) for name in COLUMNS},
        {name: _filled(_added(state["names"][name] for state in found)) for name in CATEGORICAL},
    )


def _number(state: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state["numbers"][name]
    return found


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found.get(name, 0) + count
    return found


def _filled(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
