"""Sixteen buckets of a hash of a value's bits, as panes count them: one value many times fills one bucket, many values all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.reference import NumericProfile

Ints = NDArray[np.int64]

HASH_BUCKETS = 16
#: Fibonacci hashing; the top 4 bits choose the bucket.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
#: So much of a filled share must lie in one bucket.
_IN_ONE = 0.6


def bucket_of(values: ArrayLike) -> Ints:
    """The bucket of each value; -0.0 is 0.0.

    >>> bucket_of([0.0, -0.0, 1.0, -999.0]).tolist()
    [0, 0, 7, 5]
    """
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
    found: Ints = (bits * _GOLDEN >> np.uint64(60)).astype(np.int64)
    return found


def in_one_bucket(profile: NumericProfile, buckets: Ints, filled: float) -> bool:
    """Whether one bucket holds what was filled in; values that merely lie close are in many.

    :param buckets: (16,) rows; :param filled: the share of rows that hold one value, if they do.
    """
    rows = int(buckets.sum())
    if not rows:
        return False
    atoms = np.asarray(profile.atoms, dtype=np.float64)
    held = np.asarray(profile.counts)[np.searchsorted(profile.edges, atoms, side="right")] / sum(profile.counts)
    known = np.bincount(bucket_of(atoms), weights=held, minlength=HASH_BUCKETS)
    expected = (1.0 - filled) * (known + (1.0 - held.sum()) / HASH_BUCKETS)
    return bool((buckets / rows - expected).max() >= _IN_ONE * filled)
