"""NannyML's univariate methods, fitted on the reference and asked about the current rows as one chunk."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

NUMERIC = {
    "js": "jensen_shannon",
    "hellinger": "hellinger",
    "wasserstein": "wasserstein",
    "ks": "kolmogorov_smirnov",
}
NAMES = {"js": "jensen_shannon", "hellinger": "hellinger", "linf": "l_infinity", "chi2": "chi2"}


def asked(case: dict[str, Any]) -> dict[str, Any]:
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    pandas, module = import_module("pandas"), import_module("nannyml.drift.univariate.methods")
    numeric = case["kind"] == "numeric"
    kind = module.FeatureType.CONTINUOUS if numeric else module.FeatureType.CATEGORICAL
    options = {"chunker": None, "threshold": None}

    def fitted(key: str) -> Any:
        method = module.MethodFactory.create(key, kind, **options)
        method._fit(pandas.Series(case["reference"]))
        return method

    def one(key: str) -> Any:
        return fitted(key)._calculate(pandas.Series(case["current"]))

    def p_value() -> Any:
        return fitted("chi2")._calc_chi2(pandas.Series(case["current"]))[1]

    tests: dict[str, Any] = {name: (lambda key=key: one(key)) for name, key in (NUMERIC if numeric else NAMES).items()}
    return tests if numeric else {**tests, "chi2 p": p_value}


if __name__ == "__main__":
    import_module("asking").answer(asked)
