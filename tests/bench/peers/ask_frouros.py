"""Frouros' batch detectors, fitted on the reference and asked about the current rows."""

from __future__ import annotations

from importlib import import_module
from typing import Any

DISTANCES = {"psi": "PSI", "kl": "KL", "js": "JS", "hellinger": "HellingerDistance", "wasserstein": "EMD", "mmd": "MMD"}
TESTS = {"ks": "KSTest", "cvm": "CVMTest"}


def asked(case: dict[str, Any]) -> dict[str, Any]:
    numpy, module = import_module("numpy"), import_module("frouros.detectors.data_drift")
    numeric = case["kind"] == "numeric"

    def compared(detector: str) -> Any:
        if detector == "MMD" and max(map(len, (case["reference"], case["current"]))) > 2500:
            raise ValueError("takes minutes")
        one = getattr(module, detector)()
        one.fit(X=numpy.array(case["reference"]))
        return one.compare(X=numpy.array(case["current"]))[0]

    if not numeric:
        return {
            "chi2": lambda: compared("ChiSquareTest").statistic,
            "chi2 p": lambda: compared("ChiSquareTest").p_value,
        }
    found: dict[str, Any] = {name: (lambda one=one: compared(one).distance) for name, one in DISTANCES.items()}
    for name, one in TESTS.items():
        found[name] = lambda one=one: compared(one).statistic
        found[f"{name} p"] = lambda one=one: compared(one).p_value
    return found


if __name__ == "__main__":
    import_module("asking").answer(asked)
