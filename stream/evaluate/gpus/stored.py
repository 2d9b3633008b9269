"""What is stored of all GPUs together, as of a model's stream: the last minute judged, what stands, and what waits to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.findings import Finding
from schemas.gpus import FLEET
from stream.evaluate.panes.clocks import Rebuild
from stream.evaluate.verdicts.standing import Standing
from stream.evaluate.verdicts.withheld import FIELD, Withheld

#: Fields of the evaluation hash.
FIELDS = ("last", "standing", FIELD)


@dataclass(frozen=True, slots=True)
class Named:
    """What findings say in the place of a model."""

    model: str = FLEET


@dataclass(slots=True, eq=False)
class Stored:
    """Under ``token``; ``last`` is the end of the last minute judged (epoch ms)."""

    token: int
    last: int | None = None
    standing: Standing = field(default_factory=Standing)
    withheld: Withheld = field(default_factory=Withheld)

    @staticmethod
    def read(token: int, values: Sequence[bytes | None]) -> Stored:
        """What is stored (``FIELDS``).

        :raises ValueError: it is damaged (``msgspec.DecodeError``: of what stands).
        """
        last, standing, held = values
        found = Standing.from_json(standing) if standing else Standing()
        return Stored(token, int(last) if last else None, found, Withheld.read(held))

    @property
    def expected(self) -> str:
        """What the stored hash must hold as ``last``."""
        return "" if self.last is None else str(self.last)

    def fields(self, standing: Standing, *, last: int) -> dict[str, str | bytes | int]:
        """What is to be stored."""
        return {"last": last, "standing": standing.to_json(), **self.withheld.fields()}

    def told(self, found: Iterable[Finding], rebuild: Rebuild, *, at_ms: int) -> list[Finding]:
        """What is told of what was found in a minute; while Redis is filled again it waits until it is."""
        if rebuild.running or at_ms <= rebuild.quiet_to:
            self.withheld.keep(found)
            return []
        return self.withheld.told_with(found)

    def told_of(self) -> set[str]:
        """Keys of which somebody was told, or will be, and not yet that they are over."""
        return {key for key, stood in self.standing.keys.items() if stood.told is not None}
