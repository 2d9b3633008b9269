"""An incident as a PagerDuty event (Events API v2), within the published limits.

The symptom stands in the first 80 characters of the summary, because telephones cut there.  Details are flat, numbers are
numbers, and nothing that is no JSON number is sent.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from alerting.deliveries import Call, Evidence, Message
from alerting.messages import incident as said
from alerting.messages.place import Place
from alerting.messages.wording import clean, cut, finite, rfc3339
from schemas.findings import Severity

SUMMARY, KEY, FIELD, EVENT_BYTES = 1024, 255, 1024, 500_000
MEMBERS = 20
SEVERITY: dict[Severity, Literal["critical", "error", "warning", "info"]] = {
    "P0": "critical",
    "P1": "error",
    "P2": "warning",
    "P3": "info",
}

Details = dict[str, str | int | float]


def dedup_key(key: str) -> str:
    """The key, shortened where PagerDuty would refuse its length; two that differ still do.

    >>> dedup_key("INC-7:1"), len(dedup_key("x" * 300))
    ('INC-7:1', 255)
    """
    return key if len(key) <= KEY else f"{key[: KEY - 17]}:{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def event(call: Call, message: Message, *, place: Place) -> dict[str, Any]:
    """The event's fields beside action, key and routing key."""
    page, runbook = said.page(message, place.console_url), said.runbook(message, place.runbook_url)
    named = [(page, "Incident in the console"), (runbook, "Runbook")]
    links = [{"href": href, "text": text} for href, text in named if href and said.is_link(href)]
    optional = {"client_url": page, "links": links}
    linked = {name: value for name, value in optional.items() if value}
    return {"client": "driftline", **linked, "payload": _payload(call, message, place=place)}


def _payload(call: Call, message: Message, *, place: Place) -> dict[str, Any]:
    worst = message.members[0] if message.members else None
    model = clean(message.models[0]) if message.models else "driftline"
    fields = {
        "source": f"{model}@{place.environment}" if place.environment else model,
        "component": said.subject(worst) if worst else None,
        "group": clean(message.cause) if message.cause_clear else "",
        "class": clean(worst.rule) if worst else None,
    }
    payload: dict[str, Any] = {name: cut(text, FIELD) for name, text in fields.items() if text}
    payload["summary"] = cut(summary(call, message), SUMMARY)
    payload["severity"] = SEVERITY[call.severity]
    payload["custom_details"] = within(details(message, place=place), EVENT_BYTES - len(json.dumps(payload)) - 4096)
    return payload


def summary(call: Call, message: Message) -> str:
    """``P1 flight-delay: 3 features drifted · cause: source:noaa-feed (92 %) · began …``; a note says itself first."""
    parts = [f"{message.severity} {said.symptom(message)}", f"began {said.since(message)}"]
    if said.cause(message):
        parts.insert(1, f"{'cause' if message.cause_clear else 'cause unclear'}: {said.cause(message)}")
    if call.kind == "note":
        parts.insert(1, clean(call.why))
    return " · ".join((*parts, said.late(message)) if message.late is not None else parts)


def details(message: Message, *, place: Place) -> Details:
    """Everything else, in the order in which it should be read."""
    told: dict[str, str | int | float | None] = {
        "why": message.why,
        "lasted": said.lasted(message),
        "late": said.late(message),
        "cause": message.cause if message.cause_clear else f"unclear: {message.cause}",
        "cause_probability": finite(message.probability),
        "since_after": rfc3339(message.since_lo),
        "since_by": rfc3339(message.since_hi),
        "firing": message.firing,
        "findings": message.total,
        "models": ", ".join(message.models),
        "incident": message.incident,
        "state": message.state,
        "severity": message.severity,
        "worst_severity": message.worst,
        "reason": message.reason,
        "owner": message.owner,
        "acknowledged_by": message.acknowledged_by,
        "related": ", ".join(message.links),
        "what_to_do": "; ".join(said.commands(message)),
        "runbook": said.runbook(message, place.runbook_url),
    }
    for rank, member in enumerate(message.members[:MEMBERS], start=1):
        told |= {f"{rank}_{name}": value for name, value in _member(member).items()}
    return {name: _plain(value) for name, value in told.items() if value not in (None, "")}


def within(told: Details, limit: int) -> Details:
    """The details, the last of them left out where the event would be too large for PagerDuty; that is said in them.

    >>> within({"a": "x" * 50, "b": "y" * 50}, 120)
    {'a': 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 'left_out': 1}
    """
    names = list(told)
    kept = len(names)
    while kept and len(json.dumps({name: told[name] for name in names[:kept]})) + 20 > limit:
        kept -= 1
    left_out: Details = {"left_out": len(names) - kept} if kept < len(names) else {}
    return {name: told[name] for name in names[:kept]} | left_out


def _member(member: Evidence) -> dict[str, str | int | float | None]:
    return {
        "subject": clean(member.subject),
        "rule": clean(member.rule),
        "value": finite(member.value),
        "peak": finite(member.peak),
        "limit": finite(member.threshold),
        "n": member.n,
        "p": finite(member.p),
        "window": member.window,
        "looks": member.looks,
        "state": "firing" if member.firing else "clear",
    }


def _plain(value: str | int | float | None) -> str | int | float:
    return value if isinstance(value, int | float) else cut(clean(value or ""), FIELD)
