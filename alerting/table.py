"""A table of which every version is a value: the next one shares all that did not change, and so do the sums over it.

Rows keep the order in which they came first; a row is replaced and never removed.  They hang below nodes of ``WIDTH``, so a
change copies one path of nodes and not the table.  A node remembers what was worked out from it (:class:`Summary`): a sum over
all rows costs a path, too, once it was asked for before.  What differs between two versions is found by identity.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, TypeVar

from immutables import Map

BITS = 3
WIDTH = 1 << BITS

V = TypeVar("V")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, eq=False)
class Summary(Generic[V, S]):
    """Something about rows that follows from each row alone (``of``) and puts together in their order (``join``).

    ``join`` must not mind how the rows are divided.  ``by`` is what both depend on besides; what a node remembers under
    ``name`` counts as long as it is the identical object.  ``lasting``: it also holds after :meth:`Table.again`.
    """

    name: str
    of: Callable[[V], S]
    join: Callable[[Sequence[S]], S]
    by: object = None
    lasting: bool = False


class _Node:
    """``below`` are nodes, or at the lowest height (key, value); ``memo`` is name → (by, sum, whether it is lasting)."""

    __slots__ = ("below", "memo")

    def __init__(self, below: tuple[Any, ...]) -> None:
        self.below = below
        self.memo: dict[str, tuple[object, Any, bool]] = {}


class Table(Mapping[str, V]):
    """A mapping that is never changed.

    >>> one = Table.of({"a": 1, "b": 2})
    >>> two = one.put({"b": 7, "c": 3})
    >>> dict(one), dict(two), dict(two.differing(one))
    ({'a': 1, 'b': 2}, {'a': 1, 'b': 7, 'c': 3}, {'b': 7, 'c': 3})
    >>> two.summed(Summary("sum", lambda value: value, sum))
    11
    """

    __slots__ = ("_height", "_places", "_root")

    def __init__(self) -> None:
        self._root = _Node(())
        self._height = 0
        self._places: Map[str, int] = Map()

    @classmethod
    def of(cls, rows: Mapping[str, V]) -> Table[V]:
        """A table of these rows."""
        return cls().put(rows)

    def __getitem__(self, key: str) -> V:
        place, node = self._places[key], self._root
        for height in range(self._height, -1, -1):
            node = node.below[(place >> BITS * height) % WIDTH]
        found: V = node[1]  # type: ignore[index]  # below the lowest node are rows
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in _rows(self._root, self._height))

    def rows(self) -> Iterator[tuple[str, V]]:
        """(key, value) in order: quicker than ``items``, which looks each key up."""
        return _rows(self._root, self._height)

    def pieces(self) -> Iterator[object]:
        """What holds its rows, ``WIDTH`` of them each: who keeps these lets a large table go in parts."""
        return _leaves(self._root, self._height)

    def place(self, key: str) -> int:
        """How many rows were there before this one."""
        return self._places[key]

    def put(self, rows: Mapping[str, V]) -> Table[V]:
        """The table with these rows replaced, or added at its end."""
        if not rows:
            return self
        made: Table[V] = Table()
        made._places = _placed(self._places, rows)
        made._root, made._height = self._root, self._height
        while len(made._places) > WIDTH ** (made._height + 1):
            made._root, made._height = _Node((made._root,)), made._height + 1
        changes = [(made._places[key], (key, value)) for key, value in rows.items()]
        made._root = _with(made._root, made._height, sorted(changes, key=itemgetter(0)))
        return made

    def again(self, rows: Mapping[str, V]) -> Table[V]:
        """The table with rows replaced by others of which every lasting summary says the same as before."""
        made: Table[V] = Table()
        made._places, made._height = self._places, self._height
        changes = sorted(((self._places[key], (key, value)) for key, value in rows.items()), key=itemgetter(0))
        made._root = _with(self._root, self._height, changes, lasts=True)
        return made

    def summed(self, summary: Summary[V, S]) -> S:
        """The summary of all rows."""
        found: S = _summed(self._root, self._height, summary)
        return found

    def least(self, summary: Summary[V, S], key: Callable[[S], Any] = lambda found: found) -> Iterator[tuple[S, V]]:
        """The rows with what the summary says of each, by ``key`` of that: the least first, equal ones in order.

        ``key`` of a sum must not be greater than that of any part; then only as much is looked at as is taken.
        """
        waiting: list[tuple[Any, int, int, Any]] = []
        if self._places:
            waiting.append((key(self.summed(summary)), 0, self._height, self._root))
        while waiting:
            _, place, height, found = heapq.heappop(waiting)
            if height < 0:
                yield summary.of(found), found
                continue
            for number, below in enumerate(found.below):
                under = below[1] if height == 0 else below
                said = summary.of(under) if height == 0 else _summed(under, height - 1, summary)
                heapq.heappush(waiting, (key(said), place + (number << BITS * height), height - 1, under))

    def differing(self, before: Table[V]) -> Iterator[tuple[str, V]]:
        """The rows that are not the identical ones in ``before``."""
        for key, value in _apart(self._root, self._height, before._root, other=before._height):
            if key not in before._places or before[key] is not value:
                yield key, value


def _placed(places: Map[str, int], keys: Iterable[str]) -> Map[str, int]:
    new = [key for key in keys if key not in places]
    if len(new) == 1:
        return places.set(new[0], len(places))
    return places.update({key: len(places) + number for number, key in enumerate(new)}) if new else places


def _with(node: _Node | None, height: int, changes: list[tuple[int, tuple[str, Any]]], *, lasts: bool = False) -> _Node:
    """The node with these rows at their places; new ones come right after the last."""
    below = list(node.below) if node is not None else []
    if height == 0:
        parts: Iterable[tuple[int, Any]] = ((place % WIDTH, row) for place, row in changes)
    else:
        parts = _branches(below, height, changes, lasts=lasts)
    for number, part in parts:
        if number < len(below):
            below[number] = part
        else:
            below.append(part)
    made = _Node(tuple(below))
    if lasts and node is not None:
        made.memo = {name: known for name, known in node.memo.items() if known[2]}
    return made


def _branches(
    below: list[Any], height: int, changes: list[tuple[int, tuple[str, Any]]], *, lasts: bool
) -> Iterator[tuple[int, _Node]]:
    for number, some in groupby(changes, key=lambda change: (change[0] >> BITS * height) % WIDTH):
        yield number, _with(below[number] if number < len(below) else None, height - 1, list(some), lasts=lasts)


def _rows(node: _Node, height: int) -> Iterator[tuple[str, Any]]:
    if height == 0:
        yield from node.below
    else:
        for below in node.below:
            yield from _rows(below, height - 1)


def _leaves(node: _Node, height: int) -> Iterator[_Node]:
    if height == 0:
        yield node
    else:
        for below in node.below:
            yield from _leaves(below, height - 1)


def _summed(node: _Node, height: int, summary: Summary[Any, Any]) -> Any:
    known = node.memo.get(summary.name)
    if known is not None and known[0] is summary.by:
        return known[1]
    if height == 0:
        parts = [summary.of(value) for _, value in node.below]
    else:
        parts = [_summed(below, height - 1, summary) for below in node.below]
    found = summary.join(parts)
    node.memo[summary.name] = summary.by, found, summary.lasting
    return found


def _apart(node: _Node, height: int, before: _Node | None, *, other: int) -> Iterator[tuple[str, Any]]:
    """The rows below nodes that two versions do not share; ``other`` is the height of the one before."""
    if node is before:
        return
    if height == 0:
        yield from node.below
    elif height > other:  # It has grown: all there was is below the first.
        for number, below in enumerate(node.below):
            yield from _apart(below, height - 1, None if number else before, other=other)
    else:
        known = before.below if before is not None and height == other else ()
        for number, below in enumerate(node.below):
            was = known[number] if number < len(known) else None
            yield from _apart(below, height - 1, was, other=other - 1)
