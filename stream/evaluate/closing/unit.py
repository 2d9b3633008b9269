"""One model's stream under evaluation: how far it is closed, and what is carried from pane to pane.

``last`` is the end of the last closed pane (or the start of the first one ever, before it is closed).  Everything here can be
dropped at any time and is built again from Redis: what was stored is never ahead of what was sent, nor behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas import service_levels
from schemas.service_levels import Service
from stream.evaluate.calibration.live_calibration import Search
from stream.evaluate.causes.causes import Causes
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.ledger import Ledger
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.tiers import Tier, tiers_of
from stream.evaluate.panes.touched import Touched
from stream.evaluate.panes.windows import WindowSpec, boundary_before, windows_of
from stream.evaluate.verdicts.served import Terms
from stream.evaluate.verdicts.standing import Standing
from stream.evaluate.verdicts.withheld import FIELD, Withheld
from stream.state.packing import Partial

log = logging.getLogger(__name__)

#: Fields of the evaluation hash.
FIELDS = ("last", "begun", "layout", "judged_by", "charts", "standing", "causes", "touched", "service", FIELD)


@dataclass(frozen=True, eq=False, slots=True)
class Phase:
    """A configuration of a model's stream; it holds for panes that begin before ``until_ms`` (None: for all further ones)."""

    watched: Watched
    windows: tuple[WindowSpec, ...]
    tiers: tuple[Tier, ...]
    until_ms: int | None = None

    @property
    def pane_ms(self) -> int:
        return self.watched.layout.pane_ms

    @property
    def step_ms(self) -> int:
        return self.watched.monitor.step_ms


def phase_of(watched: Watched, *, until_ms: int | None) -> Phase:
    """The phase in which a stream is watched so."""
    monitor = watched.monitor
    return Phase(watched, windows_of(monitor, watched.stream), tiers_of(watched.layout.pane_ms), until_ms)


def judged_by(watched: Watched) -> str:
    """What names the configuration by which a stream is judged."""
    return f"{watched.generation}:{watched.layout.hash}"


@dataclass(eq=False, slots=True)
class Unit:
    """``stored`` is ``last`` as Redis has it (None: nothing stored); ``rings`` and ``rows`` are None until they are loaded.

    ``rows`` are the newest rows of the longer tiers, which the next pane may still grow; ``searches`` say by which stretches of the
    stream each window is calibrated (:mod:`stream.evaluate.calibration.live_calibration`).
    """

    model: str
    stream: str
    phases: Sequence[Phase]
    last: int | None = None
    stored: int | None = None
    begun: int = 0
    layout: str = ""
    judged_by: str = ""
    charts: Charts = field(default_factory=Charts)
    standing: Standing = field(default_factory=Standing)
    causes: Causes = field(default_factory=Causes)
    touched: Touched = field(default_factory=Touched)
    #: What was last told of its service levels, and the counts that they are told from; None: not loaded, or nobody asks.
    service: Service | None = None
    ledger: Ledger | None = None
    ledger_terms: Terms | None = None
    rings: list[tuple[WindowSpec, Sliding]] | None = None
    rows: dict[str, tuple[int, Partial]] = field(default_factory=dict)
    searches: dict[tuple[str, int], Search] = field(default_factory=dict)
    judged_to: int = 0
    loaded: bool = False
    #: The phase that was gone over to last.
    entered: Phase | None = None
    withheld: Withheld = field(default_factory=Withheld)

    @property
    def phase(self) -> Phase:
        """The phase of the next pane; at the end of one still that one, until it is left: its last windows end there."""
        if self.entered is not None and self.last == self.entered.until_ms:
            return self.entered
        return self.phase_at(self.last or 0)

    def phase_at(self, start_ms: int) -> Phase:
        """The phase of panes that begin here."""
        for phase in self.phases:
            if phase.until_ms is None or start_ms < phase.until_ms:
                return phase
        raise LookupError(f"no phase of {self.model} holds {start_ms}")

    def is_judged_by(self, watched: Watched) -> bool:
        """Whether what stands was judged by this configuration."""
        return self.judged_by == judged_by(watched)

    @property
    def listens(self) -> bool:
        """Whether its silence is a verdict: the model's requests are taken from this stream, and there were some."""
        monitor = self.phase.watched.monitor
        waits = monitor.no_traffic_after_ms is not None and self.stream == monitor.serving.stream
        return waits and self.last is not None

    @property
    def expected(self) -> str:
        """What the stored hash must hold as ``last``."""
        return "" if self.stored is None else str(self.stored)

    def restore(self, values: Sequence[bytes | None]) -> None:
        """Take up what is stored (``FIELDS``).

        Service levels are told anew from closed panes, so damage to what is stored of them costs nothing.

        :raises msgspec.DecodeError: charts, standing or causes are damaged.
        """
        found = dict(zip(FIELDS, values, strict=True))
        self.loaded = True
        if found["last"] is None:
            return
        self.last = self.stored = int(found["last"])
        self.begun = int(found["begun"] or self.last)
        self.layout = (found["layout"] or b"").decode()
        self.judged_by = (found["judged_by"] or b"").decode()
        self.charts = Charts.from_json(found["charts"]) if found["charts"] else Charts()
        self.standing = Standing.from_json(found["standing"]) if found["standing"] else Standing()
        self.causes = Causes.from_json(found["causes"]) if found["causes"] else Causes()
        self.touched = Touched.from_json(found["touched"]) if found["touched"] else Touched()
        self.service = self._service(found["service"])
        self.withheld = Withheld.read(found[FIELD])

    def _service(self, stored: bytes | None) -> Service | None:
        try:
            return service_levels.decode(stored) if stored else None
        except msgspec.DecodeError as error:
            log.warning("stored service levels of %s cannot be read, they are told anew: %s", self.model, error)
            return None

    def begin(self, start_ms: int) -> None:
        """The first pane with an event begins here."""
        self.last = self.begun = start_ms
        if self.stream == "features":
            self.touched = Touched(since=start_ms)

    def change_over(self) -> None:
        """Where the next pane is of another layout than the last: windows begin anew, for panes of two are never summed."""
        phase = self.entered = self.phase_at(self.last or 0)
        if self.layout == phase.watched.layout.hash or self.last is None:
            return
        self.last = -(-self.last // phase.pane_ms) * phase.pane_ms
        if self.layout:
            self.begun, self.charts, self.causes = self.last, Charts(), Causes()
        self.layout, self.rings, self.rows = phase.watched.layout.hash, None, {}
        self.searches = {}

    def fields(self) -> Mapping[str, str | bytes | int]:
        """What is stored of it."""
        service = {} if self.service is None else {"service": service_levels.encode(self.service)}
        touched = {"touched": self.touched.to_json()} if self.touched != Touched() else {}
        return {
            "last": self.last or 0, "begun": self.begun, "layout": self.layout, "judged_by": self.judged_by,
            "charts": self.charts.to_json(), "standing": self.standing.to_json(), "causes": self.causes.to_json(),
            **touched, **service, **self.withheld.fields(),
        }  # fmt: skip

    def boundary(self) -> int:
        """The last window end that is not after the last closed pane."""
        return boundary_before(self.last or 0, step_ms=self.phase.step_ms)
