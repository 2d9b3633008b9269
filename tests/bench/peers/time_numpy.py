"""numpy and scipy as people write it: PSI on the reference's deciles and the KS test, chi-squared of names."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from scipy import stats


def prepare() -> Callable[[], int]:
    timing = import_module("timing")
    reference, current = timing.read("reference"), timing.read("current")

    def compare() -> int:
        return len({name: _compared(column, current[name]) for name, column in reference.items()})

    return compare


def _compared(reference: Any, current: Any) -> tuple[float, ...]:
    if reference.dtype.kind == "U":
        names = np.union1d(reference, current)
        table = [[np.count_nonzero(side == name) for name in names] for side in (reference, current)]
        return float(stats.chi2_contingency(table).pvalue), 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)))
    edges[0], edges[-1] = -np.inf, np.inf
    then, now = (np.maximum(np.histogram(side, edges)[0] / len(side), 1e-4) for side in (reference, current))
    return float(np.sum((now - then) * np.log(now / then))), float(stats.ks_2samp(reference, current).pvalue)


if __name__ == "__main__":
    import_module("timing").measure(prepare)
