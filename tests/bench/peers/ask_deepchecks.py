"""deepchecks' drift functions; the margins that Wasserstein cuts off are those of its check."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def asked(case: dict[str, Any]) -> dict[str, Any]:
    numpy, module = import_module("numpy"), import_module("deepchecks.utils.distribution.drift")
    reference, current = (numpy.array(case[side]) for side in ("reference", "current"))
    if case["kind"] == "numeric":
        return {
            "ks": lambda: module.kolmogorov_smirnov(reference, current),
            "wasserstein": lambda: module.earth_movers_distance(reference, current, 0.025),
        }
    return {
        "psi": lambda: module.psi(reference, current),
        "cramers_v": lambda: module.cramers_v(reference, current),
    }


if __name__ == "__main__":
    import_module("asking").answer(asked)
