"""Which of many p-values are findings, so that in the mean at most a stated share of the findings is false.

Benjamini and Yekutieli (2001), which holds whatever the dependence between the tests.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats


def adjusted(p_values: Mapping[str, float | None]) -> dict[str, float]:
    """The least rate at which each would be a finding, of those that have a p-value.

    >>> {name: round(p, 6) for name, p in adjusted({"a": 0.001, "b": 0.5, "c": None}).items()}
    {'a': 0.003, 'b': 0.75}
    """
    there = {name: p for name, p in p_values.items() if p is not None}
    if not there:
        return {}
    found = stats.false_discovery_control(np.array(list(there.values())), method="by")
    return dict(zip(there, found.tolist(), strict=True))
