"""Names seen in events, by model and when they were last seen, until somebody stores them: versions, and undeclared features.

They are sampled, one event a run of records, so they cost nothing an event.  Bounded: a producer may make a name of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Characters of a name that are kept.
LONGEST = 80

#: model -> name -> when it was last seen (ms, the record's Kafka timestamp).
Seen = Mapping[str, Mapping[str, int]]


@dataclass(eq=False, slots=True)
class Sightings:
    """What was seen since the last ``drained``; at most ``most`` names of a model: ``beyond`` counts the others, each time."""

    most: int
    beyond: int = 0
    _seen: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, model: str, names: Iterable[object], *, at_ms: int) -> None:
        """An event held these; one may be written as a number, and neither None nor an empty text is a name."""
        for name in names:
            if name is not None and name != "":
                known = self._seen.setdefault(model, {})
                text = str(name)[:LONGEST].encode(errors="replace").decode()  # half a surrogate pair cannot be stored
                if text in known or len(known) < self.most:
                    known[text] = at_ms
                else:
                    self.beyond += 1

    def drained(self) -> Seen:
        """What was seen; it is forgotten here."""
        seen, self._seen = self._seen, {}
        return seen
