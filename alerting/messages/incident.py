"""What every vendor's message says of an incident, in words; nothing of it is escaped or cut to a vendor's limits yet."""

from __future__ import annotations

from urllib.parse import quote

from alerting.deliveries import Evidence, Message
from alerting.messages.wording import clean, count, cut, duration, finite, number, utc

#: A name is never worth more room than this, whoever wrote it.
NAME = 120
_STATE = {"firing": "FIRING", "resolved": "RESOLVED"}


def headline(message: Message) -> str:
    """Severity, state and the symptom: ``P1 FIRING · flight-delay · 3 features drifted (PSI 0.41)``."""
    severity = message.worst if message.state == "resolved" else message.severity
    return f"{severity} {_STATE[message.state]} · {symptom(message)}"


def symptom(message: Message) -> str:
    """The title, without a severity or state that it may begin with."""
    title = clean(message.title)
    for known in (*(f"{severity} " for severity in ("P0", "P1", "P2", "P3")), "FIRING ", "RESOLVED ", "· "):
        title = title.removeprefix(known)
    return title


def since(message: Message) -> str:
    """When it began: an interval, because nobody knows the moment."""
    lo, hi = utc(message.since_lo), utc(message.since_hi)
    return hi if lo == hi else f"between {lo} and {hi}"


def late(message: Message) -> str:
    """How late driftline itself was: it was catching up; empty where it was in time."""
    return "" if message.late is None else f"seen {duration(message.late)} late"


def cause(message: Message) -> str:
    """The cause and how probable it is: ``source:noaa-feed (92 %)``; where none stands out, the first few with theirs."""
    chance = "" if finite(message.probability) is None else f" ({message.probability:.0%})".replace("%", " %")
    return f"{cut(clean(message.cause), 500)}{chance}" if message.cause else ""


def lasted(message: Message) -> str | None:
    """How long it was, at most; None while it is not over."""
    return None if message.ended is None else duration(message.ended - message.since_lo)


def extent(message: Message) -> str:
    """How many findings are in it.

    A resolved one has none that fires.
    """
    if message.state == "resolved":
        return _findings(message.total)
    return f"{count(message.firing)} of {_findings(message.total)} firing"


def peak(message: Message) -> Evidence | None:
    """The member that is shown for the worst value there was; the worst member stands first."""
    return next((member for member in message.members if member.peak is not None), None)


def subject(member: Evidence) -> str:
    """A node of the lineage, short: ``feature:flight-delay/temp`` is ``flight-delay/temp``."""
    kind, _, name = clean(member.subject).partition(":")
    return cut(name or kind, NAME)


def measured(member: Evidence) -> str:
    """``psi 0.414 (limit 0.25), n 19 874, window day; looks like °F sent where °C was: x -> 1.8 x + 32``."""
    limit = "" if member.threshold is None else f" (limit {number(member.threshold)})"
    chance = "" if member.p is None else f", p {number(member.p)}"
    window = f", window {cut(clean(member.window), NAME)}" if member.window else ""
    looks = f"; {cut(clean(member.looks), NAME)}" if member.looks else ""
    if member.value is None and member.n is None and member.kind in ("external", "release"):
        return f"{cut(clean(member.rule), NAME)}{looks}"
    return f"{cut(clean(member.rule), NAME)} {number(member.value)}{limit}, n {count(member.n)}{chance}{window}{looks}"


def attention(message: Message) -> list[str]:
    """Who has it and what holds it back, a sentence each."""
    said = [f"Owner: {cut(clean(message.owner), NAME)}"] if message.owner else []
    if message.acknowledged_by:
        said.append(f"Acknowledged by {cut(clean(message.acknowledged_by), NAME)}")
    if message.silenced_until is not None:
        said.append(f"Silenced until {utc(message.silenced_until)}")
    return said


def commands(message: Message) -> list[str]:
    """What to type next."""
    incident = clean(message.incident).replace(" ", "")
    show = [f"driftline incident show {incident}"]
    return show if message.state == "resolved" else [*show, f"driftline incident ack {incident}"]


def page(message: Message, console_url: str) -> str | None:
    """The console's page of the incident; None without a console that a link can name."""
    if not is_link(console_url) or not message.path:
        return None
    return f"{console_url.rstrip('/')}/{quote(message.path.lstrip('/'), safe='/?=&%#-._~')}"


def runbook(message: Message, runbook_url: str) -> str | None:
    """Where it says what to do about the worst finding: by its kind; None where nobody said where runbooks are."""
    kind = next((member.kind for member in message.members if member.kind), None)
    return f"{runbook_url.rstrip('/')}/{kind}.md" if runbook_url and kind else None


def is_link(place: str) -> bool:
    """Whether a place can be linked.

    >>> is_link("https://wiki.example/runbooks/drift.md"), is_link("docs/runbooks/drift.md")
    (True, False)
    """
    return place.startswith(("http://", "https://"))


def _findings(total: int) -> str:
    return f"{count(total)} finding{'' if total == 1 else 's'}"
