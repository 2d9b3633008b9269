"""What was found while Redis is being filled again, and is told once it is: of each key the newest word.

It was mostly told before Redis was emptied, so what is over by then is told as over, what still fires goes on, and nothing is told
that only counts which are not there yet make.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.findings import Finding

#: Field of the evaluation hash.
FIELD = "held"
_DECODER = msgspec.json.Decoder(dict[str, Finding])


@dataclass(eq=False, slots=True)
class Withheld:
    """``newest`` by key; ``known``: Redis has the field."""

    newest: dict[str, Finding] = field(default_factory=dict)
    known: bool = False

    @staticmethod
    def read(stored: bytes | None) -> Withheld:
        """What ``fields`` wrote.

        :raises msgspec.DecodeError: it is damaged.
        """
        return Withheld(_DECODER.decode(stored) if stored else {}, stored is not None)

    def fields(self) -> Mapping[str, bytes]:
        """What is stored of it; nothing where nothing was ever withheld."""
        self.known = self.known or bool(self.newest)
        return {FIELD: msgspec.json.encode(self.newest)} if self.known else {}

    def keep(self, findings: Iterable[Finding]) -> None:
        """Withhold these."""
        self.newest.update((finding.key, finding) for finding in findings)

    def told_with(self, findings: Iterable[Finding]) -> list[Finding]:
        """These and, before them, what was withheld of other keys; nothing is withheld any more."""
        found = list(findings)
        self.forget(found)
        late, self.newest = self.newest, {}
        return [*late.values(), *found]

    def forget(self, findings: Iterable[Finding]) -> None:
        """A newer word of these keys is told."""
        for finding in findings:
            self.newest.pop(finding.key, None)
