"""Learns which undeclared names a model's events hold, so that the fast path can skip and count them.

Anything undeclared sends an event the strict way, which costs five times as much.  A producer that sends more features than
the monitors file lists does so in every event, so the names are remembered and the decoder is built anew with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from stream.ingest.shape import Shape, Strange

#: Names remembered of a model, of each kind; events with others go the strict way for good.
MOST_NAMES = 32
LONGEST_NAME = 200
#: What would have to be escaped in JSON: msgspec refuses to give a field a name that holds it.
_ESCAPED = frozenset('"\\')


class Strangers:
    """Names met since the decoder was built, by shape number; ``beyond`` counts those for which there was no room, each time."""

    def __init__(self, beyond: int = 0) -> None:
        self.beyond = beyond
        self._keys: dict[int, set[str]] = defaultdict(set)
        self._features: dict[int, set[str]] = defaultdict(set)

    def note(self, number: int, shape: Shape, *, features: Iterable[str], keys: Iterable[str]) -> None:
        """Remember what of an event nobody declared."""
        self.beyond += _remember(self._keys[number], keys, known=shape.strange.keys)
        self.beyond += _remember(self._features[number], features, known=shape.strange.features)

    def taught(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...] | None:
        """The shapes with every name met since, None where there was nothing new.

        Asked every second, on the event loop: of ten thousand models only those that brought a name are looked at.
        """
        met = {number for kind in (self._keys, self._features) for number, names in kind.items() if names}
        learned = {number: self._taught(number, shapes[number]) for number in met}
        if all(shape == shapes[number] for number, shape in learned.items()):
            return None
        return tuple(learned.get(number, shape) for number, shape in enumerate(shapes))

    def _taught(self, number: int, shape: Shape) -> Shape:
        known = shape.strange
        keys = known.keys + tuple(sorted(self._keys[number] - set(known.keys)))
        features = known.features + tuple(sorted(self._features[number] - set(known.features)))
        return replace(shape, strange=Strange(keys, features))


def _remember(names: set[str], found: Iterable[str], *, known: Collection[str]) -> int:
    """Remember what is new and can be learned; how much of it there was no room for."""
    beyond = 0
    for name in found:
        if name not in names and name not in known and _is_learnable(name):
            if len(names) + len(known) < MOST_NAMES:
                names.add(name)
            else:
                beyond += 1
    return beyond


def _is_learnable(name: str) -> bool:
    return len(name) <= LONGEST_NAME and name.isprintable() and _ESCAPED.isdisjoint(name)
