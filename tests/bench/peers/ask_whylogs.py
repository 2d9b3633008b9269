"""whylogs' drift algorithms on profiles of both samples; its sketches are exact up to some hundred rows."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def asked(case: dict[str, Any]) -> dict[str, Any]:
    pandas, whylogs = import_module("pandas"), import_module("whylogs")
    module = import_module("whylogs.viz.drift.column_drift_algorithms")

    def score(algorithm: str) -> Any:
        views = [
            whylogs.log(pandas=pandas.DataFrame({"x": case[side]})).view().get_column("x")
            for side in ("current", "reference")
        ]
        return getattr(module, algorithm)().calculate(*views, False)

    if case["kind"] == "numeric":
        return {"ks": lambda: score("KS").statistic, "ks p": lambda: score("KS").pvalue}
    return {"chi2": lambda: score("ChiSquare").statistic, "chi2 p": lambda: score("ChiSquare").pvalue}


if __name__ == "__main__":
    import_module("asking").answer(asked)
