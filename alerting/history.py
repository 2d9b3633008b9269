"""The history of an incident: its last lines, for the timeline and for Slack's thread."""

from __future__ import annotations

from dataclasses import replace

from alerting.incident import Incident, Line

#: So many lines are kept.
KEPT = 20


def noted(incident: Incident, now: int, text: str) -> Incident:
    """The incident with one more line."""
    number = incident.lines[-1].number + 1 if incident.lines else 1
    return replace(incident, lines=(*incident.lines, Line(number, now, text))[-KEPT:])
