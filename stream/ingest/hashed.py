"""Tables as arrays, as kernels look things up in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def hash_table(hashes: Sequence[int | None]) -> Ints:
    """The number of each hash in the next free place from its own on; at most half of the places are taken."""
    size = 1 << (2 * len(hashes) + 1).bit_length()
    found = np.full(size, -1, np.int64)
    for number, value in enumerate(hashes):
        if value is not None:
            place = value & (size - 1)
            while found[place] >= 0:
                place = (place + 1) & (size - 1)
            found[place] = number
    return found


def int_matrix(rows: Iterable[Sequence[int]], columns: int) -> Ints:
    """Rows of so many numbers; of no rows, too."""
    listed = list(rows)
    return np.array(listed, np.int64).reshape(len(listed), columns)
