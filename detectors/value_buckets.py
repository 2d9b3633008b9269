"""Sixteen buckets of a hash of a value's bits, as panes count them: one value many times fills one bucket, many values all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]

HASH_BUCKETS = 16
#: Fibonacci hashing; the top 4 bits choose the bucket.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def bucket_of(values: ArrayLike) -> Ints:
    """The bucket of each value; -0.0 is 0.0.

    >>> bucket_of([0.0, -0.0, 1.0, -999.0]).tolist()
    [0, 0, 7, 5]
    """
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
    found: Ints = (bits * _GOLDEN >> np.uint64(60)).astype(np.int64)
    return found
