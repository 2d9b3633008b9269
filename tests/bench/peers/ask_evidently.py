"""Evidently's statistical tests, asked in its own environment."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PACKAGE = "evidently.legacy.calculations.stattests"
NUMERIC = {
    "psi": ("psi", "_psi"),
    "kl": ("kl_div", "_kl_div"),
    "js": ("jensenshannon", "_jensenshannon"),
    "hellinger": ("hellinger_distance", "_hellinger_distance"),
    "wasserstein": ("wasserstein_distance_norm", "_wasserstein_distance_norm"),
    "ks p": ("ks_stattest", "_ks_stat_test"),
    "cvm p": ("cramer_von_mises_stattest", "_cramer_von_mises"),
}
NAMES = {
    **{name: NUMERIC[name] for name in ("psi", "kl", "js", "hellinger")},
    "tv p": ("tvd_stattest", "_tvd_stattest"),
    "chi2 p": ("chisquare_stattest", "_chi_stat_test"),
    "z p": ("z_stattest", "_z_stat_test"),
}


def asked(case: dict[str, Any]) -> dict[str, Any]:
    pandas, kind = import_module("pandas"), import_module("evidently.legacy.core").ColumnType
    numeric = case["kind"] == "numeric"
    column = kind.Numerical if numeric else kind.Categorical

    def one(module: str, function: str) -> Any:
        test = getattr(import_module(f"{PACKAGE}.{module}"), function)
        reference, current = (pandas.Series(case[side]) for side in ("reference", "current"))
        return test(reference, current, column, 0.1)[0]

    tests = {name: (lambda place=place: one(*place)) for name, place in (NUMERIC if numeric else NAMES).items()}
    return {**tests, "mmd": lambda: _mmd(case)} if numeric else {**tests, "tv": lambda: _tv(case)}


def _mmd(case: dict[str, Any]) -> Any:
    numpy, module = import_module("numpy"), import_module(f"{PACKAGE}.mmd_stattest")
    if max(map(len, (case["reference"], case["current"]))) > 2500:
        raise ValueError("takes minutes")
    reference, current = (numpy.array(case[side]).reshape(-1, 1) for side in ("reference", "current"))
    kernel = module.kernel_matrix(reference, current)
    return module.mmd_2samp(kernel - numpy.diag(numpy.diagonal(kernel)), len(current))


def _tv(case: dict[str, Any]) -> Any:
    pandas, module = import_module("pandas"), import_module(f"{PACKAGE}.tvd_stattest")
    return module._total_variation_distance(pandas.Series(case["reference"]), pandas.Series(case["current"]))


if __name__ == "__main__":
    import_module("asking").answer(asked)
