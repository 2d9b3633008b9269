"""A deployment whose names are an attack on whoever looks at them: scripts, quotes, lines, direction, length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from schemas.incidents import Cause, IncidentView, MemberView, encode
from schemas.monitored import FeatureMonitor, ModelMonitor, Monitors
from schemas.names import Names
from schemas.reports import Column, Measure, Report
from stream.state.generations import publish
from tests.support.console_reports import store_reports
from tests.support.console_year import DAY, END, HOUR
from tests.support.models import reference

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\"'><img src=x onerror=alert(2)>"
LINES = "one\ntwo\r\x1b[31m"
DIRECTION = "temp\u202eeslaf"
LONG = "x" * 5_000
SLASHES = "a/b?c#d%2F{e}"
NAMES = (SCRIPT, QUOTES, LINES, DIRECTION, LONG, SLASHES)
MODEL = "model </title><script>alert(3)</script>"


async def fill_hostile(redis: Redis, names: Names) -> None:
    """One model with a feature for each such name, a report and a history of them, and an incident called so."""
    monitor = ModelMonitor(
        pane_ms=HOUR, windows={"day": DAY}, step_ms=DAY, lateness_ms=0, revise_within_ms=DAY, reference=Path("m.json"),
        owner=SCRIPT, service=QUOTES,
        features={name: FeatureMonitor(type="numeric", description=SCRIPT, source=name) for name in NAMES},
    )  # fmt: skip
    watched = Monitors(file=Path("m.yaml"), sha256="f" * 64, models={MODEL: monitor})
    await publish(redis, names, watched, references={MODEL: reference(MODEL)}, now_ms=END, clock_ms=None)
    drifting = Column("drift", 9, 9, measures={"psi": Measure(0.5, SCRIPT, threshold=0.25, exceeded=True)})
    made = [
        Report(
            model=MODEL, stream="predictions", window="day", start=end - DAY, end=end, seen=end, state="drift",
            events=9, features=dict.fromkeys(NAMES, drifting), prediction={SCRIPT: drifting},
            serving={SCRIPT: Measure(1.0)}, drift_score=1.0,
        )
        for end in (END - DAY, END)
    ]  # fmt: skip
    await store_reports(redis, names, made)
    await redis.hset(names.incidents("documents"), "h", encode(_incident()))
    happened: dict[Any, Any] = {"at": END, "text": SCRIPT}
    await redis.xadd(names.incidents("timeline", "h"), happened)


def _incident() -> IncidentView:
    members = tuple(
        MemberView(
            key=name,
            subject=f"feature:{MODEL}/{name}",
            model=MODEL,
            kind="drift",
            rule=SCRIPT,
            state=SCRIPT,
            severity="P1",
            joined_by=SCRIPT,
            at=END,
            onset_lo=END - DAY,
            onset_hi=END,
            feature=name,
            source=name,
            evidence={SCRIPT: SCRIPT},
        )
        for name in NAMES
    )
    return IncidentView(
        id="h", revision=1, state="open", severity="P1", worst="P1", title=f"{SCRIPT}{LONG}", opened=END, updated=END,
        since_lo=END - DAY, since_hi=END, models=(MODEL,), members=members, acknowledged_by=QUOTES, acknowledged_at=END,
        causes=tuple(Cause(f"source:{name}", 0.5) for name in (SCRIPT, LONG)),
    )  # fmt: skip
