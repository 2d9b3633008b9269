"""States of a numeric value that are no number, carried inside a float64 column as NaNs with a payload.

``None`` becomes numpy's plain NaN when a column is built, and means *missing*; the others are made here.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

_QUIET: Final = 0x7FF8 << 48
MISSING, NOT_A_NUMBER, WRONG_TYPE, ABSENT = range(4)


def _boxed(state: int) -> float:
    boxed: float = struct.unpack("<d", struct.pack("<Q", _QUIET | state))[0]
    return boxed


#: The event held a NaN.
NAN_VALUE: Final = _boxed(NOT_A_NUMBER)
#: The event held something that is no number.
WRONG_VALUE: Final = _boxed(WRONG_TYPE)
#: The column does not apply to this row: nothing is counted, not even a missing value.
ABSENT_VALUE: Final = _boxed(ABSENT)


def states(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The state of each NaN in ``values`` (anything else in a payload is ``NOT_A_NUMBER``).

    >>> states(np.array([None, NAN_VALUE, WRONG_VALUE, ABSENT_VALUE], dtype=np.float64)).tolist()
    [0, 1, 2, 3]
    """
    state = values.view(np.int64) & ((1 << 48) - 1)
    known: npt.NDArray[np.int64] = np.where(state <= ABSENT, state, NOT_A_NUMBER)
    return known
