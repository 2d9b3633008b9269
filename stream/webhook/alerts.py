"""From a webhook's body to findings: pure, the time at which it came is an argument.

An alert is known by its fingerprint.  Every notification is a newer word on it than those before, so one that is sent again is a
refresh, and nobody is rung; ``resolved`` is ``ok``.  What is not an alert that can be taken is refused by itself, with a reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from alerting.messages.wording import clean, cut
from schemas.alertmanager import (
    ALERTMANAGER,
    OWN_LABEL,
    OWN_PREFIX,
    VERSION,
    Alert,
    Webhook,
    alert_node,
    read_alert,
    read_webhook,
)
from schemas.errors import DriftlineError, RejectedEvent
from schemas.findings import SEVERITIES, Finding, Onset, Severity, finding_key
from schemas.timestamps import timestamp_ms_of

Why = Literal["shape", "status", "own"]
#: Every reason for which an alert is refused; a label value of metrics, so the list is closed.
WHYS: tuple[Why, ...] = get_args(Why)
SEVERITY: dict[str, Severity] = {"critical": "P1", "warning": "P2", "info": "P3"}
#: Of an alert whose severity says nothing known: somebody wrote it, and nobody said that it should ring.
UNSAID: Severity = "P2"
NAME, TEXT = 120, 500
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class BadWebhook(DriftlineError):
    """A request whose body is no notification of Alertmanager."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An alert that was not taken: its place in the notification, why, and what is wrong in words."""

    index: int
    why: Why
    detail: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a notification says; ``truncated`` alerts Alertmanager has left out of it."""

    findings: tuple[Finding, ...]
    refused: tuple[Refused, ...]
    truncated: int


class _NotTaken(Exception):
    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


def taken(body: bytes, *, at_ms: int, repeat_ms: int) -> Taken:
    """The findings of a notification that came at ``at_ms``; each alert should come again within ``repeat_ms``.

    :raises BadWebhook: it is none.
    """
    webhook = _webhook(body)
    findings: dict[str, Finding] = {}
    refused: list[Refused] = []
    for index, written in enumerate(webhook.alerts):
        try:
            finding = _finding(_alert(written), at_ms=at_ms, repeat_ms=repeat_ms)
            findings[finding.key] = finding
        except _NotTaken as error:
            refused.append(Refused(index, error.why, error.detail))
    return Taken(tuple(findings.values()), tuple(refused), max(0, webhook.truncated_alerts))


def _webhook(body: bytes) -> Webhook:
    try:
        webhook = read_webhook(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadWebhook(f"no notification of Alertmanager: {cut(clean(str(error)), TEXT)}") from None
    if webhook.version != VERSION:
        version = cut(clean(webhook.version), NAME)
        raise BadWebhook(f"version: {version!r}, and {VERSION!r} is understood: use `webhook_configs` of Alertmanager")
    return webhook


def _alert(written: msgspec.Raw) -> Alert:
    try:
        return read_alert(written)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _NotTaken("shape", cut(clean(str(error)), TEXT)) from None


def _finding(alert: Alert, *, at_ms: int, repeat_ms: int) -> Finding:
    if alert.status not in ("firing", "resolved"):
        raise _NotTaken("status", f"status: {cut(clean(alert.status), NAME)!r}, allowed: firing, resolved")
    name = cut(clean(alert.labels.get("alertname", "")), NAME) or "alert"
    if OWN_LABEL in alert.labels or name.startswith(OWN_PREFIX):
        raise _NotTaken("own", f"{name} is an alert of driftline itself: it would report what it has reported")
    about = _model(alert)
    identity = _fingerprint(alert)
    firing, began = alert.status == "firing", _began(alert, at_ms)
    return Finding(
        key=finding_key("external", f"{about or name}/{identity}"), rev=(at_ms, 0), state="firing" if firing else "ok",
        model=ALERTMANAGER, about=about, rule=name, kind="external",
        subject=alert_node(about or ALERTMANAGER, name, identity), severity=_severity(alert), at=at_ms, seen=at_ms,
        onset=Onset(began, began), refresh_by=at_ms + repeat_ms if firing else None,
        evidence=dict(_evidence(alert, identity)),
    )  # fmt: skip


def _model(alert: Alert) -> str | None:
    """The model that a label names; a name that no model can have is none."""
    found = (alert.labels.get(label, "") for label in ("model", "model_name"))
    return next((name for name in found if _MODEL.fullmatch(name) and name != ALERTMANAGER), None)


def _fingerprint(alert: Alert) -> str:
    """Alertmanager's own, a function of the labels; so is what stands for one that is missing."""
    if _FINGERPRINT.fullmatch(alert.fingerprint):
        return alert.fingerprint
    return hashlib.sha256(msgspec.json.encode(alert.labels, order="sorted")).hexdigest()[:16]


def _severity(alert: Alert) -> Severity:
    """P0 only where it is asked for by name."""
    asked = alert.labels.get("driftline_severity", "")
    known = next((severity for severity in SEVERITIES if severity == asked), None)
    return known or SEVERITY.get(alert.labels.get("severity", "").lower(), UNSAID)


def _began(alert: Alert, at_ms: int) -> int:
    """When it began; a time that cannot be is when it came."""
    try:
        return min(at_ms, timestamp_ms_of(alert.starts_at))
    except RejectedEvent:
        return at_ms


def _evidence(alert: Alert, identity: str) -> Iterator[tuple[str, str]]:
    notes = alert.annotations
    said = {
        "cause": notes.get("summary") or notes.get("description") or notes.get("message") or "",
        "description": notes.get("description", "") if notes.get("summary") else "",
        "labels": ", ".join(f"{name}={cut(clean(alert.labels[name]), NAME)}" for name in sorted(alert.labels)[:20]),
        "runbook": _link(notes.get("runbook_url", "")),
        "generator": _link(alert.generator_url),
        "fingerprint": identity,
    }
    return ((name, cut(clean(text), TEXT)) for name, text in said.items() if text)


def _link(url: str) -> str:
    """A link that a browser may follow; nothing else is kept, and none that would have to be cut."""
    return url if url.startswith(("http://", "https://")) and len(url) <= TEXT else ""
