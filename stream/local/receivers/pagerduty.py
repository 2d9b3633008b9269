"""A PagerDuty that records: Events API v2 with its published limits, its rate rule, and what it does with keys.

A trigger on an open key is one more alert of its incident and rings nobody; on a resolved or unknown key it opens a new
incident, which rings.  A resolve finds only what was opened with the same integration key; all others are accepted and lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream.local.receivers.exchange import Answer, Fault, Request, answering, strict_json
from stream.local.receivers.serving import Recording, recording

PATH = "/v2/enqueue"
ROUTING_KEY, DEDUP_KEY, SUMMARY, EVENT_BYTES = 32, 255, 1024, 512_000
SEVERITIES = ("critical", "error", "warning", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")
A_MINUTE, WINDOW_S = 120, 60.0


@dataclass(slots=True)
class Incident:
    """One incident: who was rung for it once, what it was told, and whether it is over."""

    key: str
    opened_by: Mapping[str, Any]
    events: list[Mapping[str, Any]] = field(default_factory=list)
    closed: bool = False

    @property
    def severity(self) -> str:
        """The newest."""
        return str(self.events[-1]["payload"]["severity"])

    @property
    def summary(self) -> str:
        """The first, which stays the title."""
        return str(self.opened_by["payload"]["summary"])


class RecordingPagerDuty:
    """The service; ``incidents`` in the order in which they were opened, each of which rang once."""

    name = "pagerduty"

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self.lost: list[Mapping[str, Any]] = []
        self._open: dict[tuple[str, str], Incident] = {}
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    @property
    def rings(self) -> int:
        """How often somebody was rung."""
        return len(self.incidents)

    def open_keys(self) -> list[str]:
        """The deduplication keys of incidents that are not over."""
        return [incident.key for incident in self.incidents if not incident.closed]

    def answer(self, request: Request, now_s: float) -> Answer:
        """``POST /v2/enqueue``."""
        if request.path != PATH:
            return Answer(404, {"status": "not found"})
        event, errors = _read(request.body)
        if errors:
            return _invalid(errors)
        if (wait := self._over_the_limit(event["routing_key"], now_s)) is not None:
            return Answer(429, {"status": "throttle exceeded"}, {"Retry-After": str(wait)})
        key = event.get("dedup_key") or secrets.token_hex(16)
        self._apply(key, event)
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def described(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """The event, its integration key as a digest."""
        event, _ = _read(request.body)
        return str(event.get("event_action", request.path)), _shown(event)

    def _apply(self, key: str, event: Mapping[str, Any]) -> None:
        place, shown = (event["routing_key"], key), _shown(event)
        incident = self._open.get(place)
        if event["event_action"] == "trigger":
            if incident is None:
                incident = self._open[place] = Incident(key, shown)
                self.incidents.append(incident)
            incident.events.append(shown)
        elif incident is None:
            self.lost.append(shown)
        elif event["event_action"] == "resolve":
            incident.closed = True
            del self._open[place]

    def _over_the_limit(self, routing_key: str, now_s: float) -> int | None:
        """Seconds to wait; None where there is room."""
        calls = self._calls[routing_key]
        while calls and calls[0] <= now_s - WINDOW_S:
            calls.popleft()
        if len(calls) >= A_MINUTE:
            return int(calls[0] + WINDOW_S - now_s) + 1
        calls.append(now_s)
        return None


def recording_pagerduty(
    folder: Path | None = None, *, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> AbstractContextManager[Recording[RecordingPagerDuty]]:
    """A running PagerDuty: ``url`` for the settings, ``vendor.incidents``, ``received``, ``fail_next``."""
    return recording(RecordingPagerDuty(), folder=folder, port=port, clock=clock)


def refusing(message: str = "Event object is invalid", *errors: str) -> Fault:
    """400, as PagerDuty words it."""
    return answering(400, {"status": "invalid event", "message": message, "errors": list(errors)})


def _read(body: bytes) -> tuple[dict[str, Any], list[str]]:
    """(the event, what is wrong with it)."""
    try:
        event = strict_json(body)
    except ValueError as error:
        return {}, [f"JSON: {error}"]
    if not isinstance(event, dict):
        return {}, ["the event is no object"]
    size = [f"the event has {len(body)} bytes, more than {EVENT_BYTES}"] if len(body) > EVENT_BYTES else []
    return event, [*size, *_wrong(event)]


def _wrong(event: Mapping[str, Any]) -> Iterator[str]:
    action, key = event.get("event_action"), event.get("dedup_key")
    if not _is_text(event.get("routing_key"), ROUTING_KEY) or len(event["routing_key"]) != ROUTING_KEY:
        yield "'routing_key' must have 32 characters"
    if action not in ACTIONS:
        yield f"'event_action' must be one of {', '.join(ACTIONS)}"
    if key is None and action in ("acknowledge", "resolve"):
        yield "'dedup_key' is missing"
    if key is not None and not _is_text(key, DEDUP_KEY):
        yield f"'dedup_key' is longer than {DEDUP_KEY}"
    if action == "trigger" or "payload" in event:
        payload = event.get("payload")
        yield from _wrong_payload(payload) if isinstance(payload, dict) else ["'payload' is missing"]
    for link in event.get("links") or []:
        if not str(link.get("href", "")).startswith(("https://", "http://")):
            yield "'links' must have an 'href'"


def _wrong_payload(payload: Mapping[str, Any]) -> Iterator[str]:
    if not _is_text(payload.get("summary"), SUMMARY):
        yield f"'payload.summary' is missing, or longer than {SUMMARY}"
    if not _is_text(payload.get("source"), SUMMARY):
        yield "'payload.source' is missing"
    if payload.get("severity") not in SEVERITIES:
        yield f"'payload.severity' must be one of {', '.join(SEVERITIES)}"


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= limit


def _invalid(errors: list[str]) -> Answer:
    return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors})


def _shown(event: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(event)
    with contextlib.suppress(KeyError):
        shown["routing_key"] = "sha256:" + hashlib.sha256(str(shown["routing_key"]).encode()).hexdigest()[:12]
    return shown
