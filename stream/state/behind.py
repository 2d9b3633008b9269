"""What a partition's hash says while the partition waits behind others: for which models, and whose events it holds.

Who is not among those need not wait for it: nothing of theirs has come there since it was taken.  What comes all the same is
late for them, and revises what was judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

#: Models that a partition may be said to hold; of more, everybody waits for it.
MOST_HERE = 100


@dataclass(frozen=True, slots=True)
class Behind:
    """``models`` are over their quota; ``here`` are all that the partition holds, those included."""

    models: frozenset[str]
    here: frozenset[str]

    def to_text(self) -> str:
        """As it is stored.

        >>> Behind(frozenset({"noisy"}), frozenset({"noisy", "b"})).to_text()
        '{"models": ["noisy"], "here": ["b", "noisy"]}'
        """
        return json.dumps({"models": sorted(self.models), "here": sorted(self.here)})


def behind_of(stored: bytes | None) -> Behind | None:
    """What was stored; None where there is nothing, or nothing that can be read: then everybody waits.

    >>> behind_of(b'{"models": ["noisy"], "here": ["noisy"]}')
    Behind(models=frozenset({'noisy'}), here=frozenset({'noisy'}))
    >>> behind_of(b""), behind_of(b"{"), behind_of(b"[]")
    (None, None, None)
    """
    try:
        found = json.loads(stored) if stored else {}
        return Behind(frozenset(found["models"]), frozenset(found["here"])) if stored else None
    except (ValueError, TypeError, KeyError):
        return None
