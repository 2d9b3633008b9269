"""Calls and messages as the register hands them to a receiver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from alerting.deliveries import Call, CallKind, Evidence, Message, ReceiverKind

DAY = 86_400_000
SINCE = 1_357_035_300_000  # 2013-01-01 10:15 UTC

TEMP = Evidence(
    subject="feature:flight-delay/temp", rule="psi", severity="P1", firing=True, value=0.4137, peak=0.52, threshold=0.25,
    n=19_874, window="day",
)  # fmt: skip
DEWP = Evidence(subject="feature:flight-delay/dewp", rule="psi", severity="P2", firing=True, value=0.31, n=19_874)
FIRING = Message(
    incident="INC-7", severity="P1", worst="P1", state="firing", title="flight-delay · 2 features drifted (PSI 0.41)",
    models=("flight-delay",), cause="source:noaa-feed", probability=0.921, since_lo=SINCE - DAY, since_hi=SINCE,
    members=(TEMP, DEWP), firing=2, total=2, reason="first", why="first: P1 matches severity=\"P1\"", owner="data-platform",
    path="/incidents/INC-7", history=("opened P1",),
)  # fmt: skip
RESOLVED = replace(
    FIRING, state="resolved", reason="closed", why="recovered: 3 windows in a row are clear", firing=0,
    ended=SINCE + 2 * DAY, history=("opened P1", "temp recovered"),
)  # fmt: skip


def call(kind: str = "open", *, at: ReceiverKind = "pagerduty", **changes: Any) -> Call:
    """A call for the one incident here; ``changes`` are fields of it."""
    plain = Call(
        entry="INC-7@x", kind="open", generation=1, severity="P1", address="x", receiver_kind=at, dedup_key="INC-7:1",
        thread=None, why="first",
    )  # fmt: skip
    return replace(plain, kind=cast(CallKind, kind), **changes)
