"""An incident as an alert of Alertmanager's API v2.

Labels are an alert's identity there: one that changes makes another alert.  So labels hold what people route by and little else;
what changes often (cause, findings) stands in annotations.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from alerting.deliveries import Call, Message
from alerting.messages import incident as said
from alerting.messages.place import Place
from alerting.messages.wording import clean, cut
from schemas.alertmanager import OWN_LABEL, OWN_NAME
from schemas.findings import Severity

SEVERITY: dict[Severity, str] = {"P0": "critical", "P1": "critical", "P2": "warning", "P3": "info"}
FIELD, MEMBERS = 1024, 5
#: How far ahead the end of what is open lies: should driftline be away for longer, Alertmanager takes it for over.
OPEN_FOR_MS = 86_400_000
#: What is over is over since so long at least, or a clock that is behind ours would find it still open, and keep it so.
SKEW_MS = 60_000

Labels = dict[str, str]


def labels(call: Call, message: Message, *, place: Place) -> Labels:
    """By what the alert is known and routed; a generation after the first is another alert."""
    name = call.dedup_key.rpartition(":")[0] if call.generation <= 1 else call.dedup_key
    found = {
        "alertname": OWN_NAME,
        OWN_LABEL: clean(name),
        "severity": SEVERITY[call.severity],
        "driftline_severity": call.severity,
        "model": cut(clean(", ".join(message.models)), FIELD),
        "environment": place.environment,
    }
    return {name: text for name, text in found.items() if text}


def firing(labels_: Labels, message: Message, *, place: Place, now_ms: int) -> dict[str, Any]:
    """The alert while it is open."""
    return _alert(labels_, message, place=place, span=(_began(message, now_ms), now_ms + OPEN_FOR_MS))


def resolved(labels_: Labels, message: Message, *, place: Place, now_ms: int) -> dict[str, Any]:
    """The alert once it is over: it ended when the incident did, or just now."""
    began, latest = _began(message, now_ms), now_ms - SKEW_MS
    ended = latest if message.ended is None else min(message.ended, latest)
    return _alert(labels_, message, place=place, span=(began, max(began, ended)))


def _began(message: Message, now_ms: int) -> int:
    """Well before now: what ends may not end before it begins."""
    return max(0, min(message.since_hi, now_ms - SKEW_MS))


def _alert(labels_: Labels, message: Message, *, place: Place, span: tuple[int, int]) -> dict[str, Any]:
    alert = {
        "labels": labels_, "annotations": told(message, place=place), "startsAt": _rfc3339(span[0]),
        "endsAt": _rfc3339(span[1]),
    }  # fmt: skip
    page = said.page(message, place.console_url)
    return alert | ({"generatorURL": page} if page else {})


def told(message: Message, *, place: Place) -> dict[str, str]:
    """What is wrong, in words."""
    runbook = said.runbook(message, place.runbook_url) or ""
    found = {
        "summary": said.symptom(message),
        "description": "; ".join(_described(message)),
        "cause": f"{'' if message.cause_clear else 'unclear: '}{said.cause(message)}" if message.cause else "",
        "runbook_url": runbook if said.is_link(runbook) else "",
        "runbook": "" if said.is_link(runbook) else runbook,
        "owner": clean(message.owner or ""),
        "what_to_do": "; ".join(said.commands(message)),
    }
    return {name: cut(text, FIELD) for name, text in found.items() if text}


def _described(message: Message) -> list[str]:
    members = [f"{said.subject(member)}: {said.measured(member)}" for member in message.members[:MEMBERS]]
    return [f"{said.extent(message)}, began {said.since(message)}", *members, clean(message.why)]


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
