"""Frouros: PSI and the KS test of each numeric column, chi-squared of each of names, fitted beforehand."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def prepare() -> Callable[[], int]:
    timing, module = import_module("timing"), import_module("frouros.detectors.data_drift")
    reference, current = timing.read("reference"), timing.read("current")

    def fitted(column: Any) -> list[Any]:
        kinds = ("ChiSquareTest",) if column.dtype.kind == "U" else ("PSI", "KSTest")
        detectors = [getattr(module, kind)() for kind in kinds]
        for detector in detectors:
            detector.fit(X=column)
        return detectors

    of = {name: fitted(column) for name, column in reference.items()}
    return lambda: len({name: [one.compare(X=current[name])[0] for one in of[name]] for name in of})


if __name__ == "__main__":
    import_module("timing").measure(prepare)
