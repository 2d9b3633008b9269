"""Incidents of that year (see ``console_year``), as the owner would leave them in Redis."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from schemas.incidents import Cause, DeliveryView, IncidentView, MemberView, encode
from schemas.names import Names
from tests.support.console_year import DAY, END, HOUR

OPEN_WEATHER, OPEN_CARRIER = "9f2c41ab77d0e6135c8a90b2", "51d0c7a94e2b8f60331a7c55"
ENDED_SCHEDULE = "0b7e1c22d94f5a8867aa3e01"


def member(feature: str, /, *, source: str, value: float, onset: int, **more: Any) -> MemberView:
    """A feature's finding in the day window."""
    fields: dict[str, Any] = {
        "key": f"psi|flight-delay/{feature}||day", "subject": f"feature:flight-delay/{feature}",
        "model": "flight-delay", "kind": "drift", "rule": "psi", "state": "firing", "severity": "P1",
        "joined_by": "onset", "at": END, "onset_lo": onset - DAY, "onset_hi": onset, "feature": feature,
        "source": source, "window": "day", "value": value, "peak": value * 1.1, "threshold": 0.25, "p": 1e-9, "n": 900,
    }  # fmt: skip
    return MemberView(**(fields | more))


def weather() -> IncidentView:
    """Three weather features, one cause, both receivers told."""
    onset = END - 30 * DAY
    members = (
        member("temp", source="weather-feed", value=1.14, onset=onset),
        member("dewp", source="weather-feed", value=0.79, onset=onset + DAY),
        member("humid", source="weather-feed", value=0.41, onset=onset + 3 * DAY, severity="P2", joined_by="tail"),
    )
    deliveries = (
        DeliveryView(
            receiver="oncall", address="pagerduty:3f9c…", kind="pagerduty", wants="firing P1", believes="firing P1",
            dedup_key=OPEN_WEATHER,
        ),
        DeliveryView(
            receiver="team", address="slack:#ml-p1", kind="slack", wants="firing P1", believes="firing P2",
            confirmed=False, thread="1388534400.000100",
        ),
    )  # fmt: skip
    causes = (
        Cause("source:weather-feed", 0.86), Cause("source:noaa-feed", 0.09), Cause("unknown", 0.05),
    )  # fmt: skip
    return IncidentView(
        id=OPEN_WEATHER, revision=7, state="open", severity="P1", worst="P1",
        title="weather-feed: temp, dewp and humid of flight-delay drift", opened=onset + 2 * HOUR, updated=END + 2 * HOUR,
        since_lo=onset - DAY, since_hi=onset, models=("flight-delay",), causes=causes, members=members,
        deliveries=deliveries, links=(ENDED_SCHEDULE,),
    )  # fmt: skip


def carrier() -> IncidentView:
    """One feature, two causes equally probable, acknowledged, clear and held."""
    onset = END - 64 * DAY
    drifting = member("carrier", source="schedule-db", value=0.31, onset=onset, severity="P2", state="ok")
    causes = (Cause("source:schedule-db", 0.45), Cause("feature:flight-delay/carrier", 0.45), Cause("unknown", 0.1))
    return IncidentView(
        id=OPEN_CARRIER, revision=3, state="recovering", severity="P2", worst="P2", title="carrier of flight-delay drifts",
        opened=onset + 2 * HOUR, updated=END - 40 * DAY, since_lo=onset - DAY, since_hi=onset, models=("flight-delay",),
        causes=causes, members=(drifting,), acknowledged_by="dana", acknowledged_at=onset + 3 * HOUR, flips=2,
    )  # fmt: skip


def outage() -> IncidentView:
    """The service was down for three hours."""
    onset = END - 139 * DAY
    down = member(
        "", source="", value=1.0, onset=onset, severity="P0", state="ok", kind="error", rule="error_rate", feature=None,
        key="error|flight-delay||", subject="model:flight-delay", threshold=0.05, window=None, p=None, n=118,
    )  # fmt: skip
    return IncidentView(
        id="77aa01be93c4d2f0185e6b39", revision=4, state="ended", severity="P0", worst="P0",
        title="flight-delay: all requests fail", opened=onset, updated=onset + 4 * HOUR, since_lo=onset - HOUR,
        since_hi=onset, models=("flight-delay",), causes=(Cause("model:flight-delay", 0.9), Cause("unknown", 0.1)),
        members=(down,), ended=onset + 4 * HOUR, end_reason="recovered",
    )  # fmt: skip


def schedule() -> IncidentView:
    """A fortnight of another timetable, over."""
    onset = END - 129 * DAY
    members = tuple(
        member(name, source="schedule-db", value=value, onset=onset, severity="P1", state="ok")
        for name, value in (("sched_min", 0.58), ("distance", 0.37))
    )
    return IncidentView(
        id=ENDED_SCHEDULE, revision=5, state="ended", severity="P1", worst="P1",
        title="schedule-db: sched_min and distance of flight-delay drift", opened=onset, updated=onset + 17 * DAY,
        since_lo=onset - DAY, since_hi=onset, models=("flight-delay",),
        causes=(Cause("source:schedule-db", 0.91), Cause("unknown", 0.09)), members=members,
        ended=onset + 17 * DAY, end_reason="recovered",
    )  # fmt: skip


def unseen() -> IncidentView:
    """Names never seen, told by small shares of many digits: the widest row that a list of incidents has."""
    onset = END - 20 * DAY
    names = member(
        "destination", source="schedule-db", value=0.004455, onset=onset, severity="P3", kind="unseen", rule="unseen",
        key="unseen|feature:flight-delay/destination||week", window="week", threshold=0.0003904, p=None, n=6060,
    )  # fmt: skip
    return IncidentView(
        id="c3d0a8815f2e4b769d1102ae", revision=2, state="open", severity="P3", worst="P3",
        title="flight-delay: destination with values never seen", opened=onset, updated=END, since_lo=onset - 7 * DAY,
        since_hi=onset, models=("flight-delay",), members=(names,), flips=1,
        causes=(Cause("feature:flight-delay/destination", 0.93), Cause("unknown", 0.07)),
    )  # fmt: skip


async def fill_incidents(redis: Redis, names: Names, *more: IncidentView) -> None:
    """Documents of all of them, and what happened to the first."""
    views = (weather(), carrier(), outage(), schedule(), *more)
    await redis.hset(names.incidents("documents"), mapping={view.id: encode(view) for view in views})
    opened = END - 30 * DAY + 2 * HOUR
    happened = (
        (opened, "opened, P2: psi of temp is 0.31 in the day window, threshold 0.25, of 900 rows"),
        (opened + DAY, "dewp joined: it began in the same interval"),
        (opened + DAY, "P2 to P1: features of importance 0.43 drift"),
        (opened + DAY + 1000, "oncall was told P1"),
        (opened + 3 * DAY, "humid joined: it began soon after"),
    )
    for at, text in happened:
        entry: dict[Any, Any] = {"at": at, "text": text}
        await redis.xadd(names.incidents("timeline", OPEN_WEATHER), entry)
