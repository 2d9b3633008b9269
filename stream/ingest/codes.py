"""Categories to cells: a dictionary that answers for every value, known or not.

Known names are keys; anything else goes through ``__missing__``, which decides between other, unseen, missing and wrong type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from stream.state.layout import CATEGORY_TAIL, WASTE, CategoricalColumn

Ints = npt.NDArray[np.int64]

#: So many hashed names are remembered, of at most so many characters; all others are hashed again each time.
REMEMBERED = 10_000
LONGEST_REMEMBERED = 200


class Mark:
    """A value that stands for a state instead of a category."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


WRONG_TYPE: Final = Mark("WRONG_TYPE")
#: The column does not apply to this row: nothing is counted, not even a missing value.
ABSENT: Final = Mark("ABSENT")


class CodeTable(dict[Any, int]):
    """Cell of each value of one categorical column of one layout."""

    def __init__(self, column: CategoricalColumn, first: int) -> None:
        other, unseen, missing, wrong = range(first + column.bins, first + column.bins + len(CATEGORY_TAIL))
        super().__init__(dict.fromkeys(column.folded, other))
        self.update({name: first + at for at, name in enumerate(column.categories)})
        self.update({written: self[meant] for written, meant in column.aliases})
        self.update({None: missing, WRONG_TYPE: wrong, ABSENT: WASTE})
        self.first, self.buckets, self.unseen, self.wrong = first, column.buckets, unseen, wrong

    def __missing__(self, value: Any) -> int:
        if isinstance(value, str):
            return self._hashed(value) if self.buckets else self.unseen
        name = category_name(value)
        return self.wrong if name is None else self[name]

    def _hashed(self, value: str) -> int:
        cell = self.first + bucket_of(value, self.buckets)
        if len(self) < REMEMBERED and len(value) <= LONGEST_REMEMBERED:
            self[value] = cell
        return cell

    def cells(self, values: Sequence[Any]) -> Ints:
        """The cell of each value."""
        return np.fromiter(map(self.__getitem__, values), np.int64, len(values))


class IdTable(CodeTable):
    """Buckets of ids, of which none is remembered; an empty one is no id."""

    def __init__(self, column: CategoricalColumn, first: int) -> None:
        super().__init__(column, first)
        self[""] = self[None]

    def __missing__(self, value: Any) -> int:
        # The one table that is asked something new for every row: so it spares a call.
        return self.first + scattered(value, self.buckets) if type(value) is str else super().__missing__(value)

    def cells(self, values: Sequence[Any]) -> Ints:
        """Where all are texts, as ids mostly are, at once and three times as fast."""
        try:
            sums = np.fromiter(map(crc32, map(str.encode, values)), np.uint32, len(values))
        except (TypeError, UnicodeEncodeError):  # a number, nothing at all, half of a surrogate pair
            return super().cells(values)
        found = self.first + (_mixed(sums) % np.uint32(self.buckets)).astype(np.int64)
        if not sums.all():
            for at in np.flatnonzero(sums == 0).tolist():  # an empty one is no id
                found[at] = self[values[at]]
        return found


class Nothing(CodeTable):
    """The table of a column that a layout does not have: no value is counted."""

    def __init__(self) -> None:
        dict.__init__(self)

    def __missing__(self, value: Any) -> int:
        return WASTE


def category_name(value: object) -> str | None:
    """The category that a JSON boolean or whole number stands for; None for anything else.

    >>> category_name(True), category_name(7), category_name(7.0), category_name(7.5)
    ('true', '7', '7', None)
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool | int) else None


def bucket_of(value: str, buckets: int) -> int:
    """The bucket of a hashed category.

    >>> bucket_of("N14228", 64)
    46
    """
    return crc32(value.encode("utf-8", "surrogatepass")) % buckets


def scattered(value: str, buckets: int) -> int:
    """The bucket of an id: CRC-32 keeps numbered ids apart in a pattern, which murmur's finalizer breaks.

    >>> [scattered(value, 4096) for value in ("1", "2", "3")]
    [430, 170, 2346]
    """
    found = crc32(value.encode("utf-8", "surrogatepass"))
    found = (found ^ found >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    found = (found ^ found >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return (found ^ found >> 16) % buckets


def _mixed(found: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """What ``scattered`` does to each sum."""
    found = (found ^ found >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    found = (found ^ found >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return found ^ found >> np.uint32(16)
