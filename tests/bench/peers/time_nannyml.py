"""NannyML's univariate drift by its defaults, fitted on the reference beforehand."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module


def prepare() -> Callable[[], int]:
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    timing, calculator = import_module("timing"), import_module("nannyml").UnivariateDriftCalculator
    reference, current = (timing.frame(timing.read(side)) for side in ("reference", "current"))
    fitted = calculator(column_names=list(reference.columns)).fit(reference)
    return lambda: len(set(fitted.calculate(current).to_df().columns.get_level_values(0)) - {"chunk"})


if __name__ == "__main__":
    import_module("timing").measure(prepare)
