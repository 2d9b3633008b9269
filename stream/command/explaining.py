"""What ``driftline incident explain`` says: why the findings of an incident are one, and what became of telling people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from alerting.explain import Candidate, Explained, Held, Why, explained
from schemas.incidents import IncidentView
from schemas.settings import Settings
from stream.command.connect import ask_redis
from stream.command.printing import moment, print_json, print_lines, shown
from stream.command.route_ground import in_force
from stream.state.incidents import Happened, read_incident, read_timeline

#: Candidates that people are shown; ``--json`` has all.
LISTED = 5


def explain_incident(settings: Settings, beginning: str, *, as_json: bool) -> None:
    """Print it."""
    found = ask_redis(settings, lambda redis, names: read_incident(redis, names, beginning))
    happened = ask_redis(settings, lambda redis, names: read_timeline(redis, names, found.id))
    state = in_force().state
    inner = explained(state, found.id) if found.id in state.incidents else None
    if as_json:
        print_json(_as_json(found, inner, happened))
    else:
        print_lines(_lines(found, inner, happened))


def _as_json(found: IncidentView, inner: Explained | None, happened: list[Happened]) -> dict[str, Any]:
    return {
        "incident": {"id": found.id, "title": found.title, "state": found.state, "severity": found.severity},
        "causes": msgspec.to_builtins(found.causes),
        **({} if inner is None else msgspec.to_builtins(inner)),
        "links": found.links,
        "timeline": msgspec.to_builtins(happened),
        "forgotten": inner is None,
    }


def _lines(found: IncidentView, inner: Explained | None, happened: list[Happened]) -> Iterator[str]:
    yield f"{found.id}: {found.title}"
    if inner is None:
        yield "  it ended and has left the owner's memory: what is left is how its findings joined, and its history"
    yield ""
    yield "Why it is one:"
    yield from (_of_document(found) if inner is None else _why(inner))
    yield ""
    yield "What could have caused all of it:"
    yield from _causes(found, inner)
    yield ""
    yield "Who was told:"
    yield from _told(found, inner)
    if inner is not None and found.state != "ended":
        yield ""
        yield "What holds messages back:"
        yield from map(_holding, inner.held)
        if not inner.held:
            yield "  nothing"
    if found.links:
        yield ""
        yield f"It could also have belonged to: {', '.join(found.links)}"
    yield ""
    yield "What happened:"
    yield from (f"  {shown(moment(one.at))}  {one.text}" for one in happened)


def _of_document(found: IncidentView) -> Iterator[str]:
    for member in found.members:
        yield f"  {member.subject} ({member.rule}): joined by {member.joined_by}"
        yield f"      began between {moment(member.onset_lo)} and {moment(member.onset_hi)}"


def _why(inner: Explained) -> Iterator[str]:
    for one in inner.why:
        yield f"  {one.subject} ({one.rule}): {one.joined_by}; {one.text}"
        yield f"      began between {moment(one.lo)} and {moment(one.hi)}{_above(one)}"
    if inner.more:
        yield f"  and {inner.more} more findings"


def _above(one: Why) -> str:
    return f"; below {', '.join(one.nodes)}" if one.nodes else ""


def _causes(found: IncidentView, inner: Explained | None) -> Iterator[str]:
    if inner is None:
        yield from (f"  {cause.node} {cause.probability:.0%}" for cause in found.causes)
        return
    for one in inner.candidates[:LISTED]:
        yield f"  {one.node}{_chance(one.probability)}: {_below(one)}"
        yield f"      it must have begun between {moment(one.lo)} and {moment(one.hi)}"
    if len(inner.candidates) > LISTED:
        yield f"  and {len(inner.candidates) - LISTED} more, less likely"
    known = {one.node for one in inner.candidates}
    yield from (f"  {cause.node}{_chance(cause.probability)}" for cause in found.causes if cause.node not in known)


def _chance(probability: float | None) -> str:
    return "" if probability is None else f" {probability:.0%}"


def _below(one: Candidate) -> str:
    if not one.watched:
        return "nothing below it is watched"
    return f"{one.fired} of the {one.watched} that are watched there fire"


def _told(found: IncidentView, inner: Explained | None) -> Iterator[str]:
    if not found.deliveries:
        yield "  nobody: only the console shows it"
    times = {} if inner is None else {one.address: one for one in inner.heard}
    for each in found.deliveries:
        said = f"  {each.receiver} ({each.kind}): is to believe {each.wants}, believes {each.believes}"
        known = times.get(each.address)
        if known is not None and known.told is not None:
            said += f"; last told {moment(known.told)}, rang {moment(known.rung)}"
        yield said


def _holding(one: Held) -> str:
    until = "" if one.until is None else f", until {moment(one.until)}"
    return f"  {one.what} {one.name}: {one.text}{until}"
