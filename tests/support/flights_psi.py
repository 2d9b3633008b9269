"""PSI of the flights' columns straight from the rows, in numpy alone: what the stream's counts must agree with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.local.flights import FEATURES, NUMERIC

Floats = NDArray[np.float64]


def psi_from_rows(flights: Any, scores: Floats, *, month: int) -> dict[str, float]:
    """A month's rows against January's, by reference deciles with a floor of 1e-4; tail numbers are left out."""
    now, then = (flights["month"].to_numpy() == number for number in (month, 1))
    found = {"(score)": _numeric(scores[then], scores[now])}
    for name in FEATURES:
        if name in NUMERIC:
            values = flights[name].to_numpy(dtype=float)
            found[name] = _numeric(values[then], values[now])
        elif name != "tailnum":
            found[name] = _names(flights[name][then].tolist(), flights[name][now].tolist())
    return found


def _numeric(reference: Floats, current: Floats) -> float:
    reference, current = (values[np.isfinite(values)] for values in (reference, current))
    edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
    return _psi(_counts(reference, edges), _counts(current, edges))


def _counts(values: Floats, edges: Floats) -> Floats:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=edges.size + 1).astype(float)


def _names(reference: list[str], current: list[str]) -> float:
    known = sorted(set(reference))
    pairs = [(reference.count(name), current.count(name)) for name in known]
    pairs.append((0, sum(name not in known for name in current)))
    pairs.append((0, 0))  # the bin of names that January knows and its profile does not list: there are none
    then, now = np.array(pairs, dtype=float).T
    return _psi(then, now)


def _psi(reference: Floats, current: Floats) -> float:
    then, now = (np.maximum(counts / counts.sum(), 1e-4) for counts in (reference, current))
    return float(((now - then) * np.log(now / then)).sum())
