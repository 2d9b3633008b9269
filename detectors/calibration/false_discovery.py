"""Which of many p-values are findings, so that in the mean at most a stated share of the findings is false.

Benjamini and Yekutieli (2001), which holds whatever the dependence between the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")


def adjusted(p_values: Mapping[Key, float | None]) -> dict[Key, float]:
    """The least rate at which each would be a finding, of those that have a p-value.

    >>> {name: round(p, 6) for name, p in adjusted({"a": 0.001, "b": 0.5, "c": None}).items()}
    {'a': 0.003, 'b': 0.75}
    """
    there = {name: p for name, p in p_values.items() if p is not None}
    if not there:
        return {}
    p, ranks = np.array(list(there.values())), np.arange(1, len(there) + 1)
    order = np.argsort(p)
    by_rank = p[order] * (1.0 / ranks).sum() * len(p) / ranks
    found = np.empty(len(p))
    found[order] = np.minimum(np.minimum.accumulate(by_rank[::-1])[::-1], 1.0)
    return dict(zip(there, found.tolist(), strict=True))
