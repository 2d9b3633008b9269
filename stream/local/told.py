"""What came of the year: the incidents as the owner documents them, what the two receivers got, and the table of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from rich.table import Table
from rich.text import Text

from schemas.incidents import IncidentView, MemberView, decode
from schemas.names import Names
from stream.local.receivers.pagerduty import RecordingPagerDuty
from stream.local.receivers.slack import RecordingSlack

_COLOURS = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "dim"}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, as the table shows it.  Times are epoch ms; ``strength`` is the strongest member's value by its rule."""

    id: str
    severity: str
    state: str
    title: str
    cause: str
    probability: float
    since_ms: tuple[int, int]
    ended_ms: int | None
    rule: str
    strength: float | None
    threshold: float | None
    rows: int | None
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the receivers got: how often each incident rang PagerDuty, and its root messages in Slack; by incident id."""

    pages: Mapping[str, int]
    roots: Mapping[str, int]
    pages_open: int
    edits: int
    thread_messages: int


def incidents_in(redis: Redis, names: Names) -> list[Incident]:
    """Every documented incident, by when it began."""
    documents = cast("list[bytes]", redis.hvals(names.incidents("documents")))
    views = [decode(document) for document in documents]
    return sorted(map(_incident, views), key=lambda one: (one.since_ms, one.id))


def _incident(view: IncidentView) -> Incident:
    strongest = max(view.members, key=_excess)
    cause = view.causes[0] if view.causes else None
    return Incident(
        view.id, view.worst, view.state, view.title, cause.node if cause else "unknown",
        cause.probability if cause else 0.0, (view.since_lo, view.since_hi), view.ended,
        strongest.rule, strongest.peak if strongest.peak is not None else strongest.value, strongest.threshold,
        strongest.n, tuple(sorted({member.subject for member in view.members})),
    )  # fmt: skip


def _excess(member: MemberView) -> float:
    value = member.peak if member.peak is not None else member.value
    return (value or 0.0) / (member.threshold or 1.0)


def told(pagerduty: RecordingPagerDuty, slack: RecordingSlack) -> Told:
    """What the recording receivers hold."""
    roots = slack.roots()
    return Told(
        pages=Counter(_incident_of(incident.key) for incident in pagerduty.incidents),
        roots=Counter(_incident_of(_key_of(root.content)) for root in roots),
        pages_open=len(pagerduty.open_keys()),
        edits=sum(len(root.edits) for root in roots),
        thread_messages=len(slack.messages) - len(roots),
    )


def _key_of(content: Mapping[str, object]) -> str:
    metadata = content.get("metadata")
    payload = metadata.get("event_payload", {}) if isinstance(metadata, dict) else {}
    return str(payload.get("incident_id", ""))


def _incident_of(dedup_key: str) -> str:
    """The incident that a deduplication key is of: ``id``, or ``id:2`` when it rang anew.

    >>> _incident_of("inc-5f2a:2")
    'inc-5f2a'
    """
    return dedup_key.partition(":")[0]


def incident_table(incidents: Iterable[Incident], found: Told) -> Table:
    """A row an incident: cause, since when, how strong, how many rows, and who was told how often."""
    table = Table(title="incidents of the year", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "incident", "what", "probable cause", "since (UTC)", "ended", "how strong", "rows", "told"):
        table.add_column(heading, justify="right" if heading == "rows" else "left", overflow="fold")
    for one in incidents:
        table.add_row(*_row(one, found))
    return table


def _row(one: Incident, found: Told) -> tuple[str | Text, ...]:
    ended = "–" if one.ended_ms is None else _day(one.ended_ms)
    severity = Text(one.severity, _COLOURS[one.severity])
    return (
        severity, one.id, one.title, _cause(one), _since(one.since_ms), ended,
        _strength(one), _spaced(one.rows), _told(one, found),
    )  # fmt: skip


def _cause(one: Incident) -> str:
    return f"{one.cause} {one.probability:.0%}"


def _since(since_ms: tuple[int, int]) -> str:
    first, last = map(_day, since_ms)
    return first if first == last else f"{first} to {last}"


def _day(instant_ms: int) -> str:
    return f"{datetime.fromtimestamp(instant_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _strength(one: Incident) -> str:
    value = "–" if one.strength is None else f"{one.strength:.3g}"
    return f"{one.rule} {value}" + ("" if one.threshold is None else f" (limit {one.threshold:g})")


def _spaced(number: int | None) -> str:
    return "–" if number is None else f"{number:,}".replace(",", " ")


def _told(one: Incident, found: Told) -> str:
    pages, roots = found.pages.get(one.id, 0), found.roots.get(one.id, 0)
    return f"PagerDuty {pages}, Slack {roots}" if pages or roots else "console"
