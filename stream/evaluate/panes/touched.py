"""Closed panes that late events changed, kept until the comparison of serving and store has judged their windows again.

Stored with the stream itself, by the script that stores the revision: so none is forgotten, whoever goes on.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from stream.evaluate.panes.windows import boundary_before

#: What the comparison is called where streams are named.
SKEW = "skew"
#: The streams of which it is kept.
COMPARED = ("predictions", "features")


class Touched(msgspec.Struct, frozen=True, omit_defaults=True):
    """``starts``: pane to the revision that changed it last, of ``number`` revisions in all.

    ``since`` is when the stream's first pane began; None where that was before anybody kept this.
    """

    number: int = 0
    since: int | None = None
    starts: dict[int, int] = msgspec.field(default_factory=dict)

    def by(self, starts: Iterable[int]) -> Touched:
        """After a further revision; one that only counts, and has no window judged again, names no pane.

        >>> Touched().by([60]).by([60, 120])
        Touched(number=2, since=None, starts={60: 2, 120: 2})
        """
        number = self.number + 1
        return Touched(number, self.since, self.starts | dict.fromkeys(starts, number))

    def after(self, number: int) -> list[int]:
        """The panes that revisions after this one changed.

        >>> Touched().by([60]).by([120]).after(1)
        [120]
        """
        return sorted(start for start, changed in self.starts.items() if changed > number)

    def without(self, number: int) -> Touched:
        """What is left to do after everything up to this revision was judged."""
        return Touched(
            self.number, self.since, {start: changed for start, changed in self.starts.items() if changed > number}
        )

    def to_json(self) -> bytes:
        """The stored form."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(stored: bytes) -> Touched:
        """What ``to_json`` wrote.

        :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
        """
        return _DECODER.decode(stored)


_DECODER = msgspec.json.Decoder(Touched)


def first_mark(begun_ms: int, *, step_ms: int) -> int:
    """How far a comparison is judged when the first pane of the feature store begins: up to before the next window's end.

    >>> first_mark(7_300_000, step_ms=3_600_000)
    10799999
    """
    return boundary_before(begun_ms, step_ms=step_ms) + step_ms - 1
