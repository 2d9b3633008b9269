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

from alerting.cause import stands_out
from schemas.incidents import IncidentView, MemberView, decode
from schemas.names import Names
from stream.local.receivers.pagerduty import RecordingPagerDuty
from stream.local.receivers.slack import RecordingSlack
from stream.local.watched import MODEL

_COLOURS = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "dim"}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, as the table shows it.  Times are epoch ms; ``cause`` is None where none stands out.

    ``strength`` is the strongest member's value by its rule, ``calibrated_p`` what the calibrated test says of it.
    """

    id: str
    severity: str
    state: str
    title: str
    cause: str | None
    probability: float
    since_ms: tuple[int, int]
    ended_ms: int | None
    rule: str
    strength: float | None
    threshold: float | None
    rows: int | None
    subjects: tuple[str, ...]
    calibrated_p: float | None = None


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
    cause = view.causes[0] if stands_out(view.causes) else None
    return Incident(
        view.id, view.worst, view.state, view.title, cause.node if cause else None,
        cause.probability if cause else 0.0, (view.since_lo, view.since_hi), view.ended,
        strongest.rule, strongest.peak if strongest.peak is not None else strongest.value, strongest.threshold,
        strongest.n, tuple(sorted({member.subject for member in view.members})), _calibrated_p(strongest),
    )  # fmt: skip


def _calibrated_p(member: MemberView) -> float | None:
    p = member.evidence.get("calibrated_p")
    return p if isinstance(p, float) else None


def _excess(member: MemberView) -> float:
    value = member.peak if member.peak is not None else member.value
    return abs(value or 0.0) / (member.threshold or 1.0)


def told(pagerduty: RecordingPagerDuty, slack: RecordingSlack) -> Told:
    """What the recording receivers hold."""
    roots = slack.roots()
    return Told(
        pages=_counted(_incident_of(incident.key) for incident in pagerduty.incidents),
        roots=_counted(_incident_of(_key_of(root.content)) for root in roots),
        pages_open=len(pagerduty.open_keys()),
        edits=sum(len(root.edits) for root in roots),
        thread_messages=len(slack.messages) - len(roots),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    """A plain dict: `dataclasses.asdict` makes nonsense of a Counter."""
    return dict(Counter(names))


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
    """Three or four lines an incident, within 80 characters: since when, what and why, how strong, who was told."""
    title = "incidents of the year, times in UTC"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 1, 0), pad_edge=False)
    for heading in ("", "began", "what, and its probable cause", "how strong", "told"):
        table.add_column(heading, no_wrap=heading in ("", "began", "told"))
    for one in incidents:
        table.add_row(
            Text(one.severity, _COLOURS[one.severity]), _when(one), _what(one), _strength(one), _told(one, found)
        )
    return table


def _when(one: Incident) -> str:
    first, last = one.since_ms
    ended = "not over" if one.ended_ms is None else f"over {_time(one.ended_ms)}"
    return f"{_day(first)}\n–     {_time(last)}\n{ended}"


def _what(one: Incident) -> str:
    cause = [] if one.cause is None else [f"{_node(one.cause)} {one.probability:.0%}"]
    return "\n".join([one.title.removeprefix(f"{MODEL}: "), *cause, one.id])


def _node(node: str) -> str:
    """A node of the lineage without what the table says of every row.

    >>> _node("source:weather-feed"), _node("feature:flight-delay/temp"), _node("model:flight-delay")
    ('weather-feed', 'temp', 'flight-delay')
    """
    return node.partition(":")[2].removeprefix(f"{MODEL}/") or node


def _strength(one: Incident) -> str:
    value = "–" if one.strength is None else f"{one.strength:.3g}"
    limit = "" if one.threshold is None else f", limit {one.threshold:g}"
    calibrated = "" if one.calibrated_p is None else f"\ncalibrated p {one.calibrated_p:.2g}"
    return f"{one.rule} {value}{limit}{calibrated}\n{_spaced(one.rows)} rows\n{_counted_nodes(len(one.subjects))}"


def _counted_nodes(count: int) -> str:
    return "1 subject" if count == 1 else f"{count} subjects"


def _told(one: Incident, found: Told) -> str:
    pages, roots = found.pages.get(one.id, 0), found.roots.get(one.id, 0)
    return f"PagerDuty {pages}\nSlack {roots}" if pages or roots else "console"


def _day(instant_ms: int) -> str:
    return f"{datetime.fromtimestamp(instant_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _time(instant_ms: int) -> str:
    return f"{datetime.fromtimestamp(instant_ms / 1000, UTC):%m-%d %H:%M}"


def _spaced(number: int | None) -> str:
    return "–" if number is None else f"{number:,}".replace(",", " ")
